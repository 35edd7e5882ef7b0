"""Events that the log can never take: their keys stand aside for a moment, others pass, and the desk hears of it."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select

from shared.bus.log import BusError, BusRefusedError, BusUnavailableError
from shared.bus.postgres import PostgresLog
from shared.contracts.envelope import decode
from shared.contracts.operations import TroubleReported
from shared.db.tables import outbox, relay
from shared.db.transaction import Database, new_id
from shared.outbox.held import HeldBack, by_lane
from shared.outbox.relay import Relay
from shared.signals import Signals
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import NOON
from tests.service.test_outbox import db, open_log, tip

__all__ = ["db"]

BATCH = 3
A, B = ("tips", "a"), ("tips", "b")
AWAY, REFUSED = BusUnavailableError("away"), BusRefusedError("no")


class Hand:
    """A clock that the test moves, in seconds."""

    def __init__(self) -> None:
        self.at = 0.0

    def __call__(self) -> float:
        return self.at


def trouble() -> TroubleReported:
    return TroubleReported(trouble_id=new_id(), service="bench", kind="lane", summary="。", noticed_at=NOON)


async def unsent(db: Database, topic: str) -> list[int]:
    async with db.read() as conn:
        query = select(outbox.c.id).where(outbox.c.delivered_at.is_(None), outbox.c.topic == topic)
        return list((await conn.execute(query.order_by(outbox.c.id))).scalars())


async def reports(db: Database) -> list[Any]:
    async with db.read() as conn:
        query = select(outbox.c.value).where(outbox.c.topic == "operations").order_by(outbox.c.id)
        return [decode(bytes(value))[1] for value in (await conn.execute(query)).scalars()]


async def steps(relay: Relay, count: int) -> None:
    for _ in range(count):
        await relay.step()


async def test_a_full_batch_that_can_never_be_appended_holds_up_nobody_else(
    db: Database, fresh_database: FreshDatabase
) -> None:
    log, hand = await open_log(await fresh_database()), Hand()  # it has the topic tips alone
    relay = Relay(db, log, Signals(), BATCH, HeldBack(hand))
    async with db.begin() as tx:
        await tx.emit(*(trouble() for _ in range(2 * BATCH)), tip(uuid.uuid4(), 1))
    await steps(relay, 3)
    assert (len(await unsent(db, "tips")), len(await unsent(db, "operations"))) == (0, 2 * BATCH)
    assert relay.lag_seconds() < 60
    await log.start({"operations": 1})
    await steps(relay, 2)
    assert len(await unsent(db, "operations")) == 2 * BATCH  # their moment is not over
    hand.at += 30
    await steps(relay, 3)
    assert await unsent(db, "operations") == []
    await log.close()


async def failing(db: Database, fresh_database: FreshDatabase) -> tuple[PostgresLog, Relay, Hand]:
    """A log without the topic tips, and a relay that has tried for an hour."""
    log, hand = PostgresLog(await fresh_database()), Hand()
    await log.start({"operations": 1})
    process = Relay(db, log, Signals(), BATCH, HeldBack(hand))
    async with db.begin() as tx:
        await tx.emit(*(tip(uuid.uuid4(), number) for number in range(BATCH + 1)))
    for _ in range(20):
        await steps(process, 2)
        hand.at += 180
    return log, process, hand


async def test_the_desk_hears_once_of_a_topic_that_takes_nothing(db: Database, fresh_database: FreshDatabase) -> None:
    log, process, hand = await failing(db, fresh_database)
    (told,) = await reports(db)
    assert (told.service, told.kind) == ("bench", "outbox")
    assert "tips" in told.summary
    await process._hand_over()
    other = Relay(db, log, Signals(), BATCH, HeldBack(hand))
    for _ in range(4):  # another process knows that the desk has been told
        await steps(other, 2)
        hand.at += 180
    assert len(await reports(db)) == 1
    await log.close()


async def test_after_it_passed_it_may_be_told_anew(db: Database, fresh_database: FreshDatabase) -> None:
    log, process, hand = await failing(db, fresh_database)
    await log.start({"tips": 1})
    for _ in range(3):
        await steps(process, 2)
        hand.at += 180
    assert await unsent(db, "tips") == []
    async with db.read() as conn:
        assert (await conn.execute(select(relay.c.told_topics))).scalar_one() == []
    await log.close()


async def test_before_its_patience_is_over_nobody_is_told(db: Database, bus_url: str) -> None:
    held = HeldBack(hand := Hand())
    held.note({A: REFUSED})
    hand.at = 119.0
    assert held.overdue() == set()
    hand.at = 120.0
    assert held.overdue() == {"tips"}


def test_a_key_stands_aside_longer_each_time_and_no_longer_once_it_passed() -> None:
    held, moments = HeldBack(hand := Hand()), []
    for _ in range(8):
        held.note({A: REFUSED})
        begun = hand.at
        while held.lanes():
            hand.at += 0.5
        moments.append(hand.at - begun)
    assert moments == [1, 2, 4, 8, 16, 30, 30, 30]
    held.note({A: None})
    assert (held.lanes(), held.topics()) == (set(), set())


@pytest.mark.parametrize(
    ("outcome", "aside"),
    [
        ({A: AWAY, B: AWAY}, set()),  # the log's fault
        ({A: AWAY, B: None}, {A}),
        ({A: REFUSED, B: AWAY}, {A}),
    ],
)
def test_only_a_key_that_others_pass_stands_aside(outcome: dict[Any, BusError | None], aside: set[Any]) -> None:
    held = HeldBack(Hand())
    held.note(outcome)
    assert held.lanes() == aside


def test_a_key_that_failed_before_stands_aside_even_when_nothing_passes() -> None:
    held = HeldBack(hand := Hand())
    held.note({A: AWAY, B: None})
    hand.at = 5
    held.note({A: AWAY})
    assert held.lanes() == {A}


def test_one_error_of_a_key_counts_however_many_passed() -> None:
    assert by_lane([A, B, A, A], [None, None, REFUSED, REFUSED]) == {A: REFUSED, B: None}
