"""Servers that speak HTTP or SMTP over raw sockets, cut or stall at a chosen byte, and remember what they took."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

How = Literal["fin", "rst", "stall"]
AT_ONCE = 24
HOWS: tuple[How, ...] = ("fin", "rst", "stall")
SMTP_REPLIES = {
    "banner": b"220 witness ESMTP\r\n",
    "ehlo": b"250-witness\r\n250-DSN\r\n250 SIZE 1000000\r\n",
    "mail": b"250 2.1.0 Ok\r\n",
    "rcpt": b"250 2.1.5 Ok\r\n",
    "data": b"354 End data\r\n",
    "end": b"250 2.0.0 Ok: queued as 7\r\n",
}
VERBS = {b"EHLO": "ehlo", b"MAIL": "mail", b"RCPT": "rcpt", b"RSET": "rset", b"NOOP": "rset", b"DATA": "data"}
SMTP_REPLIES["rset"] = b"250 2.0.0 Ok\r\n"


@dataclass(frozen=True)
class Cut:
    """End the line (or fall silent) after `at` bytes of the request, or of the reply at `step`."""

    side: Literal["request", "reply"]
    at: int
    how: How
    step: str = "end"
    on_message: int = 1  # which message of the connection is struck


@dataclass
class Witness:
    """What the server side saw: bytes of messages, whole messages, connections, and whether a reply went out whole."""

    seen: int = 0
    taken: list[bytes] = field(default_factory=list)
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    replied: int = 0


class _Over(Exception):  # noqa: N818
    """The script has ended this connection."""


class Line:
    """One connection, its script and its witness."""

    def __init__(self, streams: tuple[asyncio.StreamReader, asyncio.StreamWriter], cut: Cut | None) -> None:
        self.reader, self.writer = streams
        self.cut = cut
        self.message = 1

    def struck(self, side: str, step: str = "end") -> int | None:
        cut = self.cut
        if cut is None or (cut.side, cut.step, cut.on_message) != (side, step, self.message):
            return None
        return cut.at

    async def reply(self, content: bytes, step: str = "end") -> None:
        at = self.struck("reply", step)
        self.writer.write(content if at is None else content[:at])
        await self.writer.drain()
        if at is not None:
            await self.end()

    async def end(self) -> None:
        assert self.cut is not None
        if self.cut.how == "rst":
            sock = self.writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.writer.transport.abort()
            raise _Over
        if self.cut.how == "fin":
            self.writer.write_eof()
        while await self.reader.read(65536):
            pass
        raise _Over


class CuttingServer:
    """Base of both servers: counts connections, runs one script per connection, forgets nothing."""

    def __init__(self, cut: Cut | None = None) -> None:
        self.cut = cut
        self.witness = Witness()

    @contextlib.asynccontextmanager
    async def listening(self, port: int = 0) -> AsyncIterator[int]:
        server = await asyncio.start_server(self._connection, "127.0.0.1", port)
        try:
            yield server.sockets[0].getsockname()[1]
        finally:
            server.close()
            await server.wait_closed()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        witness = self.witness
        witness.connections += 1
        witness.open_now += 1
        witness.most_open = max(witness.most_open, witness.open_now)
        try:
            await self.speak(Line((reader, writer), self.cut))
        except (_Over, OSError, asyncio.IncompleteReadError):
            pass
        finally:
            witness.open_now -= 1
            writer.close()

    async def speak(self, line: Line) -> None:
        raise NotImplementedError


class HttpServer(CuttingServer):
    """Reads requests with a Content-Length, takes each that is whole, and gives the same reply."""

    def __init__(self, reply: bytes, cut: Cut | None = None, *, close: bool = False) -> None:
        super().__init__(cut)
        self.reply = reply
        self.close = close

    async def speak(self, line: Line) -> None:
        while True:
            self.witness.taken.append(await self._request(line))
            await line.reply(self.reply)
            self.witness.replied += 1
            if self.close:
                return
            line.message += 1

    async def _request(self, line: Line) -> bytes:
        at = line.struck("request")
        if at is not None:
            part = await line.reader.readexactly(at)
            self.witness.seen += len(part)
            await line.end()
        head = await line.reader.readuntil(b"\r\n\r\n")
        length = next(
            int(row.split(b":")[1]) for row in head.split(b"\r\n") if row.lower().startswith(b"content-length")
        )
        body = await line.reader.readexactly(length)
        self.witness.seen += len(head) + len(body)
        return head + body


class SmtpServer(CuttingServer):
    """Takes each mail whose content ended; `seen` counts bytes of content.

    `answers` replaces replies by step, or for the n-th mail of a connection by `step@n`.
    """

    def __init__(self, cut: Cut | None = None, answers: dict[str, bytes] | None = None) -> None:
        super().__init__(cut)
        self.replies = {**SMTP_REPLIES, **(answers or {})}
        self.commands: list[bytes] = []

    async def speak(self, line: Line) -> None:
        await line.reply(self.replies["banner"], "banner")
        while command := await line.reader.readline():
            self.commands.append(command.rstrip())
            step = VERBS.get(command[:4].upper())
            if step is None:
                await line.reply(b"221 2.0.0 Bye\r\n", "quit")
                return
            await line.reply(self.replies.get(f"{step}@{line.message}", self.replies[step]), step)
            if step == "data" and self.replies["data"].startswith(b"354"):
                await self._content(line)

    async def _content(self, line: Line) -> None:
        at = line.struck("request")
        if at is not None:
            part = await line.reader.readexactly(at)
            self.witness.seen += len(part)
            await line.end()
        content = await line.reader.readuntil(b"\r\n.\r\n")
        self.witness.seen += len(content)
        if self.replies["end"].startswith(b"250"):
            self.witness.taken.append(content)
        await line.reply(self.replies["end"], "end")
        self.witness.replied += 1
        line.message += 1


async def each(cases: Sequence[Cut], run: Callable[[Cut], Awaitable[None]]) -> None:
    """All cases, some at a time; the first that fails ends the test."""
    room = asyncio.Semaphore(AT_ONCE)

    async def one(case: Cut) -> None:
        async with room:
            await run(case)

    async with asyncio.TaskGroup() as group:
        for case in cases:
            group.create_task(one(case))


def make_certificate(folder: Path) -> tuple[str, str]:
    """A self-signed certificate for 127.0.0.1 and its key, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "witness")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=36500))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "cert.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return str(paths[0]), str(paths[1])
