"""What the mail server says decides the outcome; addresses, delivery notifications, and connections used again."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from services.party_notification.channels.mail import MailEnvelope, Mailer, MailServer, Tls
from services.party_notification.channels.outcome import NotLeft, Outcome, Refused, Scope, Sent, Throttled, Unknown
from tests.service.cutting import SMTP_REPLIES, Cut, CuttingServer, SmtpServer

LONG, SHORT = 20.0, 0.3  # seconds: for cases that must not time out, and for those that must
MAIL = MailEnvelope("court@example.cn", "party@example.cn", "<1@example.cn>", b"Subject: x\r\n\r\nbody\r\n", "n=1")


async def send_mail(port: int) -> Outcome:
    mailer = Mailer(MailServer("127.0.0.1", port, Tls.NONE), 1, LONG)
    try:
        return await mailer.send(MAIL)
    finally:
        await mailer.close()


REFUSALS = [
    ({"banner": b"554 no service\r\n"}, NotLeft, None),
    ({"banner": b"421 busy\r\n"}, Throttled, None),
    ({"mail": b"550 5.7.1 sender not allowed\r\n"}, Refused, Scope.ACCOUNT),
    ({"mail": b"552 5.3.4 too big\r\n"}, Refused, Scope.MESSAGE),
    ({"rcpt": b"550 5.1.1 <party@example.cn> unknown\r\n"}, Refused, Scope.RECIPIENT),
    ({"rcpt": b"550 no such user\r\n"}, Refused, Scope.RECIPIENT),
    ({"rcpt": b"554 5.7.1 relay access denied\r\n"}, Refused, Scope.MESSAGE),
    ({"rcpt": b"450 4.2.0 greylisted\r\n"}, Throttled, None),
    ({"data": b"451 4.3.0 later\r\n"}, Throttled, None),
    ({"data": b"554 5.5.1 no\r\n"}, Refused, Scope.MESSAGE),
    ({"end": b"452 4.3.1 full\r\n"}, Throttled, None),
    ({"end": b"554 5.7.1 spam\r\n"}, Refused, Scope.MESSAGE),
    ({"end": b"what?\r\n"}, Unknown, None),
    ({"end": b"354 go on\r\n"}, Unknown, None),
    ({"mail": b"what?\r\n"}, NotLeft, None),
]


@pytest.mark.parametrize(("answers", "kind", "scope"), REFUSALS)
async def test_mail_servers_own_words_decide(answers, kind, scope):
    server = SmtpServer(answers=answers)
    async with server.listening() as port:
        outcome = await send_mail(port)
    assert isinstance(outcome, kind)
    assert not server.witness.taken
    if isinstance(outcome, Refused):
        assert outcome.scope is scope
        assert "party@" not in outcome.reason


@pytest.mark.parametrize("recipient", ["", "a", "a@", "a@b\r\nRCPT TO:<c@d>", "a b@c", "<a@b>", "a@b@c", "张@例.cn"])
async def test_mail_address_that_is_none_is_refused_here(recipient):
    envelope = MailEnvelope(MAIL.sender, recipient, MAIL.message_id, MAIL.raw, MAIL.envid)
    outcome = await Mailer(MailServer("127.0.0.1", 1, Tls.NONE), 1, LONG).send(envelope)
    assert isinstance(outcome, Refused)
    assert outcome.scope is Scope.RECIPIENT


async def test_mail_asks_for_delivery_notifications_where_offered():
    server = SmtpServer()
    async with server.listening() as port:
        await send_mail(port)
    assert f"MAIL FROM:<court@example.cn> SIZE={len(MAIL.raw)} RET=HDRS ENVID=n+3D1".encode() in server.commands
    assert b"RCPT TO:<party@example.cn> NOTIFY=SUCCESS,FAILURE,DELAY" in server.commands
    plain = SmtpServer(answers={"ehlo": b"250 witness\r\n"})
    async with plain.listening() as port:
        await send_mail(port)
    assert b"MAIL FROM:<court@example.cn>" in plain.commands


@contextlib.asynccontextmanager
async def mailing(server: CuttingServer, connections: int = 1) -> AsyncIterator[Mailer]:
    async with server.listening() as port:
        mailer = Mailer(MailServer("127.0.0.1", port, Tls.NONE), connections, LONG)
        yield mailer
        await mailer.close()


async def test_mail_connection_is_used_again_also_after_a_refusal():
    server = SmtpServer()
    async with mailing(server) as mailer:
        for _ in range(3):
            assert isinstance(await mailer.send(MAIL), Sent)
        server.replies["rcpt"] = b"550 5.1.1 unknown\r\n"
        assert isinstance(await mailer.send(MAIL), Refused)
        server.replies["rcpt"] = SMTP_REPLIES["rcpt"]
        assert isinstance(await mailer.send(MAIL), Sent)
    assert (server.witness.connections, len(server.witness.taken)) == (1, 4)
    assert b"RSET" in server.commands


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_mail_idle_connection_that_is_dead_at_mail_is_replaced(how):
    server = SmtpServer(Cut("reply", 0, how, "mail", on_message=2))
    async with mailing(server) as mailer:
        assert isinstance(await mailer.send(MAIL), Sent)
        assert isinstance(await mailer.send(MAIL), Sent)
    assert (server.witness.connections, len(server.witness.taken)) == (2, 2)


async def test_mail_idle_connection_closed_with_421_is_replaced():
    server = SmtpServer(answers={"mail@2": b"421 4.4.2 idle too long\r\n"})
    async with mailing(server) as mailer:
        assert [type(await mailer.send(MAIL)) for _ in range(2)] == [Sent, Sent]
    assert (server.witness.connections, len(server.witness.taken)) == (2, 2)


async def test_mail_never_opens_more_connections_than_allowed():
    server = SmtpServer()
    async with mailing(server, connections=3) as mailer, asyncio.TaskGroup() as group:
        for _ in range(20):
            group.create_task(mailer.send(MAIL))
    assert len(server.witness.taken) == 20
    assert server.witness.most_open <= 3


async def test_mail_after_an_open_outcome_uses_a_new_connection():
    server = SmtpServer(Cut("reply", 5, "stall", "end"))
    async with server.listening() as port:
        mailer = Mailer(MailServer("127.0.0.1", port, Tls.NONE), 1, SHORT)
        assert isinstance(await mailer.send(MAIL), Unknown)
        server.cut = None
        assert isinstance(await mailer.send(MAIL), Sent)
        await mailer.close()
    assert server.witness.connections == 2
