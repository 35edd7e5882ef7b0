"""The product as separate processes over Kafka, while Kafka and the processes die in the middle of an import.

`make drills` (YANGGUANG_DRILLS=full) runs it in full: for each drill a product of its own, the whole file of 199 cases,
a stop of a minute, ten kills of every service. The gates run it short: one product for all drills (two processes of the
sender and of the tracker throughout), a quarter of the file for each, a stop of twelve seconds, one kill per service.
What the short run leaves out: a stop longer than every lease, kills that meet a process which has just come back,
kills while two of each share the work, and an import of some size.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from tests.drills.acts import Acts
from tests.drills.drill import FULL, Drill, portion
from tests.drills.separate import CAREFUL, MAILS_AT_ONCE, SERVICES, SMS_AT_ONCE, Separate, Worker
from tests.drills.watch import Watch
from tests.e2e.test_import import Haystack, needles
from tests.fixtures.running import Product, eventually, require_kafka

STOP = 60.0 if FULL else 12.0
KILLS = 10 if FULL else 1
PAIRED = ("party_notification", "stage_tracking")
PAIR_KILLS = 3 if FULL else 0
IN_DOUBT = 0 if FULL else MAILS_AT_ONCE
"""No sender dies with Kafka, but with the short time-outs of the shared product a slow machine may cut a send off."""
WATCHED = ("/", "/cases", "/stages", "/work", "/tips", "/p", "/api/cases", "/api/notices")

pytestmark = [pytest.mark.drill, pytest.mark.kafka, pytest.mark.timeout(1500 if FULL else 600)]


@pytest.fixture(scope="function" if FULL else "module")
def separate(request: pytest.FixtureRequest) -> Iterator[Separate]:
    """The product at work; in full each drill has its own, with two senders and two trackers where it asks for them."""
    require_kafka()
    name = request.node.name
    paired = not FULL or "two_of_each" in name
    patient = FULL and "test_kafka" in name
    product = Separate(",".join(f"{each}=2" for each in PAIRED) if paired else "", {} if patient else CAREFUL)
    try:
        product.start()
        yield product
    finally:
        product.stop()


def on_the_desk(product: Product) -> set[str]:
    return {item["item_id"] for item in product.as_("duty").get("/api/desk/queue").json()["items"]}


def test_kafka_killed_and_started_again_a_minute_later(separate: Separate) -> None:
    """Meanwhile health says so, the pages answer, cases and tips are taken; then all goes on by itself."""
    drill, product = Drill(separate, portion(0)), separate.product
    first, second = drill.mine.cut(2)
    before = on_the_desk(product)
    drill.get_going(first)
    with Watch(product, [*WATCHED, f"/cases/{first.cases[0]}", f"/api/stages/{first.cases[0]}"]) as watch:
        separate.broker.kill()
        killed_at = time.monotonic()
        eventually("health telling of it", 10, lambda: not separate.is_ready())
        told_after = time.monotonic() - killed_at
        drill.take(second)
        tip = product.as_("public").post("/api/tips", json={"text": "被执行人名下另有一处房屋出租。"})
        assert tip.status_code == 201, tip.text
        watch.go_on_until(killed_at + STOP)
        assert not separate.is_ready()
        assert drill.is_in_the_middle()
        stuck_at = drill.received()
        separate.start_kafka()
        began = time.monotonic()
        separate.wait_ready(90)
        ready_after = time.monotonic() - began
    assert watch.refused == []
    assert watch.slowest < 5
    eventually("the tip on the desk", 60, lambda: on_the_desk(product) - before)
    seconds: dict[str, float] = {
        "stop": STOP,
        "told after": told_after,
        "ready after": ready_after,
        "slowest page": watch.slowest,
    }
    figures: dict[str, object] = {name: round(each, 1) for name, each in seconds.items()}
    drill.end(
        "Kafka killed and started again", figures | {"pages": watch.asked, "received at the stop": stuck_at}, IN_DOUBT
    )


def test_kafka_killed_and_wiped_clean(separate: Separate) -> None:
    """It comes back as another cluster, is filled again from the outboxes, and nothing is done twice."""
    drill = Drill(separate, portion(1))
    first, second = drill.mine.cut(2)
    drill.get_going(first)
    was, repeated = separate.cluster(), sum(separate.events(), Counter())["repeated"]
    separate.broker.kill()
    drill.take(second)
    assert drill.is_in_the_middle()
    stuck_at = drill.received()
    separate.wipe_kafka()
    separate.start_kafka()
    assert separate.cluster() != was
    separate.wait_ready(90)
    eventually("old events again", 60, lambda: sum(separate.events(), Counter())["repeated"] > repeated)
    drill.end("Kafka killed and wiped", {"received at the stop": stuck_at}, IN_DOUBT)


def test_every_service_killed_again_and_again(separate: Separate) -> None:
    """At random instants, each as soon as it is back: its consumer, its relay, its jobs."""
    drill, dice = Drill(separate, portion(2)), random.Random(20261123)
    kills = [service for service in SERVICES for _ in range(KILLS)]
    dice.shuffle(kills)
    pieces = drill.mine.cut(min(10, len(kills)))
    drill.take(pieces[0])
    early: Counter[str] = Counter()
    for number, service in enumerate(kills, 1):
        time.sleep(dice.uniform(0.0, 1.0))
        ready_one(separate, service, dice).kill()
        early[service] += drill.received() < sum(drill.due.values())
        if number * len(pieces) % len(kills) < len(pieces) and number < len(kills):
            drill.take(pieces[number * len(pieces) // len(kills)])
    separate.wait_ready(120)
    in_doubt = KILLS * (SMS_AT_ONCE + MAILS_AT_ONCE)
    drill.end("every service killed", {"kills": len(kills), "in the middle": dict(early)}, in_doubt)
    assert all(early[service] >= KILLS - 1 for service in SERVICES)


def ready_one(separate: Separate, service: str, dice: random.Random) -> Worker:
    """One of the service's processes, once it is back from its last death."""

    def look() -> list[Worker]:
        return [worker for worker in separate.workers() if worker.service == service and worker.is_ready()]

    return dice.choice(eventually(f"{service} ready", 60, look))


