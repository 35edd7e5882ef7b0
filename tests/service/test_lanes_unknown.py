"""Events of a type newer than this build: kept in order behind their key until a process knows the type."""

import uuid
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from shared.bus.lanes import LaneKeeper, Verdict
from shared.bus.log import Delivered
from shared.contracts.envelope import REGISTRY, Types
from shared.contracts.tips import TipReceived
from shared.db.tables import inbox, lanes, outbox
from tests.service.test_lanes import IMPATIENT, Bench, bench, state_of

__all__ = ["bench"]

NEWER = "tips.received.v2"
AFTER_UPGRADE: Types = {**REGISTRY, NEWER: TipReceived}
HANDLED, QUEUED, REPEATED = Verdict.HANDLED, Verdict.QUEUED, Verdict.REPEATED


def newer(bench: Bench, key: UUID, sequence: int) -> Delivered:
    """An event whose type only the newer build knows."""
    known = bench.event(key, sequence)
    value = known.value.replace(TipReceived.type.encode(), NEWER.encode())
    assert value != known.value
    return Delivered(known.place, known.offset, known.key, value)


def upgraded(bench: Bench) -> LaneKeeper:
    return LaneKeeper(bench.db, "bench", {TipReceived: bench.handle}, IMPATIENT, AFTER_UPGRADE)


async def test_an_unknown_type_waits_with_its_key_until_a_process_knows_it(bench: Bench) -> None:
    key, other = uuid.uuid4(), uuid.uuid4()
    records = [bench.event(key, 1), newer(bench, key, 2), bench.event(other, 1), bench.event(key, 3)]
    assert await bench.keeper.settle_all(records) == [HANDLED, QUEUED, HANDLED, QUEUED]
    assert await bench.keeper.settle_all(records) == [REPEATED, QUEUED, REPEATED, QUEUED]
    assert await bench.keeper.revisit() == 0
    assert await bench.keeper.settle(bench.event(other, 2)) is HANDLED
    assert [row for row in await bench.rows() if row.startswith(key.hex[:4])] == [f"{key.hex[:4]}-1"]
    assert await upgraded(bench).revisit() == 1
    assert [row for row in await bench.rows() if row.startswith(key.hex[:4])] == [
        f"{key.hex[:4]}-{n}" for n in (1, 2, 3)
    ]
    assert await bench.keeper.settle(bench.event(key, 4)) is HANDLED


async def test_the_desk_hears_of_an_unknown_type_after_the_patience_that_waiting_has(bench: Bench) -> None:
    await bench.keeper.settle(newer(bench, uuid.uuid4(), 1))
    await bench.keeper.revisit()
    assert tuple(await state_of(bench))[:2] == ("waiting", "UnknownTypeError")
    assert await bench.count(outbox) == 0
    longer = func.clock_timestamp() - bench.keeper.policy.patience - timedelta(seconds=1)
    async with bench.db.begin() as tx:
        await tx.conn.execute(update(lanes).values(since=longer))
    for _ in range(2):
        await bench.keeper.revisit()
        assert await bench.count(outbox) == 1


async def test_a_known_type_that_nobody_here_asks_for_is_passed_over(bench: Bench) -> None:
    key = uuid.uuid4()
    keeper = LaneKeeper(bench.db, "bench", {}, IMPATIENT)
    assert await keeper.settle_all([bench.event(key, 1), bench.event(key, 2)]) == [HANDLED, HANDLED]
    assert (await bench.rows(), await bench.count(inbox)) == ([], 0)
    async with bench.db.read() as conn:
        assert (await conn.execute(select(lanes.c.sequence, lanes.c.state))).one() == (2, "open")
