"""Mail by SMTP, command by command (RFC 5321): the step reached and the server's own replies decide, nothing else.

Before DATA no content has left; a cut or a time-out inside DATA leaves the outcome open; an explicit 4xx or 5xx reply,
wherever it comes, means "not accepted". Delivery status notifications (RFC 3461) where the server offers them.
"""

import asyncio
import logging
import re
from dataclasses import dataclass, replace

from aiosmtplib import SMTP, SMTPException, SMTPResponseException

from services.party_notification.channels.addresses import on_the_wire
from services.party_notification.channels.mail_replies import Step, judge
from services.party_notification.channels.outcome import Outcome, Refused, Scope, Sent
from services.party_notification.channels.smtp_pool import Lease, MailServer, SmtpPool, Tls

__all__ = ["MailEnvelope", "MailServer", "Mailer", "Tls"]

log = logging.getLogger(__name__)

_ADDRESS = re.compile(r"[!-;=?A-~]+@[!-;=?A-~]+")  # printable ASCII without <, > and a second @
_CLOSING = 421


def is_sendable(address: str) -> bool:
    """Whether an address on the wire can stand in RCPT without SMTPUTF8."""
    return _ADDRESS.fullmatch(address) is not None


@dataclass(frozen=True)
class MailEnvelope:
    """One mail to one recipient. `raw` is ready for DATA; `envid` comes back in bounces."""

    sender: str
    recipient: str
    message_id: str
    raw: bytes
    envid: str


class Mailer:
    """Hands mails to one server over at most `connections` connections; `timeout` seconds bound each send."""

    def __init__(self, server: MailServer, connections: int, timeout: float) -> None:
        self._pool = SmtpPool(server, connections, timeout)
        self._timeout = timeout

    async def send(self, envelope: MailEnvelope) -> Outcome:
        """Hand one mail over. A send that is cancelled must be taken as Unknown."""
        envelope = replace(envelope, recipient=on_the_wire(envelope.recipient))
        if not is_sendable(envelope.recipient):
            return Refused("553 5.1.3", "邮箱地址不合法，未发送。", Scope.RECIPIENT)
        exchange = _Exchange(envelope, self._timeout)
        try:
            async with asyncio.timeout(self._timeout), self._pool.slot():
                return await exchange.run(self._pool)
        except Exception as exc:  # noqa: BLE001 - whatever went wrong, the step that was reached decides
            log.warning("mail not handed over", extra={"error": type(exc).__name__, "step": exchange.step})
            return judge(exc, exchange.step)

    async def close(self) -> None:
        """Close the idle connections."""
        await self._pool.close()


class _Exchange:
    """One mail's way through MAIL, RCPT and DATA; `step` tells how far it has come."""

    def __init__(self, envelope: MailEnvelope, timeout: float) -> None:
        self._envelope = envelope
        self._probe = timeout / 3  # an idle connection gets this long to show that it lives
        self.step = Step.CONNECT

    async def run(self, pool: SmtpPool) -> Outcome:
        """Send on an idle connection, or on a new one if that turns out dead at MAIL, when nothing has left yet."""
        async with pool.lease() as lease:
            if await self._begin(lease):
                return await self._finish(lease)
        self.step = Step.CONNECT
        async with pool.lease(fresh=True) as lease:
            await self._begin(lease)
            return await self._finish(lease)

    async def _begin(self, lease: Lease) -> bool:
        """Open the transaction. False: a reused connection is dead or being closed."""
        self.step = Step.MAIL
        try:
            await lease.client.mail(
                self._envelope.sender,
                options=self._mail_options(lease.client),
                timeout=self._probe if lease.reused else None,
            )
        except SMTPResponseException as exc:
            if lease.reused and exc.code in {_CLOSING, -1}:
                return False
            await self._reset(lease)
            raise
        except SMTPException:
            if lease.reused:
                return False
            raise
        return True

    async def _finish(self, lease: Lease) -> Outcome:
        try:
            self.step = Step.RCPT
            await lease.client.rcpt(self._envelope.recipient, options=self._rcpt_options(lease.client))
            self.step = Step.DATA
            reply = await lease.client.data(self._envelope.raw)
        except SMTPResponseException:
            await self._reset(lease)
            raise
        lease.clean = True
        return Sent(reply.message)

    async def _reset(self, lease: Lease) -> None:
        """After a refusal the connection is good again once the server has forgotten the transaction."""
        try:
            await lease.client.rset(timeout=self._probe)
        except (SMTPException, OSError):
            return
        lease.clean = True

    def _mail_options(self, client: SMTP) -> list[str]:
        options = [f"SIZE={len(self._envelope.raw)}"] if client.supports_extension("size") else []
        if client.supports_extension("dsn"):
            options += ["RET=HDRS", f"ENVID={xtext(self._envelope.envid)}"]
        return options

    def _rcpt_options(self, client: SMTP) -> list[str]:
        return ["NOTIFY=SUCCESS,FAILURE,DELAY"] if client.supports_extension("dsn") else []


def xtext(text: str) -> str:
    """RFC 3461 4: printable ASCII stands for itself, except + and =, which become +HH."""
    return "".join(chr(b) if 33 <= b <= 126 and b not in b"+=" else f"+{b:02X}" for b in text.encode())