def test_two_of_each_keep_the_order_of_every_case(separate: Separate) -> None:
    """Two senders and two trackers at once, and acts that follow each other closely in some of the cases.

    At its end nothing of a person stands in plain text in Kafka's topics and the logs.
    """
    drill, dice = Drill(separate, portion(3)), random.Random(20261123)
    first, second = drill.mine.cut(2)
    drill.get_going(first)
    acts = Acts(separate.product, first.cases, cases=20 if FULL else 4, each=5 if FULL else 3)
    with acts:
        drill.take(second)
        for service in PAIRED * PAIR_KILLS:
            time.sleep(dice.uniform(0.5, 1.5))
            ready_one(separate, service, dice).kill()
    separate.wait_ready(120)
    drill.due += acts.due
    figures = {"acts": acts.done, "kills": len(PAIRED) * PAIR_KILLS}
    drill.end("two of each", figures, IN_DOUBT + PAIR_KILLS * (SMS_AT_ONCE + MAILS_AT_ONCE), acts.overtaken)
    for service in PAIRED:
        shares = [events["handled"] for events in separate.events(service)]
        assert len(shares) == 2
        assert all(shares), f"{service}: {shares}"
    check_logs(separate.product, drill.mine.cases)
    assert acts.logged_in_order()
    hay = Haystack()
    separate.search(hay)
    assert hay.looked > 1000
    assert hay.holds(needles()) == []


def check_logs(product: Product, cases: tuple[str, ...]) -> None:
    """Every case's log holds as a whole, its entries without a gap."""
    for number in cases:
        found = product.as_("judge").get(f"/api/stages/{number}/log").json()
        assert found["intact"], number
        assert [entry["position"] for entry in found["items"]] == list(range(1, len(found["items"]) + 1)), number
