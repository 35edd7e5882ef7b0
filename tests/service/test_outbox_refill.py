"""A log that came back empty is filled again in bounded steps: new events go on, and each key keeps its order."""

import uuid
from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from sqlalchemy import func, select, update

from shared.bus.log import Delivered
from shared.bus.postgres import PostgresLog
from shared.contracts.envelope import decode
from shared.db.tables import outbox, relay
from shared.db.transaction import Database
from shared.outbox.relay import Relay
from shared.outbox.rows import forget_delivered
from shared.signals import Signals
from tests.fixtures.databases import FreshDatabase
from tests.service.test_outbox import db, open_log, read_all, tip, undelivered

__all__ = ["db"]

BATCH = 4
NOTHING = timedelta(0)


async def tell(db: Database, *keys: UUID) -> None:
    async with db.begin() as tx:
        await tx.emit(*(tip(key, 0) for key in keys))


async def deliver(db: Database, log: PostgresLog, steps: int = 50) -> Relay:
    """A process that relays for so many steps at most, then ends."""
    process = Relay(db, log, Signals(), BATCH)
    for _ in range(steps):
        await process.step()
    await process._hand_over()
    return process


async def filled(db: Database, fresh_database: FreshDatabase, keys: Sequence[UUID]) -> PostgresLog:
    """Each key has told three events to a log that is gone; the one that comes in its place."""
    old = await open_log(await fresh_database())
    await tell(db, *[key for _ in range(3) for key in keys])
    await deliver(db, old)
    await old.close()
    assert await undelivered(db) == 0
    return await open_log(await fresh_database())


def order(records: Sequence[Delivered], key: UUID) -> list[int]:
    """The key's sequences as they stand in the log."""
    envelopes = [decode(record.value)[0] for record in records]
    return [envelope.sequence for envelope in envelopes if envelope.subject == str(key)]


async def test_a_new_event_does_not_wait_for_all_repetitions(db: Database, fresh_database: FreshDatabase) -> None:
    keys, new = [uuid.uuid4() for _ in range(10)], uuid.uuid4()
    log = await filled(db, fresh_database, keys)
    await tell(db, new)
    await deliver(db, log, 1)
    assert order(await read_all(log, "first", BATCH), new) == [1]
    await deliver(db, log)
    everything = await read_all(log, "all", 31)
    assert len(everything) == 31
    assert all(order(everything, key) == [1, 2, 3] for key in keys)
    await log.close()


async def test_a_new_event_of_an_old_key_brings_its_earlier_ones_along(
    db: Database, fresh_database: FreshDatabase
) -> None:
    keys = [uuid.uuid4() for _ in range(10)]
    log = await filled(db, fresh_database, keys)
    await tell(db, keys[-1])
    await deliver(db, log, 3)
    begun = await read_all(log, "first", 3 * BATCH)
    assert (len(begun), order(begun, keys[-1])) == (3 * BATCH, [1, 2, 3, 4])
    await deliver(db, log)
    everything = await read_all(log, "all", 31)
    assert len(everything) == 31
    assert order(everything, keys[-1]) == [1, 2, 3, 4]
    await log.close()


async def test_another_process_goes_on_where_one_ended_and_the_log_after_it_is_filled_whole(
    db: Database, fresh_database: FreshDatabase
) -> None:
    keys = [uuid.uuid4() for _ in range(10)]
    log = await filled(db, fresh_database, keys)
    for _ in range(20):
        await deliver(db, log, 1)
    assert len(await read_all(log, "all", 30)) == 30
    assert await undelivered(db) == 0
    third = await open_log(await fresh_database())
    await deliver(db, third, 3)
    fourth = await open_log(await fresh_database())
    await deliver(db, fourth)
    everything = await read_all(fourth, "all", 30)
    assert all(order(everything, key) == [1, 2, 3] for key in keys)
    for each in (log, third, fourth):
        await each.close()


async def test_what_an_older_build_delivered_is_sent_again_only_to_another_log(
    db: Database, fresh_database: FreshDatabase
) -> None:
    key = uuid.uuid4()
    log = await filled(db, fresh_database, [key])
    async with db.begin() as tx:
        await tx.conn.execute(update(outbox).values(delivered_to=None))
        await tx.conn.execute(update(relay).values(log_identity=await log.identity()))
    await deliver(db, log)
    assert await read_all(log, "none", 0) == []
    another = await open_log(await fresh_database())
    await deliver(db, another)
    assert order(await read_all(another, "all", 3), key) == [1, 2, 3]
    await log.close()
    await another.close()


async def test_nothing_is_forgotten_while_a_log_is_filled_again(db: Database, fresh_database: FreshDatabase) -> None:
    async def left() -> int:
        async with db.read() as conn:
            return int((await conn.execute(select(func.count()).select_from(outbox))).scalar_one())

    log = await filled(db, fresh_database, [uuid.uuid4() for _ in range(4)])
    await deliver(db, log, 1)
    await forget_delivered(db, NOTHING)
    assert await left() == 12
    await deliver(db, log)
    await forget_delivered(db, NOTHING)
    assert await left() == 0
    await log.close()
