"""The line to the carrier and to the mail server, cut or stalled at every phase: no outcome may claim too much.

`NotLeft` only if the other side saw nothing of the message; `Sent` only after a whole answer; `Unknown` otherwise; and
what was `NotLeft` can be sent again without a second message at the witness.
"""

import asyncio
import re
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio

from services.party_notification.channels.mail import MailEnvelope, Mailer, MailServer, Tls
from services.party_notification.channels.outcome import (
    NotLeft,
    Outcome,
    Refused,
    Sent,
    Throttled,
    Unknown,
)
from services.party_notification.channels.sms import AliyunAccount, AliyunSms, SmsBatch, SmsItem, sms_client
from services.party_notification.channels.wire import CONNECTIONS
from shared.clock import FixedClock
from tests.service.cutting import (
    HOWS,
    SMTP_REPLIES,
    Cut,
    HttpServer,
    SmtpServer,
    Witness,
    each,
    make_certificate,
)

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
LONG, SHORT = 20.0, 0.3  # seconds: for cases that must not time out, and for those that must
BODY = b'{"Code":"OK","BizId":"7^0"}'
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(BODY), BODY)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(BODY), BODY)
UNSIZED = b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n%b" % BODY
BATCH = SmsBatch("SMS_1", "out-1", (SmsItem("13800000001", {"code": "渝05执1"}), SmsItem("13800000002", {})))
MAIL = MailEnvelope("court@example.cn", "party@example.cn", "<1@example.cn>", b"Subject: x\r\n\r\nbody\r\n", "n=1")
CONTENT = MAIL.raw + b".\r\n"


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with sms_client(LONG) as made:
        yield made


def carrier(client: httpx.AsyncClient, url: str, timeout: float = LONG) -> AliyunSms:
    return AliyunSms(client, AliyunAccount(url, "id", "secret", "重庆五中院"), FixedClock(NOW), timeout)


async def send_sms(client: httpx.AsyncClient, url: str, timeout: float = LONG) -> Outcome:
    first, second = await carrier(client, url, timeout).send_batch(BATCH)
    assert first == second
    return first


async def send_mail(port: int, timeout: float = LONG) -> Outcome:
    mailer = Mailer(MailServer("127.0.0.1", port, Tls.NONE), 1, timeout)
    try:
        return await mailer.send(MAIL)
    finally:
        await mailer.close()


def in_plain_words(outcome: Outcome, clause: str = "") -> None:
    """What staff read of it is Chinese: no class of an exception, no words of a library."""
    assert isinstance(outcome, NotLeft | Unknown), outcome
    assert not re.search(r"[A-Za-z]{3,}", outcome.reason), outcome
    assert clause in outcome.reason


def claims_no_more_than_seen(outcome: Outcome, witness: Witness, case: object) -> None:
    if isinstance(outcome, NotLeft | Unknown):
        in_plain_words(outcome)
    if isinstance(outcome, NotLeft):
        assert witness.seen == 0, case
        assert not witness.taken, case
    if isinstance(outcome, Sent):
        assert witness.taken, case


async def patiently(cut: Cut, attempt: Callable[[float], Awaitable[Outcome]], *, whole: bool = False) -> Outcome:
    """Try a silent line with a short time-out first; a slow machine may need longer to get as far as the message."""
    if cut.how != "stall" or whole:
        return await attempt(LONG)
    outcome = await attempt(SHORT)
    for patience in (SHORT * 4, SHORT * 16):
        if not isinstance(outcome, NotLeft):
            break
        outcome = await attempt(patience)
    return outcome


async def sms_case(client: httpx.AsyncClient, reply: bytes, cut: Cut, *, whole: bool) -> Outcome:
    async def attempt(timeout: float) -> Outcome:
        server = HttpServer(reply, cut)
        async with server.listening() as port:
            outcome = await send_sms(client, f"http://127.0.0.1:{port}", timeout)
        claims_no_more_than_seen(outcome, server.witness, cut)
        assert server.witness.connections <= 1, f"tried again by itself: {cut}"
        return outcome

    return await patiently(cut, attempt, whole=whole)


