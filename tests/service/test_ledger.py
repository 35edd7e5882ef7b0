import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import MetaData, delete, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.ledger.chain import BodyError, Break, BrokenAt, Entry, genesis, verify
from shared.ledger.store import append, check, ledger_tables, read, read_head
from tests.fixtures.databases import FreshDatabase

METADATA = MetaData()
TABLES = ledger_tables(METADATA)
HEADS, ENTRIES = TABLES.heads, TABLES.entries
NOON = datetime(2026, 3, 2, 4, 0, 0, 123456, tzinfo=UTC)
CASE = "0190c0de-0000-7000-8000-000000000001"
BODY = {"z": "查封房产一处", "a": [2, 1], "\U0001f600": None, "\ufb33": '\u0000\n"', "": True}


@pytest.fixture
async def engine(fresh_database: FreshDatabase) -> AsyncIterator[AsyncEngine]:
    engine = create_async_engine(await fresh_database(), pool_size=10)
    async with engine.begin() as conn:
        await conn.run_sync(METADATA.create_all)
    yield engine
    await engine.dispose()


async def appended(engine: AsyncEngine, count: int, chain_id: str = CASE) -> list[Entry]:
    async with engine.begin() as conn:
        return [
            await append(conn, TABLES, chain_id, NOON + timedelta(minutes=number), "act", {"number": number, **BODY})
            for number in range(1, count + 1)
        ]


async def checked(engine: AsyncEngine, chain_id: str = CASE) -> BrokenAt | None:
    async with engine.connect() as conn:
        return await check(conn, TABLES, chain_id)


async def tamper(engine: AsyncEngine, *statements: Any) -> None:
    async with engine.begin() as conn:
        for statement in statements:
            assert (await conn.execute(statement)).rowcount == 1


async def test_what_comes_back_is_what_was_linked(engine: AsyncEngine) -> None:
    entries = await appended(engine, 3)
    async with engine.connect() as conn:
        stored = await read(conn, TABLES, CASE)
        head = await read_head(conn, TABLES, CASE)
    assert stored == entries
    assert stored[0].body == {"number": 1, **BODY}
    assert verify(stored, genesis(CASE), head) is None
    assert await checked(engine) is None


async def test_reading_goes_page_by_page_and_chain_by_chain(engine: AsyncEngine) -> None:
    entries = await appended(engine, 5)
    await appended(engine, 2, "another")
    async with engine.connect() as conn:
        assert await read(conn, TABLES, CASE, limit=2) == entries[:2]
        assert await read(conn, TABLES, CASE, after=2, limit=2) == entries[2:4]
        assert await read(conn, TABLES, CASE, after=5) == []
        assert len(await read(conn, TABLES, "another")) == 2
        assert await read_head(conn, TABLES, "nobody") == genesis("nobody")
    assert await checked(engine, "another") is None
    assert await checked(engine, "nobody") is None


async def test_chains_longer_than_a_page_are_checked_to_the_end(engine: AsyncEngine) -> None:
    await appended(engine, 501)
    assert await checked(engine) is None
    await tamper(engine, update(ENTRIES).where(ENTRIES.c.position == 501).values(kind="note"))
    assert await checked(engine) == BrokenAt(501, Break.ALTERED)


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"at": NOON}, BrokenAt(3, Break.ALTERED)),
        ({"kind": "note"}, BrokenAt(3, Break.ALTERED)),
        ({"body": "{}"}, BrokenAt(3, Break.ALTERED)),
        ({"body": ENTRIES.c.body + " "}, BrokenAt(3, Break.ALTERED)),
        ({"previous": "0" * 64}, BrokenAt(3, Break.ALTERED)),
        ({"digest": "0" * 64}, BrokenAt(3, Break.ALTERED)),
        ({"position": 9}, BrokenAt(3, Break.MISSING)),
        ({"chain_id": "another"}, BrokenAt(3, Break.MISSING)),
    ],
)
async def test_each_changed_column_is_found(engine: AsyncEngine, change: dict[str, Any], found: BrokenAt) -> None:
    await appended(engine, 5)
    await tamper(engine, update(ENTRIES).where(ENTRIES.c.position == 3).values(change))
    assert await checked(engine) == found


