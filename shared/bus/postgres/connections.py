"""Connections whose every use is bounded in time and fails with the bus's own errors."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg

from shared.bus.log import BusError, BusUnavailableError

if TYPE_CHECKING:
    from asyncpg.pool import PoolConnectionProxy

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
)
# Plans are short and known; compiling them would cost more than running them.
_SETTINGS = {"application_name": "yangguang-bus", "jit": "off"}


class Connections:
    """A small pool. `timeout` in seconds bounds each use, the wait for a free connection included."""

    def __init__(self, url: str, timeout: float, size: int) -> None:
        self._url = url.replace("+asyncpg", "", 1)
        self._timeout = timeout
        self._pool = asyncpg.create_pool(
            self._url, min_size=0, max_size=size, timeout=timeout, server_settings=_SETTINGS
        )

    @asynccontextmanager
    async def use(self) -> AsyncIterator["PoolConnectionProxy"]:
        """Lend a connection; BusUnavailableError when the server is away, BusError when it refuses."""
        try:
            async with asyncio.timeout(self._timeout), self._borrow() as connection:
                yield connection
        except _AWAY as fault:
            raise BusUnavailableError(f"the log's database is away: {type(fault).__name__}") from fault
        except asyncpg.PostgresError as fault:
            raise BusError(f"the log's database refused: {type(fault).__name__}") from fault

    async def listen(self, channel: str, heard: "asyncpg.connection.Listener") -> asyncpg.Connection:
        """Return a connection of its own that calls `heard` for each notification."""
        async with asyncio.timeout(self._timeout):
            connection = await asyncpg.connect(self._url, timeout=self._timeout, server_settings=_SETTINGS)
            await connection.add_listener(channel, heard)
        return connection

    async def close(self) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                await self._pool.close()
        except TimeoutError:
            self._pool.terminate()

    @asynccontextmanager
    async def _borrow(self) -> AsyncIterator["PoolConnectionProxy"]:
        await self._pool
        connection = await self._pool.acquire()
        try:
            yield connection
        except BaseException:
            # Whatever broke off may still run on the server; to return such a connection could wait for it.
            connection.terminate()
            raise
        finally:
            await self._pool.release(connection)
