"""One moment for several databases: connections that all see the same past, though each database is its own.

Services owe each other order: a projection must never know more than its source. So the databases are looked at
between two writes: for a moment nobody may write anywhere, and in that moment each connection takes its snapshot.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg

_POLITE, _FIRM = "300ms", "5s"
"""For a lock. The first is shorter than PostgreSQL looks for deadlocks (1 s): we step back, nobody else is hit. With
the second a writer may be the victim, whose act is tried again: better than no backup of a court that is never idle."""
_PAUSES = (0.05, 0.1, 0.2, 0.4)
_PASSING = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)


class BackupError(Exception):
    """It cannot be kept or brought back; the message says in Chinese why and what to do."""


@dataclass(frozen=True)
class Cut:
    """Read-only connections by database, all of one moment; `pause` is for how many seconds nobody could write."""

    readers: Mapping[str, asyncpg.Connection]
    pause: float


def plain(url: str) -> str:
    """The URL as asyncpg takes it."""
    return url.replace("+asyncpg", "", 1)


@asynccontextmanager
async def cut(urls: Mapping[str, str], patience: float = 120.0, politeness: float = 15.0) -> AsyncIterator[Cut]:
    """Take the moment. `patience`: seconds for which a busy product is tried, `politeness`: how many of them politely.

    Raises BackupError.
    """
    async with AsyncExitStack() as stack:
        lockers = [await _connect(stack, url) for url in urls.values()]
        readers = {name: await _connect(stack, url) for name, url in urls.items()}
        tries, begun = 0, time.monotonic()
        deadline, firm = begun + patience, begun + politeness
        while True:
            try:
                begun = time.monotonic()
                wait = _POLITE if begun < firm else _FIRM
                await _between_writes(lockers, list(readers.values()), wait)
                break
            except _PASSING:
                if time.monotonic() > deadline:
                    raise BackupError(
                        f"系统在 {patience:.0f} 秒内没有空隙，备份没有进行。请稍后再试，或在夜间备份。"
                    ) from None
                await asyncio.sleep(_PAUSES[min(tries, len(_PAUSES) - 1)])
                tries += 1
        yield Cut(readers, time.monotonic() - begun)


async def _connect(stack: AsyncExitStack, url: str) -> asyncpg.Connection:
    connection = await asyncpg.connect(plain(url), timeout=30)
    stack.push_async_callback(connection.close)
    return connection


async def _between_writes(lockers: list[asyncpg.Connection], readers: list[asyncpg.Connection], wait: str) -> None:
    """Hold every writer of every database for as long as the snapshots take."""
    async with AsyncExitStack() as held:
        for locker in lockers:
            await held.enter_async_context(locker.transaction())
            await locker.execute(f"SET LOCAL lock_timeout = '{wait}'")
            tables = await tables_of(locker)
            if tables:
                await locker.execute(f"LOCK TABLE {', '.join(map(quoted, tables))} IN SHARE MODE")
        for reader in readers:
            await reader.execute("ROLLBACK")
            await reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            await reader.fetchval("SELECT count(*) FROM pg_class")  # the first query takes the snapshot


async def tables_of(connection: asyncpg.Connection) -> list[str]:
    """Every table of ours, in the order of their names."""
    rows = await connection.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    return [row["tablename"] for row in rows]


def quoted(name: str) -> str:
    """A name as SQL takes it; ours hold no quotation mark."""
    return f'public."{name}"'