@pytest.mark.parametrize("position", [1, 3, 5])
async def test_a_removed_row_is_found(engine: AsyncEngine, position: int) -> None:
    await appended(engine, 5)
    await tamper(engine, delete(ENTRIES).where(ENTRIES.c.position == position))
    why = Break.OTHER_HEAD if position == 5 else Break.MISSING
    assert await checked(engine) == BrokenAt(position, why)


async def test_swapped_rows_are_found(engine: AsyncEngine) -> None:
    await appended(engine, 5)
    moved = [(2, 99), (3, 2), (99, 3)]
    await tamper(engine, *(update(ENTRIES).where(ENTRIES.c.position == old).values(position=new) for old, new in moved))
    assert await checked(engine) == BrokenAt(2, Break.ALTERED)


async def test_a_cut_tail_is_found_by_the_head(engine: AsyncEngine) -> None:
    await appended(engine, 5)
    await tamper(engine, *(delete(ENTRIES).where(ENTRIES.c.position == position) for position in (4, 5)))
    assert await checked(engine) == BrokenAt(4, Break.OTHER_HEAD)


async def test_a_tail_cut_together_with_its_head_is_found_by_a_head_kept_elsewhere(engine: AsyncEngine) -> None:
    entries = await appended(engine, 3)
    rewound = update(HEADS).values(position=2, digest=entries[1].digest)
    await tamper(engine, delete(ENTRIES).where(ENTRIES.c.position == 3), rewound)
    assert await checked(engine) is None
    async with engine.connect() as conn:
        stored = await read(conn, TABLES, CASE)
    assert verify(stored, genesis(CASE), entries[-1].head) == BrokenAt(3, Break.OTHER_HEAD)


@pytest.mark.parametrize(
    ("change", "position"), [({"position": 2}, 3), ({"position": 9}, 4), ({"digest": "0" * 64}, 3)]
)
async def test_a_changed_head_is_found(engine: AsyncEngine, change: dict[str, Any], position: int) -> None:
    await appended(engine, 3)
    await tamper(engine, update(HEADS).values(change))
    assert await checked(engine) == BrokenAt(position, Break.OTHER_HEAD)


async def test_a_removed_head_is_found(engine: AsyncEngine) -> None:
    await appended(engine, 3)
    await tamper(engine, delete(HEADS))
    assert await checked(engine) == BrokenAt(1, Break.OTHER_HEAD)


async def test_concurrent_appenders_make_one_chain(engine: AsyncEngine) -> None:
    """Also on the chain's first entry, where there is no head to lock yet."""
    async with asyncio.TaskGroup() as group:
        for _ in range(8):
            group.create_task(appended(engine, 5))
    async with engine.connect() as conn:
        stored = await read(conn, TABLES, CASE)
    assert [entry.position for entry in stored] == list(range(1, 41))
    assert await checked(engine) is None


async def waits_for_a_lock(engine: AsyncEngine) -> bool:
    waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with engine.connect() as conn:
        return await conn.scalar(text(waiting)) is not None


async def an_appender_waits(engine: AsyncEngine) -> None:
    async with asyncio.timeout(10):
        while not await waits_for_a_lock(engine):
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("before", [0, 2])
async def test_a_second_appender_waits_and_a_rollback_leaves_no_gap(engine: AsyncEngine, before: int) -> None:
    await appended(engine, before)
    async with asyncio.TaskGroup() as group, engine.connect() as first:
        lost = await append(first, TABLES, CASE, NOON, "act", {"lost": True})
        second = group.create_task(appended(engine, 1))
        await an_appender_waits(engine)
        assert not second.done()
        await first.rollback()
    [kept] = second.result()
    assert kept.position == lost.position == before + 1
    assert await checked(engine) is None


async def test_another_chain_does_not_wait(engine: AsyncEngine) -> None:
    async with engine.connect() as first:
        await append(first, TABLES, CASE, NOON, "act", {})
        async with asyncio.timeout(10):
            await appended(engine, 1, "another")
        await first.rollback()
    assert await count(engine) == 1


async def test_a_refused_body_leaves_nothing(engine: AsyncEngine) -> None:
    with pytest.raises(BodyError):
        await one(engine, {"amount": 1.5})
    assert await count(engine) == 0
    assert await checked(engine) is None


async def one(engine: AsyncEngine, body: dict[str, Any]) -> Entry:
    async with engine.begin() as conn:
        return await append(conn, TABLES, CASE, NOON, "act", body)


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as conn:
        return int(await conn.scalar(select(func.count()).select_from(ENTRIES)) or 0)
