"""The desk over HTTP and as a consumer: queue, moments, clocks, races, what it tells and what it never does."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select, text

from services.duty_desk import store
from services.duty_desk.domain import PROGRESS
from services.duty_desk.service import SERVICE
from services.duty_desk.usecases import queue
from services.duty_desk.usecases.acts import ring_due_clocks
from shared.contracts.desk import DeskClockRang, EvidenceAccepted, ItemActed, ItemDismissed, ItemTaken
from shared.contracts.envelope import Sealed
from shared.contracts.tips import TipGround, TipReceived
from shared.db.tables import outbox
from shared.db.transaction import new_id
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.desk import BODY, CASE, CASE_ID, arrive, desk_kit, fail, later
from tests.fixtures.kits import NOON, Feeder, as_owner, client, told
from tests.fixtures.statements import asked


@pytest.fixture
async def kit(fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    kit = await desk_kit(await fresh_database(SERVICE))
    yield kit
    await kit.db.close()


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.DUTY) as http:
        yield http


async def post(http: httpx.AsyncClient, item_id: UUID, act: str, **body: Any) -> httpx.Response:
    return await http.post(f"/api/desk/items/{item_id}/{act}", json=body or None)


async def test_the_queue_is_sorted_by_time_left_to_act(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    slow = await arrive(kit)
    await post(http, slow, "take")
    accepted = await arrive(kit, TipGround.WHEREABOUTS)
    await post(http, accepted, "take")
    await post(http, accepted, "accept-evidence")
    later(kit, minutes=10)
    plain, urgent = await arrive(kit), await arrive(kit, TipGround.URGENT)
    trouble = await fail(kit)
    answer = (await http.get("/api/desk/queue")).json()
    assert [item["item_id"] for item in answer["items"]] == [
        str(each) for each in (urgent, plain, trouble, accepted, slow)
    ]
    assert [item["seconds_left"] for item in answer["items"]] == [300, 1800, 1800, 6600, 7 * 86400 - 600]
    assert [item["clock"] for item in answer["items"]] == ["triage", "triage", "triage", "deed", "check"]
    assert [item["priority"] for item in answer["items"]] == [0, 1, 1, 1, 1]
    assert (answer["total"], answer["now"]) == (5, "2026-11-23T04:10:00Z")
    assert "王小明" not in str(answer)


async def test_the_moments_are_never_mixed_and_only_the_deed_stops_the_last_clock(
    kit: Kit[Any], http: httpx.AsyncClient
) -> None:
    item = await arrive(kit)
    later(kit, minutes=5)
    taken = (await post(http, item, "take")).json()
    assert (taken["clock"], taken["taken_by"], taken["evidence_accepted_at"]) == ("check", "测试值班员", None)
    assert taken["text"] == BODY
    later(kit, hours=2)
    accepted = (await post(http, item, "accept-evidence", case_number="(2026)渝05执5001号")).json()
    assert (accepted["clock"], accepted["seconds_left"]) == ("deed", 24 * 3600)
    assert (accepted["case_number"], accepted["case_id"], accepted["acted_at"]) == (CASE, str(CASE_ID), None)
    later(kit, hours=24)
    acted = (await post(http, item, "act", deed="已扣押车辆一台。")).json()
    assert (acted["clock"], acted["due_at"], acted["deed"]) == (None, None, "已扣押车辆一台。")
    assert (await http.get("/api/desk/queue")).json()["items"] == []
    events = await told(kit)
    assert [type(each) for each in events] == [ItemTaken, EvidenceAccepted, ItemActed]
    assert events[1].due_at - events[1].accepted_at == timedelta(hours=24)
    assert (events[2].in_time, events[2].case_id) == (True, CASE_ID)
    assert kit.keyring.open(events[2].deed, str(item)) == "已扣押车辆一台。"
    assert kit.keyring.open(events[2].progress, str(CASE_ID)) == PROGRESS


async def test_a_deed_after_its_time_says_so(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit, TipGround.URGENT)
    await post(http, item, "take")
    await post(http, item, "accept-evidence")
    later(kit, minutes=30, seconds=1)
    await post(http, item, "act", deed="已到场。")
    [acted] = await told(kit, ItemActed)
    assert not acted.in_time
    assert (acted.case_id, acted.progress) == (None, None), "without a case nobody is told"
    assert "已行动，超期" in (await http.get("/desk/done")).text


async def test_without_a_clock_no_deed_passes_as_in_time(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    await post(http, item, "take")
    await post(http, item, "accept-evidence")
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("UPDATE clocks SET stopped_at = now()"))
    assert (await http.post(f"/api/desk/items/{item}/act", json={"deed": "已到场。"})).status_code == 500
    assert await told(kit, ItemActed) == []
    assert "没有期限" in (await http.get("/desk")).text


async def test_progress_null_tells_nobody(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    await post(http, item, "take")
    await post(http, item, "accept-evidence", case_number=CASE)
    await post(http, item, "act", deed="已到场。", progress=None)
    [acted] = await told(kit, ItemActed)
    assert (acted.case_id, acted.progress) == (CASE_ID, None)


async def test_faults_come_all_at_once_and_write_nothing(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    await post(http, item, "take")
    unknown = await post(http, item, "accept-evidence", case_number="（2026）渝05执4号")
    assert (unknown.status_code, unknown.json()["errors"][0]["field"]) == (422, "case_number")
    await post(http, item, "accept-evidence")
    refused = await post(http, item, "act", deed=" ", progress="根据举报已查封。")
    assert refused.status_code == 422
    assert {error["field"] for error in refused.json()["errors"]} == {"deed", "progress"}
    assert (await http.get(f"/api/desk/items/{item}")).json()["clock"] == "deed"
    assert await told(kit, ItemActed) == []


@pytest.mark.parametrize("act", ["take", "accept-evidence", "act", "dismiss"])
async def test_an_unknown_item_is_not_found(http: httpx.AsyncClient, act: str) -> None:
    answer = await post(http, new_id(), act, **{"act": {"deed": "x"}, "dismiss": {"reason": "x"}}.get(act, {}))
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_item")


async def test_two_officers_at_once_one_wins_and_one_is_told(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item = await arrive(kit)
    async with client(SERVICE, kit, Role.COMMAND) as other:
        for act, body, kind in (
            ("take", {}, ItemTaken),
            ("accept-evidence", {"case_number": CASE}, EvidenceAccepted),
            ("act", {"deed": "已到场。"}, ItemActed),
        ):
            answers = await asyncio.gather(*(post(each, item, act, **body) for each in (http, other) * 2))
            assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
            assert len(await told(kit, kind)) == 1
    async with kit.db.read() as conn:
        rows = (await conn.execute(select(store.clocks))).all()
    assert sorted(row.clock for row in rows) == ["check", "deed", "triage"]
    assert all(row.stopped_at is not None for row in rows)


async def test_accept_and_dismiss_at_once_never_both_happen(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    for _ in range(5):
        item = await arrive(kit)
        await post(http, item, "take")
        answers = await asyncio.gather(
            post(http, item, "accept-evidence"), post(http, item, "dismiss", reason="地点不明。")
        )
        assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert len(await told(kit, EvidenceAccepted, ItemDismissed)) == 5


async def test_each_clock_rings_exactly_once_whoever_looks(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    ignored, taken = await arrive(kit), await arrive(kit)
    await post(http, taken, "take")
    later(kit, minutes=30, seconds=-1)
    await ring_due_clocks(kit)
    assert await told(kit, DeskClockRang) == []
    later(kit, seconds=1)
    await asyncio.gather(*(ring_due_clocks(kit) for _ in range(4)))
    await ring_due_clocks(kit)
    [rang] = await told(kit, DeskClockRang)
    assert (rang.item_id, rang.clock) == (ignored, "triage")
    later(kit, days=7)
    await ring_due_clocks(kit)
    await post(http, taken, "accept-evidence")
    later(kit, days=2)
    await ring_due_clocks(kit)
    rings = [(each.item_id, each.clock) for each in await told(kit, DeskClockRang)]
    assert rings == [(ignored, "triage"), (taken, "check"), (taken, "deed")]
    [first, *_] = (await http.get("/api/desk/queue")).json()["items"]
    assert first["rang_at"] is not None
    assert first["seconds_left"] < 0


async def test_a_clock_that_cannot_ring_holds_up_no_other(kit: Kit[Any], caplog: pytest.LogCaptureFixture) -> None:
    broken, also_broken, sound = [await arrive(kit) for _ in range(3)]
    await _refuse_rings(kit, broken, also_broken)
    later(kit, minutes=31)
    with pytest.raises(ExceptionGroup) as failed:
        await ring_due_clocks(kit)
    assert len(failed.value.exceptions) == 2
    assert [rang.item_id for rang in await told(kit, DeskClockRang)] == [sound]
    records = [record for record in caplog.records if record.getMessage() == "a row was skipped"]
    assert {record.__dict__["item_id"] for record in records} == {broken, also_broken}
    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE clocks DROP CONSTRAINT silent"))
    await ring_due_clocks(kit)
    assert {rang.item_id for rang in await told(kit, DeskClockRang)} == {broken, also_broken, sound}


async def _refuse_rings(kit: Kit[Any], *items: UUID) -> None:
    listed = ", ".join(f"'{item}'" for item in items)
    rule = f"ALTER TABLE clocks ADD CONSTRAINT silent CHECK (rang_at IS NULL OR item_id NOT IN ({listed}))"
    async with as_owner(kit) as conn:
        await conn.execute(text(rule))


async def test_what_was_dealt_with_never_rings(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    tip, trouble = await arrive(kit), await fail(kit)
    await post(http, tip, "take")
    await post(http, tip, "dismiss", reason="核实无果。")
    await post(http, trouble, "take")
    assert (await post(http, trouble, "dismiss", reason="x")).status_code == 409
    assert (await post(http, trouble, "act", deed="已重放。")).status_code == 200
    later(kit, days=30)
    await ring_due_clocks(kit)
    assert await told(kit, DeskClockRang) == []


async def test_a_trouble_says_what_it_is_and_has_a_clock_to_its_end(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    trouble = await fail(kit)
    [item] = (await http.get("/api/desk/queue")).json()["items"]
    assert (item["title"], item["summary"]) == ("系统故障", "通知服务的消息处理失败，请系统管理员检查。")
    taken = (await post(http, trouble, "take")).json()
    assert (taken["clock"], taken["seconds_left"]) == ("check", 24 * 3600)
    assert (await post(http, trouble, "accept-evidence")).status_code == 409


async def test_a_trouble_told_again_is_one_item_that_counts(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    first = await fail(kit)
    await asyncio.gather(*(fail(kit) for _ in range(5)))
    [item] = (await http.get("/api/desk/queue")).json()["items"]
    assert (item["item_id"], item["times"], item["last_at"] is None) == (str(first), 6, False)
    await post(http, first, "take")
    await fail(kit)
    items = (await http.get("/api/desk/queue")).json()["items"]
    told = [(item["times"], item["clock"]) for item in items]
    assert sorted(told) == [(1, "triage"), (6, "check")], "who took the first has not seen the next"


async def test_a_trouble_told_again_under_new_keys_is_still_one_item(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    first = await fail(kit)
    for _ in range(2):
        kit = replace(kit, keyring=kit.keyring.rotated(index=True))
        await fail(kit)
    [item] = (await http.get("/api/desk/queue")).json()["items"]
    assert (item["item_id"], item["times"]) == (str(first), 3)


async def test_a_trouble_told_after_it_was_dealt_with_is_a_new_one(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    first = await fail(kit)
    await post(http, first, "take")
    assert (await post(http, first, "act", deed="已重放。")).status_code == 200
    second = await fail(kit)
    [item] = (await http.get("/api/desk/queue")).json()["items"]
    assert (item["item_id"], item["times"], item["clock"]) == (str(second), 1, "triage")


async def test_the_same_event_again_changes_nothing(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    feeder, tip_id = Feeder(SERVICE, kit), new_id()
    record = feeder.wrap(
        TipReceived(
            tip_id=tip_id,
            tip_number="20261123000001",
            ground=TipGround.PROPERTY,
            arrived_at=NOON,
            channel="web",
            body=Sealed(kit.keyring.seal(BODY, str(tip_id))),
        )
    )
    await feeder.keeper.settle(record)
    before = await queue.look(kit)
    await feeder.keeper.settle(record)
    assert (await queue.look(kit)).revision == before.revision
    assert len((await http.get("/api/desk/queue")).json()["items"]) == 1


async def test_every_change_moves_the_revision_and_nothing_else_does(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    seen = [(await queue.look(kit)).revision]

    async def moved() -> bool:
        seen.append((await queue.look(kit)).revision)
        return seen[-1] == seen[-2] + 1

    item = await arrive(kit)
    assert await moved()
    for act, body in (("take", {}), ("accept-evidence", {}), ("act", {"deed": "已到场。"})):
        await http.get(f"/api/desk/items/{item}")
        await ring_due_clocks(kit)
        assert not await moved()
        await post(http, item, act, **body)
        assert await moved()
        await post(http, item, act, **body)
        assert not await moved(), "a refused act changes nothing"
    await arrive(kit)
    assert await moved()
    later(kit, minutes=31)
    await ring_due_clocks(kit)
    assert await moved()


async def test_a_glance_at_an_unchanged_queue_reads_one_row(kit: Kit[Any]) -> None:
    await arrive(kit)
    seen = (await queue.look(kit)).revision
    with asked(kit) as statements:
        assert await queue._glance(kit, seen) is None
        assert len(statements) == 1
        assert "FROM revisions" in statements[0]
        assert await queue._glance(kit, seen - 1) is not None
        assert len(statements) > 2


async def test_beyond_what_is_listed_the_number_is_told(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    async with kit.db.begin() as tx:
        for number in range(queue.MOST + 3):
            row = {"item_id": new_id(), "source": "tip", "number": str(number), "ground": "property", "body": "-"}
            await store.add_item(tx.conn, row | {"arrived_at": NOON})
            await store.start_clock(tx.conn, row["item_id"], "triage", NOON)
    answer = (await http.get("/api/desk/queue")).json()
    assert (len(answer["items"]), answer["total"]) == (queue.MOST, queue.MOST + 3)
    page = (await http.get("/desk")).text
    assert "另有 403 件" in page
    assert f'<span class="count">{queue.MOST + 3}</span>待接手' in page, "counted whole, not only what is listed"


async def test_nothing_personal_rests_or_travels_in_plain_text(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    item, other = await arrive(kit), await arrive(kit)
    for each in (item, other):
        await post(http, each, "take")
    await post(http, item, "accept-evidence", case_number=CASE)
    await post(http, item, "act", deed="已找到王小明，电话13800138000。")
    await post(http, other, "dismiss", reason="王小明不在此处，13800138000。")
    async with kit.db.read() as conn:
        values = (await conn.execute(select(outbox.c.value))).scalars().all()
        rows = (await conn.execute(select(store.items))).all()
    kept = str(rows) + "".join(bytes(value).decode() for value in values)
    assert str(item) in kept
    for word in ("王小明", "13800138000", "停车场"):
        assert word not in kept