# --- SMS -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("reply", [SIZED, CHUNKED], ids=["sized", "chunked"])
async def test_sms_reply_cut_at_every_byte(client, reply, how):
    async def run(cut: Cut) -> None:
        whole = cut.at == len(reply)
        outcome = await sms_case(client, reply, cut, whole=whole)
        if not whole:
            in_plain_words(outcome, "：等待超时。" if how == "stall" else "：连接中途断开。")
            assert isinstance(outcome, Unknown), cut
        elif how != "rst":  # a reset may overtake the last bytes
            assert outcome == Sent("7^0"), cut

    await each([Cut("reply", at, how) for at in range(len(reply) + 1)], run)


@pytest.mark.parametrize("how", HOWS)
async def test_sms_reply_that_ends_with_the_line_is_only_as_good_as_its_body(client, how):
    async def run(cut: Cut) -> None:
        outcome = await sms_case(client, UNSIZED, cut, whole=False)
        if cut.at == len(UNSIZED) and how != "stall":
            assert how == "rst" or outcome == Sent("7^0")  # all bytes are there; a reset may overtake the last
        else:
            assert isinstance(outcome, Unknown), cut

    await each([Cut("reply", at, how) for at in range(len(UNSIZED) - len(BODY) - 3, len(UNSIZED) + 1)], run)


@pytest.mark.parametrize("how", HOWS)
async def test_sms_request_cut_at_its_boundaries(client, how):
    whole = HttpServer(SIZED)
    async with whole.listening() as port:
        assert await send_sms(client, f"http://127.0.0.1:{port}") == Sent("7^0")
    request = whole.witness.taken[0]
    head, size = request.index(b"\r\n\r\n") + 4, len(request)
    places = [0, 1, 5, head // 2, head - 1, head, head + 1, (head + size) // 2, size - 1, size]

    async def run(cut: Cut) -> None:
        outcome = await sms_case(client, SIZED, cut, whole=False)
        assert isinstance(outcome, Unknown), cut

    await each([Cut("request", at, how) for at in places], run)


async def sms_never_left_then_once(client: httpx.AsyncClient, bad_url: str, port: int, clause: str) -> None:
    """A send to `bad_url` that did not leave, and the same send again to a good server at `port`."""
    outcome = await send_sms(client, bad_url)
    assert isinstance(outcome, NotLeft), outcome
    in_plain_words(outcome, clause)
    server = HttpServer(SIZED)
    async with server.listening(port) as good:
        assert await send_sms(client, f"http://127.0.0.1:{good}") == Sent("7^0")
    assert len(server.witness.taken) == 1


async def test_sms_connection_refused_did_not_leave(client):
    async with HttpServer(SIZED).listening() as port:
        pass
    await sms_never_left_then_once(client, f"http://127.0.0.1:{port}", port, "：对方拒绝连接。")


async def test_sms_unknown_host_did_not_leave(client):
    await sms_never_left_then_once(client, "http://nosuch.invalid", 0, "：找不到对方服务器的网络地址。")


async def test_sms_tls_against_a_plain_server_did_not_leave(client):
    server = HttpServer(SIZED)
    async with server.listening() as port:
        outcome = await send_sms(client, f"https://127.0.0.1:{port}", SHORT)
    assert isinstance(outcome, NotLeft)
    in_plain_words(outcome)
    assert not server.witness.taken


@pytest.mark.parametrize("how", HOWS)
async def test_sms_line_lost_in_the_tls_handshake_did_not_leave(client, how):
    server = HttpServer(SIZED, Cut("request", 3, how))
    async with server.listening() as port:
        outcome = await send_sms(client, f"https://127.0.0.1:{port}", SHORT if how == "stall" else LONG)
    assert isinstance(outcome, NotLeft)
    in_plain_words(outcome, "：等待超时。" if how == "stall" else "连接")


async def test_sms_untrusted_certificate_did_not_leave(client, tls_server_context):
    server = HttpServer(SIZED)
    tls = await asyncio.start_server(server._connection, "127.0.0.1", 0, ssl=tls_server_context)
    async with tls:
        outcome = await send_sms(client, f"https://127.0.0.1:{tls.sockets[0].getsockname()[1]}")
    assert isinstance(outcome, NotLeft)
    in_plain_words(outcome, "：对方的安全证书未通过验证。")
    assert server.witness.seen == 0


async def test_sms_over_tls_that_is_trusted(tls_server_context, tls_client_context):
    server = HttpServer(SIZED)
    tls = await asyncio.start_server(server._connection, "127.0.0.1", 0, ssl=tls_server_context)
    async with tls, sms_client(LONG, tls_client_context) as client:
        assert await send_sms(client, f"https://127.0.0.1:{tls.sockets[0].getsockname()[1]}") == Sent("7^0")


async def test_sms_waiting_for_a_free_connection_did_not_leave(client):
    server = HttpServer(SIZED, Cut("request", 1, "stall"))
    async with server.listening() as port, asyncio.TaskGroup() as group:
        url = f"http://127.0.0.1:{port}"
        stuck = [group.create_task(send_sms(client, url, 1.5)) for _ in range(CONNECTIONS)]
        async with asyncio.timeout(LONG):
            while server.witness.seen < CONNECTIONS:
                await asyncio.sleep(0.01)
        assert isinstance(await send_sms(client, url, SHORT), NotLeft)
    assert server.witness.connections == CONNECTIONS
    assert all(isinstance(task.result(), Unknown) for task in stuck)


async def test_sms_idle_connection_closed_by_the_server_is_replaced(client):
    server = HttpServer(SIZED, close=True)
    async with server.listening() as port:
        url = f"http://127.0.0.1:{port}"
        assert await send_sms(client, url) == Sent("7^0")
        async with asyncio.timeout(LONG):
            while server.witness.open_now:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)  # for the client's loop to see the end of the line
        assert await send_sms(client, url) == Sent("7^0")
    assert (server.witness.connections, len(server.witness.taken)) == (2, 2)


