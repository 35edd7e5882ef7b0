"""Lanes on a real database: order, exactly once, parking of one key, waiting, gaps, quarantine, the ceiling."""

import uuid
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Column, MetaData, Table, Text, func, insert, select

from shared.bus.consumer import CeilingError, FailureCeiling
from shared.bus.lanes import LaneKeeper, LanePolicy, Verdict
from shared.bus.log import Delivered, Place
from shared.clock import FixedClock
from shared.contracts.envelope import Envelope, encode
from shared.contracts.operations import TroubleReported
from shared.contracts.tips import TipGround, TipReceived
from shared.db import inbox
from shared.db.migrate import migrate
from shared.db.tables import lanes, outbox, quarantine
from shared.db.transaction import Database, Transaction
from shared.errors import NotYet, Unavailable
from shared.signals import Signals
from tests.conftest import FreshDatabase
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
