"""Outbox and relay over the PostgreSQL log: nothing skipped, order per key, one relay, an empty log refilled."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import create_async_engine

from shared.bus.log import BusError, BusUnavailableError, Delivered, Record
from shared.bus.postgres import PostgresLog
from shared.clock import FixedClock
from shared.contracts.envelope import decode
from shared.contracts.tips import TipGround, TipReceived
from shared.db.migrate import migrate
from shared.db.tables import outbox
from shared.db.transaction import MAX_EVENT_BYTES, Database
from shared.errors import Invalid
from shared.http.routes import Zone
from shared.outbox.relay import Relay
from shared.outbox.rows import forget_delivered
from shared.runtime.registry import load
from shared.runtime.unit import Unit
from shared.signals import Signals
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import NOON, make_kit


def tip(key: uuid.UUID, number: int) -> TipReceived:
    return TipReceived(
        tip_id=key,
        tip_number=str(number),
        ground=TipGround.PROPERTY,
        arrived_at=NOON,
        channel="web",
        body="k1.x",  # type: ignore[arg-type]
    )


@pytest.fixture
async def db(fresh_database: FreshDatabase) -> AsyncIterator[Database]:
    database = Database(await fresh_database(), "bench", "渝05", FixedClock(NOON), Signals(), 5)
    await migrate(database.engine, "shared.db")
    yield database
    await database.close()


async def open_log(url: str) -> PostgresLog:
    log = PostgresLog(url)
    await log.start({"tips": 2})
    return log


async def read_all(log: PostgresLog, group: str, count: int) -> list[Delivered]:
    subscription = await log.subscribe(group, ["tips"])
    got: list[Delivered] = []
    for _ in range(40):
        got += await subscription.poll(100, 0.5)
        if len(got) >= count:
            break
    await subscription.close()
    return got


async def undelivered(db: Database) -> int:
    async with db.read() as conn:
        return len((await conn.execute(select(outbox.c.id).where(outbox.c.delivered_at.is_(None)))).all())


async def test_events_reach_the_log_in_order_with_their_sequences(db: Database, bus_url: str) -> None:
    log, keys = await open_log(bus_url), [uuid.uuid4(), uuid.uuid4()]
    for number in range(6):
        async with db.begin() as tx:
            await tx.emit(tip(keys[number % 2], number))
    assert not await Relay(db, log, Signals()).step()
    got = [decode(delivered.value)[0] for delivered in await read_all(log, "g", 6)]
    for key in keys:
        mine = [envelope for envelope in got if envelope.subject == str(key)]
        assert [envelope.sequence for envelope in mine] == [1, 2, 3]
    assert await undelivered(db) == 0
    await log.close()


async def test_a_rolled_back_act_tells_nothing(db: Database) -> None:
    async def act() -> None:
        async with db.begin() as tx:
            await tx.emit(tip(uuid.uuid4(), 1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await act()
    assert await undelivered(db) == 0


class Stubborn:
    """A log that refuses one key; everything else goes to the real one."""

    def __init__(self, log: PostgresLog, refused: str) -> None:
        self.log, self.refused = log, refused

    async def identity(self) -> str:
        return await self.log.identity()

    async def append(self, records: Sequence[Record]) -> Sequence[BusError | None]:
        fine = [record for record in records if record.key != self.refused]
        await self.log.append(fine)
        return [BusUnavailableError("no") if record.key == self.refused else None for record in records]


async def test_what_was_not_acknowledged_stays_and_only_that(db: Database, bus_url: str) -> None:
    log, bad, good = await open_log(bus_url), uuid.uuid4(), uuid.uuid4()
    async with db.begin() as tx:
        await tx.emit(tip(bad, 1), tip(good, 1), tip(bad, 2))
    with pytest.raises(BusUnavailableError):
        await Relay(db, Stubborn(log, str(bad)), Signals()).step()  # type: ignore[arg-type]
    assert await undelivered(db) == 2
    await log.close()


async def test_only_the_holder_of_the_lease_relays(db: Database, bus_url: str) -> None:
    log = await open_log(bus_url)
    first, second = Relay(db, log, Signals()), Relay(db, log, Signals())
    await first.step()
    async with db.begin() as tx:
        await tx.emit(tip(uuid.uuid4(), 1))
    await second.step()
    assert await undelivered(db) == 1
    await first.step()
    assert await undelivered(db) == 0
    await log.close()


async def test_a_log_that_came_back_empty_is_filled_again(db: Database, fresh_database: FreshDatabase) -> None:
    key = uuid.uuid4()
    old = await open_log(await fresh_database())
    relay = Relay(db, old, Signals())
    async with db.begin() as tx:
        await tx.emit(tip(key, 1), tip(key, 2))
    await relay.step()
    await old.close()
    new = await open_log(await fresh_database())
    relay._bus = new
    await relay.step()
    assert [decode(d.value)[0].sequence for d in await read_all(new, "g", 2)] == [1, 2]
    await new.close()


async def test_delivered_rows_are_forgotten_only_after_their_time(db: Database, bus_url: str) -> None:
    log = await open_log(bus_url)
    async with db.begin() as tx:
        await tx.emit(tip(uuid.uuid4(), 1))
    await forget_delivered(db, keep=NOON - NOON)
    assert await undelivered(db) == 1
    await Relay(db, log, Signals()).step()
    await forget_delivered(db)
    async with db.read() as conn:
        assert len((await conn.execute(select(outbox.c.id))).all()) == 1
    await forget_delivered(db, keep=NOON - NOON)
    async with db.read() as conn:
        assert (await conn.execute(select(outbox.c.id))).all() == []
    await log.close()


async def test_after_a_failed_step_another_process_may_take_over_at_once(db: Database, bus_url: str) -> None:
    log, bad = await open_log(bus_url), uuid.uuid4()
    first, second = Relay(db, Stubborn(log, str(bad)), Signals()), Relay(db, log, Signals())  # type: ignore[arg-type]
    async with db.begin() as tx:
        await tx.emit(tip(bad, 1))
    with pytest.raises(BusUnavailableError):
        await first.step()
    await second.step()
    assert await undelivered(db) == 0
    await log.close()


async def test_a_relay_that_ends_lets_another_go_on_at_once(db: Database, bus_url: str) -> None:
    log = await open_log(bus_url)
    first, second = Relay(db, log, Signals()), Relay(db, log, Signals())
    running = asyncio.get_running_loop().create_task(first.run())
    async with db.begin() as tx:
        await tx.emit(tip(uuid.uuid4(), 1))
    async with asyncio.timeout(10):
        while await undelivered(db):
            await asyncio.sleep(0.05)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    async with db.begin() as tx:
        await tx.emit(tip(uuid.uuid4(), 2))
    await second.step()
    assert await undelivered(db) == 0
    await log.close()


class Broken(Stubborn):
    """A log that raises what the test says."""

    def __init__(self, log: PostgresLog, error: Exception | None = None) -> None:
        super().__init__(log, "")
        self.error = error
        self.asked = 0

    async def identity(self) -> str:
        self.asked += 1
        if self.error is not None:
            raise self.error
        return await super().identity()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.02)


async def test_the_lag_grows_while_steps_fail_and_ends_with_a_clean_one(db: Database, bus_url: str) -> None:
    bus = Broken(await open_log(bus_url))
    relay, idle = Relay(db, bus, Signals()), Relay(db, bus, Signals())  # type: ignore[arg-type]
    bus.error = BusError("no")
    begun = time.monotonic()
    with pytest.raises(BusError):
        await relay.step()
    assert relay.lag_seconds() >= time.monotonic() - begun - 0.001
    bus.error = None
    for each in (relay, idle):  # one with nothing to do, one without the lease
        lag = each.lag_seconds()
        await each.step()
        assert each.lag_seconds() < lag
    await bus.log.close()


async def test_a_pool_that_is_used_up_does_not_end_the_relay(fresh_database: FreshDatabase, bus_url: str) -> None:
    log, url = await open_log(bus_url), await fresh_database()
    db = Database(url, "bench", "渝05", FixedClock(NOON), Signals(), 1)
    await migrate(db.engine, "shared.db")
    await db.engine.dispose()
    db.engine = create_async_engine(url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    bus = Broken(log)
    async with db.begin() as tx:
        await tx.emit(tip(uuid.uuid4(), 1))
    relay = asyncio.ensure_future(Relay(db, bus, Signals()).run())  # type: ignore[arg-type]
    async with db.engine.connect():
        await until(lambda: bus.asked >= 2)
        assert not relay.done()
    async with asyncio.timeout(20):
        while await undelivered_by(url):
            await asyncio.sleep(0.05)
    relay.cancel()
    await asyncio.gather(relay, return_exceptions=True)
    await db.close()
    await log.close()


async def undelivered_by(url: str) -> int:
    other = Database(url, "bench", "渝05", FixedClock(NOON), Signals(), 1)
    try:
        return await undelivered(other)
    finally:
        await other.close()


async def test_an_event_too_large_for_the_log_fails_the_act(db: Database) -> None:
    large = tip(uuid.uuid4(), 1).model_copy(update={"body": "x" * MAX_EVENT_BYTES})

    async def act() -> None:
        async with db.begin() as tx:
            await tx.emit(tip(uuid.uuid4(), 1))
            await tx.emit(large)

    with pytest.raises(Invalid) as caught:
        await act()
    assert "内容过多" in caught.value.faults[0].reason
    assert await undelivered(db) == 0


async def test_a_relay_that_dies_makes_its_unit_red_and_nothing_else_stops(
    fresh_database: FreshDatabase, bus_url: str
) -> None:
    service = load("asset_tips")
    kit = await make_kit(service, await fresh_database(service))
    bus = Broken(await open_log(bus_url), RuntimeError("boom"))
    unit = Unit(service, kit, bus, tuple(Zone))  # type: ignore[arg-type]
    check = unit.checks()["asset_tips.relay"]
    assert check()
    running = asyncio.ensure_future(unit.run())
    await until(lambda: not check())
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await unit.close()
    await bus.log.close()
