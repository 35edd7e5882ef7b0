"""A mail server that stores each mail before it answers 250, with scriptable faults. It runs in the caller's loop.

It offers DSN (RFC 3461): RET, ENVID, NOTIFY and ORCPT are read and kept with the mail.
"""

import asyncio
import logging
import re
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, cast

from aiosmtpd.smtp import SMTP, Envelope, Session

from services.sandbox.domain.faults import FaultBook, MailFault, MailStage

MAX_SIZE = 33_554_432
_DSN = re.compile(r" (RET|ENVID|NOTIFY|ORCPT)=(\S+)", re.IGNORECASE)
_ADDRESS = re.compile(r"<([^>]*)>")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class StoredMail:
    """One mail as received; `dsn` holds the delivery-status options, by upper-case name."""

    sender: str
    recipients: Sequence[str]
    raw: bytes
    dsn: dict[str, str]


Store = Callable[[StoredMail], Awaitable[None]]


class SandboxMail:
    """The server; `store` has kept the mail when it returns."""

    def __init__(self, store: Store, faults: FaultBook) -> None:
        self._store = store
        self._faults = faults
        self._socket: socket.socket | None = None
        self._server: asyncio.Server | None = None
        self._open: set[_Connection] = set()

    def bind(self, host: str, port: int) -> int:
        """Take the port (a free one for 0) and give it; whoever calls waits until `serve`. Raises OSError."""
        self._socket = socket.create_server((host, port))
        return int(self._socket.getsockname()[1])

    async def serve(self) -> None:
        """Answer at the port that was taken; nothing more when it already does."""
        if self._server is None and self._socket is not None:
            logging.getLogger("mail.log").setLevel(logging.WARNING)  # below that, the library logs addresses
            loop = asyncio.get_running_loop()
            self._server = await loop.create_server(self._connection, sock=self._socket)

    async def start(self, host: str, port: int) -> int:
        """Bind and serve."""
        bound = self.bind(host, port)
        await self.serve()
        return bound

    async def close(self) -> None:
        """Stop listening and cut what is still open."""
        if self._server is not None:
            self._server.close()
            for connection in list(self._open):
                connection.cut()
            await self._server.wait_closed()
        elif self._socket is not None:
            self._socket.close()

    def _connection(self) -> "_Connection":
        return _Connection(self._store, self._faults, self._open)


class _Connection(SMTP):
    """One client's session, with faults between its steps."""

    def __init__(self, store: Store, faults: FaultBook, open_: "set[_Connection]") -> None:
        self._faults = faults
        self._open = open_
        self._dsn: dict[str, str] = {}
        handler = _Handler(self, store, faults)
        super().__init__(
            handler,
            data_size_limit=MAX_SIZE,
            hostname="sandbox.local",
            ident="ESMTP",
            loop=asyncio.get_running_loop(),
        )

    @property
    def dsn(self) -> dict[str, str]:
        return dict(self._dsn)

    def cut(self) -> None:
        """Close the line at once, with a reset where the peer has written more."""
        if self.transport is not None:
            cast(asyncio.WriteTransport, self.transport).abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._open.add(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        self._open.discard(self)
        super().connection_lost(error)

    async def _handle_client(self) -> None:
        if await self.passes("connect"):
            await super()._handle_client()

    async def smtp_MAIL(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        self._dsn = {}
        if await self.passes("mail"):
            await super().smtp_MAIL(self._without_dsn(arg))

    async def smtp_RCPT(self, arg: str | None) -> None:  # noqa: N802 - the library's name
        if await self.passes("rcpt", _ADDRESS.findall(arg or "")):
            await super().smtp_RCPT(self._without_dsn(arg))

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 - the library's name
        recipients = cast(Envelope, self.envelope).rcpt_tos
        fault = self._faults.mail("data_start", recipients) if recipients else None
        if fault is not None and fault.kind == "cut":
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._reader.read(1)
            self.cut()
        elif await self.goes_on(fault):
            await super().smtp_DATA(arg)

    async def passes(self, at: MailStage, recipients: Sequence[str] = ()) -> bool:
        """Let the faults of this stage happen; whether the session goes on with it."""
        return await self.goes_on(self._faults.mail(at, recipients))

    async def goes_on(self, fault: MailFault | None) -> bool:
        if fault is None:
            return True
        if fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
            return True
        if fault.kind == "cut":
            self.cut()
        else:
            await self.push(fault.reply)
        return False

    def _without_dsn(self, arg: str | None) -> str | None:
        """The library refuses options that it does not know; they are kept aside."""
        if arg is None:
            return None
        self._dsn.update({name.upper(): value for name, value in _DSN.findall(arg)})
        return _DSN.sub("", arg)


class _Handler:
    """The library's hooks: the extensions offered, and the end of the content."""

    def __init__(self, connection: _Connection, store: Store, faults: FaultBook) -> None:
        self._connection = connection
        self._store = store
        self._faults = faults

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        cast(Any, session).host_name = hostname
        return [*responses[:-1], "250-DSN", responses[-1]]

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        recipients = list(envelope.rcpt_tos)
        fault = self._faults.mail("data_end", recipients)
        if fault is not None and fault.kind == "refuse":
            return fault.reply
        if fault is None or fault.committed:
            await self._keep(envelope, recipients)
        if fault is not None and fault.kind == "delay":
            await asyncio.sleep(fault.seconds)
        if fault is not None and (fault.kind == "cut" or not fault.committed):
            self._connection.cut()
        return "250 2.0.0 OK: queued"

    async def handle_exception(self, error: Exception) -> str:
        """A mail that could not be stored is not accepted, and may come again."""
        log.error("mail not stored: %s", type(error).__name__)
        return "451 4.3.0 local error"

    async def _keep(self, envelope: Envelope, recipients: Sequence[str]) -> None:
        content = envelope.original_content or b""
        mail = StoredMail(envelope.mail_from or "", recipients, content, self._connection.dsn)
        await self._store(mail)
