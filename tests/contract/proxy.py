"""A TCP proxy on the loopback that a test can cut or freeze."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Proxy:
    """Forwards to 127.0.0.1:`target`. The port stays the same over cut() and mend()."""

    def __init__(self) -> None:
        self.port = 0
        self.target = 0
        self._server: asyncio.Server | None = None
        self._open = asyncio.Event()
        self._writers: set[asyncio.StreamWriter] = set()
        self._serving: set[asyncio.Task[None] | None] = set()

    async def start(self, target: int) -> None:
        self.target = target
        await self.mend()

    async def mend(self) -> None:
        """Listen again, and let everything through."""
        if self._server is None:
            self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self._server.sockets[0].getsockname()[1]
        self._open.set()

    @asynccontextmanager
    async def outage(self, how: str) -> AsyncIterator[None]:
        """`cut` or `freeze` for the time of the block."""
        await (self.cut() if how == "cut" else self.freeze())
        try:
            yield
        finally:
            await self.mend()

    async def cut(self) -> None:
        """Break every connection and refuse new ones."""
        server, self._server = self._server, None
        if server is not None:
            server.close()
        self._open.set()
        for writer in list(self._writers):
            writer.transport.abort()
        if serving := {task for task in self._serving if task is not None}:
            await asyncio.wait(serving, timeout=5)

    async def freeze(self) -> None:
        """Keep and take connections, and let nothing through: the peer is there and never answers."""
        self._open.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        self._serving.add(asyncio.current_task())
        try:
            await self._open.wait()
            there, back = await asyncio.open_connection("127.0.0.1", self.target)
            self._writers.add(back)
            await asyncio.gather(self._pump(reader, back), self._pump(there, writer))
        except OSError:
            writer.transport.abort()
        finally:
            self._serving.discard(asyncio.current_task())

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                await self._open.wait()
                writer.write(data)
                await writer.drain()
        self._writers.discard(writer)
        writer.close()
