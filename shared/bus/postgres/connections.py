"""Connections whose every use is bounded in time and fails with the bus's own errors."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.bus.log import BusError, BusUnavailableError

CHANNEL = "bus"
_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a server that dies in mid-answer can leave asyncpg's own state astray
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
# Plans are short and known; compiling them would cost more than running them.
_SETTINGS = {"application_name": "yangguang-bus", "jit": "off"}


async def _keep(_: object) -> None:
    """Reset nothing between uses: none changes its session, and a reset costs as much as a read."""


class Connections:
    """A small pool. `timeout` in seconds bounds each use, the wait for a free connection included.

    The server ends a transaction that idles for `idle` seconds: a process that is frozen within one would otherwise
    keep its locks for as long as its connection lives.
    """

    def __init__(self, url: str, timeout: float, idle: float, size: int) -> None:
        self._url = url.replace("+asyncpg", "", 1)
        self._timeout = timeout
        self._size = size
        self._settings = _SETTINGS | {"idle_in_transaction_session_timeout": f"{int(idle * 1000)}ms"}
        self._pool: asyncpg.Pool | None = None

    async def open(self) -> None:
        """Make the pool, in the event loop that uses it; connections are made when they are needed."""
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._url,
                min_size=0,
                max_size=self._size,
                timeout=self._timeout,
                server_settings=self._settings,
                reset=_keep,
            )

    @asynccontextmanager
    async def use(self) -> AsyncIterator[PoolConnectionProxy]:
        """Lend a connection; BusUnavailableError when the server is away, BusError when it refuses."""
        if self._pool is None:
            raise BusUnavailableError("the log has not been started")
        try:
            async with asyncio.timeout(self._timeout), _borrow(self._pool) as connection:
                yield connection
        except _AWAY as fault:
            raise BusUnavailableError(f"the log's database is away: {type(fault).__name__}") from fault
        except asyncpg.PostgresError as fault:
            raise BusError(f"the log's database refused: {type(fault).__name__}") from fault

    async def listen(self, heard: Callable[..., Any]) -> None:
        """Call `heard` for each notification, on a connection of its own; return when that breaks."""
        broken = asyncio.Event()
        async with asyncio.timeout(self._timeout):
            connection = await asyncpg.connect(self._url, timeout=self._timeout, server_settings=_SETTINGS)
        try:
            connection.add_termination_listener(lambda _: broken.set())
            async with asyncio.timeout(self._timeout):
                await connection.add_listener(CHANNEL, heard)
            await broken.wait()
        finally:
            connection.terminate()

    async def close(self) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(self._timeout):
                await pool.close()
        except (TimeoutError, OSError, asyncpg.InterfaceError):
            pool.terminate()


@asynccontextmanager
async def _borrow(pool: asyncpg.Pool) -> AsyncIterator[PoolConnectionProxy]:
    connection = await pool.acquire()
    try:
        yield connection
    except BaseException:
        # Whatever broke off may still run on the server; to return such a connection could wait for it.
        connection.terminate()
        raise
    finally:
        await pool.release(connection)