@pytest.mark.parametrize("how", ["fin", "rst"])
async def test_sms_idle_connection_that_dies_as_it_is_used_is_unknown_and_not_tried_again(client, how):
    server = HttpServer(SIZED, Cut("request", 1, how, on_message=2))
    async with server.listening() as port:
        url = f"http://127.0.0.1:{port}"
        assert await send_sms(client, url) == Sent("7^0")
        assert isinstance(await send_sms(client, url), Unknown)
    assert (server.witness.connections, len(server.witness.taken)) == (1, 1)


async def test_sms_one_bad_number_does_not_hold_up_the_others(client):
    class Picky(HttpServer):
        async def speak(self, line):
            while True:
                request = await self._request(line)
                bad = b"13800000002" in request
                code = b'{"Code":"isv.BUSINESS_LIMIT_CONTROL","Message":""}' if bad else BODY
                if not bad:
                    self.witness.taken.append(request)
                await line.reply(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(code), code))

    server = Picky(SIZED)
    items = tuple(SmsItem(f"1380000000{digit}", {}) for digit in range(5))
    async with server.listening() as port:
        sms = carrier(client, f"http://127.0.0.1:{port}")
        outcomes = await sms.send_batch(SmsBatch("SMS_1", "o", (*items, SmsItem("12368", {}))))
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Sent, Sent, Throttled, Sent, Sent, Refused]
    assert not any(b"12368" in request for request in server.witness.taken)


