"""Connections to the mail server: at most so many, reused while fresh, cut off when anything went wrong."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from aiosmtplib import SMTP, SMTPException

IDLE_SECONDS = 30.0
_QUIT_SECONDS = 2.0


class Tls(StrEnum):
    """How the connection is protected."""

    NONE = "none"
    STARTTLS = "starttls"
    TLS = "tls"


@dataclass(frozen=True)
class MailServer:
    """Where and as whom to hand mail over; `helo` is our own name, `ca_file` an authority besides the usual ones."""

    host: str
    port: int
    tls: Tls = Tls.TLS
    username: str | None = None
    password: str | None = None
    helo: str = "localhost"
    ca_file: str | None = None


@dataclass
class Lease:
    """One connection in use. It goes back to the pool only if `clean` is set at the end."""

    client: SMTP
    reused: bool
    clean: bool = False


class SmtpPool:
    """At most `size` connections at once; `timeout` seconds bound each step on one."""

    def __init__(self, server: MailServer, size: int, timeout: float) -> None:
        self._server = server
        self._timeout = timeout
        self._slots = asyncio.Semaphore(size)
        self._idle: list[tuple[SMTP, float]] = []

    @contextlib.asynccontextmanager
    async def slot(self) -> AsyncIterator[None]:
        """The right to hold one connection."""
        async with self._slots:
            yield

    @contextlib.asynccontextmanager
    async def lease(self, *, fresh: bool = False) -> AsyncIterator[Lease]:
        """A connection that has said EHLO: an idle one if there is, unless `fresh` is asked for."""
        client = None if fresh else self._take_idle()
        lease = Lease(client or await self._open(), reused=client is not None)
        try:
            yield lease
        finally:
            if lease.clean and lease.client.is_connected:
                self._idle.append((lease.client, asyncio.get_running_loop().time()))
            else:
                _cut(lease.client)

    async def close(self) -> None:
        """Say QUIT on the idle connections and close them."""
        idle, self._idle = self._idle, []
        for client, _ in idle:
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=_QUIT_SECONDS)
            _cut(client)

    def _take_idle(self) -> SMTP | None:
        oldest = asyncio.get_running_loop().time() - IDLE_SECONDS
        while self._idle:
            client, since = self._idle.pop()
            if client.is_connected and since > oldest:
                return client
            _cut(client)
        return None

    async def _open(self) -> SMTP:
        server = self._server
        client = SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls is Tls.TLS,
            start_tls=server.tls is Tls.STARTTLS,
            username=server.username,
            password=server.password,
            local_hostname=server.helo,
            cert_bundle=server.ca_file,
            timeout=self._timeout,
        )
        try:
            await client.connect()
            if client.is_ehlo_or_helo_needed:
                await client.ehlo()
        except BaseException:
            _cut(client)
            raise
        return client


def _cut(client: SMTP) -> None:
    """Close at once: what the socket has not taken yet must not leave behind our back."""
    transport = client.transport
    client.close()
    if transport is not None:
        cast(asyncio.WriteTransport, transport).abort()
