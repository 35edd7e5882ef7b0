"""What only the log in PostgreSQL must show: its locks, its tables, its retention."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest

from shared.bus.log import BusError, Record
from shared.bus.postgres import PostgresLog
from shared.bus.postgres.connections import Connections
from tests.contract.reading import append, ends, in_order_per_key, numbered, numbers, read, unique
from tests.contract.stores import Store
from tests.fixtures.databases import FreshDatabase


@asynccontextmanager
async def sql(url: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        yield connection
    finally:
        await connection.close()


async def test_a_reader_skips_nothing_while_many_append(bus_url: str) -> None:
    topics = [unique("busy"), unique("busy")]
    async with Store("postgres", bus_url).started(*topics, partitions=3) as log:
        member = await log.subscribe(unique("g"), topics)

        async def write(writer: int) -> None:
            for n in range(25):
                rows = [Record(topics[i % 2], f"{writer}-{i % 5}", str(n * 10 + i).encode()) for i in range(10)]
                await append(log, rows[:: (-1) ** n] if writer % 2 else rows)

        writers = asyncio.gather(*(write(writer) for writer in range(6)))
        records = await read(member, 6 * 25 * 10)
        await writers
    assert len({(record.place, record.offset) for record in records}) == 1500
    for place in {record.place for record in records}:
        offsets = [record.offset for record in records if record.place == place]
        assert offsets == list(range(len(offsets)))


async def test_many_start_on_an_empty_database_at_once(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    logs = [PostgresLog(url) for _ in range(4)]
    await asyncio.gather(*(log.start({"a": 2, "b": 1}) for log in logs))
    assert len({await log.identity() for log in logs}) == 1
    async with sql(url) as connection:
        assert await connection.fetchval("SELECT count(*) FROM partitions") == 3
    for log in logs:
        await log.close()


async def test_tables_of_a_later_version_are_left_alone(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    async with Store("postgres", url).started("a"), sql(url) as connection:
        await connection.execute("UPDATE log SET version = 99")
    later = PostgresLog(url)
    with pytest.raises(BusError, match="of version 99"):
        await later.start({"b": 1})
    await later.close()


async def test_only_old_records_that_every_group_has_done_are_deleted(fresh_database: FreshDatabase) -> None:
    url = await fresh_database()
    log = PostgresLog(url, retention=timedelta(days=30))
    await log.start({"t": 1, "unread": 1})
    await append(log, numbered("t", 10))
    await append(log, numbered("unread", 2))
    for group, done in (("fast", 9), ("slow", 6)):
        member = await log.subscribe(group, ["t"])
        await member.commit(ends((await read(member, 10))[:done]))
        await member.close()
    assert await log.forget() == 0
    async with sql(url) as connection:
        await connection.execute("UPDATE records SET appended_at = now() - interval '31 days' WHERE \"offset\" < 8")
    assert await log.forget() == 6 + 2
    member = await log.subscribe("new", ["t"])
    assert numbers(await read(member, 4)) == [6, 7, 8, 9]
    await append(log, numbered("t", 1, start=10))
    assert numbers(await read(member, 1)) == [10]
    await log.close()


async def test_a_process_frozen_within_its_transaction_holds_nobody_up(bus_url: str) -> None:
    topic, group = unique("frozen"), unique("g")
    frozen = Connections(bus_url, timeout=30, idle=0.5, size=1)
    await frozen.open()
    async with Store("postgres", bus_url).started(topic) as log:
        await append(log, numbered(topic, 1))
        held = asyncio.Event()
        freezing = asyncio.ensure_future(_freeze(frozen, group, held, asyncio.Event()))
        await held.wait()
        began = time.monotonic()
        await read(await log.subscribe(group, [topic]), 1)
        assert time.monotonic() - began < 5
        freezing.cancel()
        await asyncio.wait([freezing])
    await frozen.close()


async def _freeze(frozen: Connections, group: str, held: asyncio.Event, thaw: asyncio.Event) -> None:
    """Hold the group's lock and do nothing."""
    async with frozen.use() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", group)
        held.set()
        await thaw.wait()


async def test_a_full_partition_starves_no_other(bus_url: str) -> None:
    topic = unique("starve")
    async with Store("postgres", bus_url).started(topic, partitions=2) as log:
        await append(log, [Record(topic, "a", b"0")] * 500)
        await append(log, numbered(topic, 20, keys=20))
        member = await log.subscribe(unique("g"), [topic])
        first, second = await member.poll(50, 5), await member.poll(50, 5)
        assert len({record.place for record in [*first, *second]}) == 2
        assert in_order_per_key(await read(member, 420))


async def test_a_call_before_the_start_is_refused(bus_url: str) -> None:
    log = PostgresLog(bus_url)
    (fault,) = await log.append([Record("t", "k", b"")])
    assert "not been started" in str(fault)
    await log.close()
