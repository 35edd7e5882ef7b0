"""Lanes on a real database: order, exactly once, parking of one key, waiting, gaps, quarantine, the ceiling."""

import asyncio
import math
import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table, Text, func, insert, select, update
from sqlalchemy.ext.asyncio import create_async_engine

from shared.bus.consumer import CeilingError, Consumer, FailureCeiling
from shared.bus.lanes import LaneKeeper, LanePolicy, Verdict
from shared.bus.log import Delivered, Place, Record
from shared.bus.postgres import PostgresLog
from shared.clock import FixedClock
from shared.contracts.envelope import Envelope, encode
from shared.contracts.operations import TroubleReported
from shared.contracts.tips import TipGround, TipReceived
from shared.db import inbox
from shared.db.migrate import migrate
from shared.db.tables import lane_events, lanes, outbox, quarantine
from shared.db.transaction import Database, Transaction
from shared.errors import NotYet, Unavailable
from shared.signals import Signals
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import NOON

METADATA = MetaData()
written = Table("written", METADATA, Column("tip_number", Text))
IMPATIENT = LanePolicy(first_wait=LanePolicy.first_wait * 0, longest_wait=LanePolicy.first_wait * 0)


class Bench:
    """A keeper whose handler does what the test says."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.fail: Exception | None = None
        self.fail_for: set[UUID] = set()
        self.keeper = LaneKeeper(db, "bench", {TipReceived: self.handle}, IMPATIENT)
        self.offset = 0

    async def handle(self, tx: Transaction, event: Any, _envelope: Envelope) -> None:
        await tx.conn.execute(insert(written), {"tip_number": event.tip_number})
        if self.fail is not None and (not self.fail_for or event.tip_id in self.fail_for):
            raise self.fail

    def event(self, key: UUID, sequence: int) -> Delivered:
        body = TipReceived(
            tip_id=key,
            tip_number=f"{key.hex[:4]}-{sequence}",
            ground=TipGround.PROPERTY,
            arrived_at=NOON,
            channel="web",
            body="k1.x",  # type: ignore[arg-type]
        )
        envelope = Envelope(
            id=uuid.uuid5(key, str(sequence)),
            source="/bench",
            type=body.type,
            subject=str(key),
            time=NOON,
            sequence=sequence,
            court="渝05",
            data=body.model_dump(mode="json"),
        )
        self.offset += 1
        return Delivered(Place("tips", 0), self.offset, str(key).encode(), encode(envelope))

    async def rows(self) -> list[str]:
        async with self.db.read() as conn:
            return list((await conn.execute(select(written.c.tip_number))).scalars())

    async def count(self, table: Table) -> int:
        async with self.db.read() as conn:
            return int((await conn.execute(select(func.count()).select_from(table))).scalar_one())


@pytest.fixture
async def bench(fresh_database: FreshDatabase) -> AsyncIterator[Bench]:
    db = Database(await fresh_database(), "bench", "渝05", FixedClock(NOON), Signals(), 5)
    await migrate(db.engine, "shared.db")
    async with db.engine.begin() as conn:
        await conn.run_sync(METADATA.create_all)
    yield Bench(db)
    await db.close()


async def test_each_event_is_handled_once_however_often_it_comes(bench: Bench) -> None:
    key = uuid.uuid4()
    first, second = bench.event(key, 1), bench.event(key, 2)
    assert [await bench.keeper.settle(d) for d in (first, second, first, second)] == [
        Verdict.HANDLED,
        Verdict.HANDLED,
        Verdict.REPEATED,
        Verdict.REPEATED,
    ]
    assert len(await bench.rows()) == 2


async def test_a_failing_key_is_parked_whole_and_its_neighbour_passes(bench: Bench) -> None:
    bad, good = uuid.uuid4(), uuid.uuid4()
    bench.fail, bench.fail_for = ValueError("boom"), {bad}
    assert await bench.keeper.settle(bench.event(bad, 1)) is Verdict.FAILED
    assert await bench.keeper.settle(bench.event(bad, 2)) is Verdict.QUEUED
    assert await bench.keeper.settle(bench.event(good, 1)) is Verdict.HANDLED
    assert await bench.rows() == [f"{good.hex[:4]}-1"]
    await bench.keeper.revisit()
    assert await bench.count(outbox) == 1  # the desk is told once
    await bench.keeper.revisit()
    assert await bench.count(outbox) == 1
    bench.fail = None
    assert await bench.keeper.revisit() == 1
    assert await bench.rows() == [f"{good.hex[:4]}-1", f"{bad.hex[:4]}-1", f"{bad.hex[:4]}-2"]
    assert await bench.keeper.settle(bench.event(bad, 3)) is Verdict.HANDLED


async def test_not_yet_waits_in_order_without_alarm(bench: Bench) -> None:
    key = uuid.uuid4()
    bench.fail = NotYet()
    assert await bench.keeper.settle(bench.event(key, 1)) is Verdict.QUEUED
    assert await bench.keeper.settle(bench.event(key, 2)) is Verdict.QUEUED
    await bench.keeper.revisit()
    assert await bench.count(outbox) == 0
    bench.fail = None
    await bench.keeper.revisit()
    assert await bench.rows() == [f"{key.hex[:4]}-1", f"{key.hex[:4]}-2"]


async def test_a_gap_is_never_passed_over(bench: Bench) -> None:
    key = uuid.uuid4()
    assert await bench.keeper.settle(bench.event(key, 2)) is Verdict.FAILED
    assert await bench.rows() == []
    assert await bench.keeper.settle(bench.event(key, 1)) is Verdict.QUEUED
    await bench.keeper.revisit()
    assert await bench.rows() == [f"{key.hex[:4]}-1", f"{key.hex[:4]}-2"]


async def test_a_passing_failure_is_tried_again_at_once(bench: Bench) -> None:
    tries = 0

    async def handle(_tx: Transaction, _event: Any, _envelope: Envelope) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("away", "暂时不可用。")

    keeper = LaneKeeper(bench.db, "bench", {TipReceived: handle}, IMPATIENT)
    assert await keeper.settle(bench.event(uuid.uuid4(), 1)) is Verdict.HANDLED
    assert tries == 3


async def test_undecodable_bytes_go_to_quarantine_and_the_desk_hears(bench: Bench) -> None:
    record = Delivered(Place("tips", 3), 17, b"\xff", b"\x00\x01", {"h": b"\xfe"})
    assert await bench.keeper.settle(record) is Verdict.FAILED
    async with bench.db.read() as conn:
        row = (await conn.execute(select(quarantine))).one()
    assert (row.topic, row.partition, row.offset, bytes(row.value), row.headers) == (
        "tips",
        3,
        17,
        b"\x00\x01",
        {"h": "fe"},
    )
    async with bench.db.read() as conn:
        assert (await conn.execute(select(outbox.c.topic))).scalars().all() == [TroubleReported.topic]


async def test_quarantine_tells_once_and_keeps_other_bytes_of_the_same_place(bench: Bench) -> None:
    first = Delivered(Place("tips", 3), 17, b"", b"\x00\x01")
    anew = Delivered(Place("tips", 3), 17, b"", b"\x00\x02")  # the log came back empty and counts from the start
    for record in (first, first, anew, anew):
        await bench.keeper.settle(record)
    assert (await bench.count(quarantine), await bench.count(outbox)) == (2, 2)


async def test_of_two_processes_one_tries_a_closed_lane_again(bench: Bench) -> None:
    bench.fail = NotYet()
    await bench.keeper.settle(bench.event(uuid.uuid4(), 1))
    async with bench.db.begin() as tx:
        mine = await inbox.claim_due(tx.conn, 10, bench.keeper.policy.claim)
    async with bench.db.begin() as tx:
        theirs = await inbox.claim_due(tx.conn, 10, bench.keeper.policy.claim)
    assert (len(mine), theirs) == (1, [])


async def test_a_replay_is_kept_and_hastens_only_a_closed_lane(bench: Bench) -> None:
    key, me = uuid.uuid4(), uuid.uuid4()
    bench.fail = ValueError("boom")
    await bench.keeper.settle(bench.event(key, 1))
    async with bench.db.begin() as tx:
        assert await inbox.hasten(tx.conn, "tips", str(key), me)
        assert not await inbox.hasten(tx.conn, "tips", str(uuid.uuid4()), me)
    async with bench.db.read() as conn:
        assert (await conn.execute(select(lanes.c.state))).scalars().all() == ["parked"]


def test_the_ceiling_stops_when_most_events_fail_and_not_before() -> None:
    ceiling = FailureCeiling(window=10, least=4, share=0.5)
    for failed in (True, False, False):
        ceiling.note(failed=failed)
    with pytest.raises(CeilingError):
        ceiling.note(failed=True)
    for _ in range(20):
        ceiling.note(failed=False)


async def state_of(bench: Bench) -> Any:
    wait = (lanes.c.retry_at - func.clock_timestamp()).label("wait")
    async with bench.db.read() as conn:
        return (await conn.execute(select(lanes.c.state, lanes.c.reason, lanes.c.tries, wait))).one()


@pytest.mark.parametrize(("error", "state"), [(NotYet(), "waiting"), (ValueError(), "parked")])
async def test_a_waiting_lane_is_tried_every_few_seconds_and_a_parked_one_less_often(
    bench: Bench, error: Exception, state: str
) -> None:
    keeper = LaneKeeper(bench.db, "bench", {TipReceived: bench.handle})
    bench.fail = error
    await keeper.settle(bench.event(uuid.uuid4(), 1))
    async with bench.db.begin() as tx:
        await tx.conn.execute(update(lanes).values(tries=40, retry_at=func.clock_timestamp()))
    await keeper.revisit()
    row = await state_of(bench)
    assert (row.state, row.tries) == (state, 41)
    assert (row.wait <= timedelta(seconds=5)) == (state == "waiting")


async def test_a_passing_failure_of_a_closed_lane_does_not_park_it(bench: Bench) -> None:
    key = uuid.uuid4()
    bench.fail = NotYet()
    await bench.keeper.settle(bench.event(key, 1))
    bench.fail = Unavailable("away", "暂时不可用。")
    await bench.keeper.revisit()
    row = await state_of(bench)
    assert (row.state, row.reason, await bench.count(outbox)) == ("waiting", "Unavailable", 0)
    bench.fail = None
    assert await bench.keeper.revisit() == 1


async def test_a_lane_is_told_of_only_after_its_first_retry_failed_too(bench: Bench) -> None:
    keeper = LaneKeeper(bench.db, "bench", {TipReceived: bench.handle})
    bench.fail = NotYet()
    for sequence, key in enumerate([uuid.uuid4()] * 2, 1):
        await keeper.settle(bench.event(key, sequence))
    bench.fail = ValueError("boom")
    for told in (0, 1):  # what waited and then fails is tried once more before anybody hears of it
        async with bench.db.begin() as tx:
            await tx.conn.execute(update(lanes).values(retry_at=func.clock_timestamp()))
        await keeper.revisit()
        assert await bench.count(outbox) == told


async def test_a_record_that_decodes_but_cannot_be_stored_goes_to_quarantine(bench: Bench) -> None:
    sound = bench.event(uuid.uuid4(), 1)
    value = sound.value.replace(b'"subject":"', b'"subject":"\\u0000')
    record = Delivered(sound.place, sound.offset, sound.key, value, {"h\x00": b"\xfe"})
    assert await bench.keeper.settle(record) is Verdict.FAILED
    async with bench.db.read() as conn:
        row = (await conn.execute(select(quarantine))).one()
    assert (bytes(row.value), row.why) == (value, "cannot be stored: DBAPIError")
    assert await bench.keeper.settle(bench.event(uuid.uuid4(), 1)) is Verdict.HANDLED


async def test_a_sequence_that_no_column_holds_goes_to_quarantine(bench: Bench) -> None:
    sound = bench.event(uuid.uuid4(), 1)
    value = sound.value.replace(b'"sequence":1', b'"sequence":99999999999999999999')
    assert await bench.keeper.settle(Delivered(sound.place, 1, sound.key, value)) is Verdict.FAILED
    assert await bench.count(quarantine) == 1


async def test_an_undecodable_first_event_of_a_closed_lane_parks_it(bench: Bench) -> None:
    bad, good = uuid.uuid4(), uuid.uuid4()
    bench.fail = NotYet()
    await bench.keeper.settle(bench.event(bad, 1))
    await bench.keeper.settle(bench.event(good, 1))
    bench.fail = None
    async with bench.db.begin() as tx:
        await tx.conn.execute(update(lane_events).where(lane_events.c.key == str(bad)).values(value=b"\x00"))
    assert await bench.keeper.revisit() == 1
    async with bench.db.read() as conn:
        row = (await conn.execute(select(lanes.c.state, lanes.c.reason).where(lanes.c.key == str(bad)))).one()
    assert tuple(row) == ("parked", "UndecodableError")


async def open_consumer(bench: Bench, url: str, topic: str) -> tuple[PostgresLog, Consumer]:
    log = PostgresLog(url)
    await log.start({topic: 1})
    return log, Consumer(log, [topic], bench.keeper, Signals())


def record_of(bench: Bench, topic: str) -> Record:
    key = uuid.uuid4()
    return Record(topic, str(key), bench.event(key, 1).value)


async def test_after_the_ceiling_the_consumer_is_behind_at_once(bench: Bench, bus_url: str) -> None:
    log, consumer = await open_consumer(bench, bus_url, "ceiling")
    bench.fail = ValueError("boom")
    await log.append([record_of(bench, "ceiling") for _ in range(25)])
    reading = asyncio.ensure_future(consumer.run())
    async with asyncio.timeout(20):
        while consumer.lag_seconds() != math.inf:
            await asyncio.sleep(0.02)
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    await log.close()


async def test_a_pool_that_is_used_up_stops_neither_consumer_nor_revisits(
    fresh_database: FreshDatabase, bus_url: str
) -> None:
    url = await fresh_database()
    db = Database(url, "bench", "渝05", FixedClock(NOON), Signals(), 1)
    await migrate(db.engine, "shared.db")
    await db.engine.dispose()
    db.engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    async with db.engine.begin() as conn:
        await conn.run_sync(METADATA.create_all)
    bench = Bench(db)
    log, consumer = await open_consumer(bench, bus_url, "used_up")
    await log.append([record_of(bench, "used_up")])
    async with db.engine.connect():
        tasks = [asyncio.ensure_future(run()) for run in (consumer.run, consumer.revisit)]
        ended, _ = await asyncio.wait(tasks, timeout=2)
        assert not ended
    watcher = Database(url, "bench", "渝05", FixedClock(NOON), Signals(), 1)
    async with asyncio.timeout(20):
        while not await Bench(watcher).rows():
            await asyncio.sleep(0.1)
    await watcher.close()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await db.close()
    await log.close()