async def test_sms_halves_that_time_did_not_allow_did_not_leave(client):
    class Slow(HttpServer):
        async def speak(self, line):
            while True:
                await self._request(line)
                self.witness.connections += 1
                await asyncio.sleep(SHORT * 0.7)
                body = b'{"Code":"isv.BUSINESS_LIMIT_CONTROL"}'
                await line.reply(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    server = Slow(SIZED)
    items = tuple(SmsItem(f"138000000{digit:02d}", {}) for digit in range(8))
    async with server.listening() as port:
        outcomes = await carrier(client, f"http://127.0.0.1:{port}", SHORT).send_batch(SmsBatch("S", "o", items))
    assert all(isinstance(outcome, NotLeft) for outcome in outcomes[4:])


# --- mail ------------------------------------------------------------------------------------------------------------


async def mail_once(cut: Cut, timeout: float) -> Outcome:
    server = SmtpServer(cut)
    async with server.listening() as port:
        outcome = await send_mail(port, timeout)
    claims_no_more_than_seen(outcome, server.witness, cut)
    return outcome


async def mail_case(cut: Cut, *, whole: bool = False) -> Outcome:
    return await patiently(cut, lambda timeout: mail_once(cut, timeout), whole=whole)


async def mail_again(outcome: Outcome, clause: str = "") -> None:
    assert isinstance(outcome, NotLeft)
    in_plain_words(outcome, clause)
    server = SmtpServer()
    async with server.listening() as port:
        assert await send_mail(port) == Sent("2.0.0 Ok: queued as 7")
    assert server.witness.taken == [CONTENT]


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("step", ["banner", "ehlo", "mail", "rcpt"])
async def test_mail_reply_before_data_cut_at_every_byte_did_not_leave(step, how):
    async def run(cut: Cut) -> None:
        outcome = await mail_once(cut, SHORT if how == "stall" else LONG)
        assert isinstance(outcome, NotLeft), cut
        if cut.at == 0:
            await mail_again(outcome)

    await each([Cut("reply", at, how, step) for at in range(len(SMTP_REPLIES[step]))], run)


@pytest.mark.parametrize("how", HOWS)
async def test_mail_go_ahead_cut_at_every_byte_is_open(how):
    async def run(cut: Cut) -> None:
        assert isinstance(await mail_case(cut), Unknown), cut

    await each([Cut("reply", at, how, "data") for at in range(len(SMTP_REPLIES["data"]) + 1)], run)


@pytest.mark.parametrize("how", HOWS)
async def test_mail_content_cut_at_every_byte_is_open(how):
    async def run(cut: Cut) -> None:
        outcome = await mail_case(cut)
        assert isinstance(outcome, Unknown), cut
        in_plain_words(outcome, "：等待超时。" if how == "stall" else "：连接中途断开。")

    await each([Cut("request", at, how) for at in range(len(CONTENT) + 1)], run)


@pytest.mark.parametrize("how", HOWS)
async def test_mail_last_reply_cut_at_every_byte(how):
    reply = SMTP_REPLIES["end"]

    async def run(cut: Cut) -> None:
        whole = cut.at == len(reply)
        outcome = await mail_case(cut, whole=whole)
        if not whole:
            assert isinstance(outcome, Unknown), cut
        elif how != "rst":
            assert outcome == Sent("2.0.0 Ok: queued as 7"), cut

    await each([Cut("reply", at, how, "end") for at in range(len(reply) + 1)], run)


async def test_mail_connection_refused_did_not_leave():
    async with SmtpServer().listening() as port:
        pass
    await mail_again(await send_mail(port), "：对方拒绝连接。")


async def test_mail_unknown_host_did_not_leave():
    mailer = Mailer(MailServer("nosuch.invalid", 25, Tls.NONE), 1, LONG)
    await mail_again(await mailer.send(MAIL), "：找不到对方服务器的网络地址。")


@pytest.mark.parametrize("tls", [Tls.TLS, Tls.STARTTLS])
async def test_mail_without_the_tls_asked_for_did_not_leave(tls):
    server = SmtpServer()
    async with server.listening() as port:
        outcome = await Mailer(MailServer("127.0.0.1", port, tls), 1, 3.0).send(MAIL)
    assert not [command for command in server.commands if command.startswith(b"MAIL")]
    await mail_again(outcome)


async def test_mail_untrusted_certificate_did_not_leave(tls_server_context):
    server = SmtpServer()
    tls = await asyncio.start_server(server._connection, "127.0.0.1", 0, ssl=tls_server_context)
    async with tls:
        port = tls.sockets[0].getsockname()[1]
        await mail_again(
            await Mailer(MailServer("127.0.0.1", port, Tls.TLS), 1, LONG).send(MAIL), "：对方的安全证书未通过验证。"
        )


# --- certificates ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def tls_server_context(certificate: tuple[str, str]) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def tls_client_context(certificate: tuple[str, str]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=certificate[0])
