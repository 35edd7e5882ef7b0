"""What PostgreSQL and its driver really raise, as the HTTP edge understands it."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.http.refusals import as_refusal
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.running import free_port


@pytest.fixture
async def engine(fresh_database: FreshDatabase) -> AsyncIterator[AsyncEngine]:
    made = create_async_engine(await fresh_database(), pool_size=1, max_overflow=0, pool_timeout=0.05)
    async with made.begin() as conn:
        await conn.execute(text("CREATE TABLE t (id bigint PRIMARY KEY, word varchar(4) CHECK (word <> 'no'))"))
        await conn.execute(text("INSERT INTO t VALUES (1, 'a')"))
    yield made
    await made.dispose()


async def _status(engine: AsyncEngine, statement: str, **values: object) -> tuple[int, str]:
    """What becomes of a statement."""
    try:
        async with engine.begin() as conn:
            await conn.execute(text(statement).bindparams(*(bindparam(name) for name in values)), values)
    except Exception as error:  # noqa: BLE001 - whatever it is, the edge has an answer
        refusal = as_refusal(error)
        return refusal.status, refusal.code
    return 200, "done"


INSERT = "INSERT INTO t VALUES (:id, :word)"


@pytest.mark.parametrize(
    ("id_", "word", "expected"),
    [
        (2, "b", (200, "done")),
        (2, "a\x00", (422, "invalid")),
        (2, "\ud800", (422, "invalid")),
        (2, "too long", (422, "invalid")),
        (2**64, "b", (422, "invalid")),
        ("x", "b", (422, "invalid")),
        (1, "b", (409, "busy")),
        (2, "no", (500, "unexpected")),
    ],
)
async def test_a_value_that_does_not_fit(
    engine: AsyncEngine, id_: object, word: str, expected: tuple[int, str]
) -> None:
    assert await _status(engine, INSERT, id=id_, word=word) == expected


async def test_a_lock_that_is_not_had_in_time(engine: AsyncEngine) -> None:
    other = create_async_engine(engine.url, connect_args={"server_settings": {"lock_timeout": "50"}})
    async with engine.begin() as conn:
        await conn.execute(text("SELECT * FROM t FOR UPDATE"))
        assert await _status(other, "UPDATE t SET word = 'c'") == (409, "busy")
    await other.dispose()


async def test_a_pool_that_is_used_up(engine: AsyncEngine) -> None:
    async with engine.connect():
        assert await _status(engine, "SELECT 1") == (503, "database_away")


async def test_a_connection_that_is_cut(engine: AsyncEngine) -> None:
    assert await _status(engine, "SELECT pg_terminate_backend(pg_backend_pid())") == (503, "database_away")
    assert await _status(engine, "SELECT 1") == (200, "done")


async def test_a_server_that_is_away(engine: AsyncEngine) -> None:
    away = create_async_engine(engine.url.set(port=free_port()))
    assert await _status(away, "SELECT 1") == (503, "database_away")
    await away.dispose()


async def test_a_server_that_takes_no_more(engine: AsyncEngine) -> None:
    other = create_async_engine(engine.url)
    async with engine.begin() as conn:
        await conn.execute(text(f'ALTER DATABASE "{engine.url.database}" CONNECTION LIMIT 1'))
    async with engine.connect():
        assert await _status(other, "SELECT 1") == (503, "database_away")
    await other.dispose()
