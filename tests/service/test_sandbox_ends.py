"""The court's channels against the sandbox's carrier and mail server, with each fault: both ends must agree."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime

import httpx
import pytest
import pytest_asyncio
from aiohttp import web

from services.party_notification.channels.mail import MailEnvelope, Mailer, MailServer, Tls
from services.party_notification.channels.outcome import NotLeft, Refused, Sent, Throttled, Unknown
from services.party_notification.channels.sms import (
    AliyunAccount,
    AliyunSms,
    DetailStatus,
    SmsBatch,
    SmsItem,
    TemplateState,
    sms_client,
)
from services.sandbox.channels.carrier import Carrier, CarrierRequest
from services.sandbox.channels.mailserver import SandboxMail, StoredMail
from services.sandbox.domain.faults import Fault, FaultBook, MailFault, SmsFault
from services.sandbox.domain.sms_rules import CarrierMessage, KnownMessage, Template
from shared.clock import FixedClock, court_date
from shared.errors import Conflict, Unavailable

NOW = datetime(2026, 11, 23, 6, 5, tzinfo=UTC)
ITEMS = (SmsItem("13800000001", {"code": "a b+c&=%~*'()/:?@"}), SmsItem("13800000002", {"code": "乙"}))


class Shelf:
    """The carrier's storage in memory."""

    def __init__(self) -> None:
        self.templates = {"SMS_1": Template("SMS_1", "t", "查询码${code}，请查收。")}
        self.messages: list[CarrierMessage] = []

    async def template(self, code: str) -> Template | None:
        return self.templates.get(code)

    async def add_template(self, template: Template) -> None:
        self.templates[template.code] = template

    async def save(self, messages: Sequence[CarrierMessage]) -> None:
        self.messages += messages

    async def known(self, number: str, day: date, biz_id: str | None) -> Sequence[KnownMessage]:
        return [
            KnownMessage(message, "delivered", "DELIVERED", NOW)
            for message in self.messages
            if message.number == number and court_date(message.sent_at) == day and biz_id in {None, message.biz_id}
        ]


class Ends:
    """The carrier over real HTTP, and the court's client of it."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.shelf = Shelf()
        self.faults = FaultBook()
        self.clock = FixedClock(NOW)
        self.carrier = Carrier({"id": "secret"}, self.shelf, self.faults, FixedClock(NOW))
        self.client = client
        self.url = ""

    def sms(self, key: str = "secret", timeout: float = 10.0) -> AliyunSms:
        return AliyunSms(self.client, AliyunAccount(self.url, "id", key, "重庆五中院"), self.clock, timeout)

    async def answer(self, request: web.Request) -> web.Response:
        headers = {name.lower(): value for name, value in request.headers.items()}
        query = request.rel_url.raw_query_string
        reply = await self.carrier.handle(CarrierRequest(request.method, query, headers, await request.read()))
        await asyncio.sleep(reply.hold)
        if reply.body is None:
            assert request.transport is not None
            request.transport.abort()
            return web.Response()
        return web.json_response(dict(reply.body), status=reply.status)


@pytest_asyncio.fixture
async def ends() -> AsyncIterator[Ends]:
    async with sms_client(10.0) as client:
        made = Ends(client)
        app = web.Application()
        app.router.add_post("/sandbox/carrier/", made.answer)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/sandbox/carrier/"
        yield made
        await runner.cleanup()


async def test_a_batch_arrives_as_it_was_sent(ends):
    first, second = await ends.sms().send_batch(SmsBatch("SMS_1", "out=1 &", ITEMS))
    assert isinstance(first, Sent)
    assert first == second
    assert [message.number for message in ends.shelf.messages] == ["13800000001", "13800000002"]
    assert ends.shelf.messages[0].body == "【重庆五中院】查询码a b+c&=%~*'()/:?@，请查收。"
    assert {message.out_id for message in ends.shelf.messages} == {"out=1 &"}
    assert {message.biz_id for message in ends.shelf.messages} == {first.provider_id}


@pytest.mark.parametrize(
    ("fault", "kind", "stored"),
    [
        (SmsFault(kind="refuse", code="isv.DAY_LIMIT_CONTROL"), Throttled, 0),
        (SmsFault(kind="refuse", code="isv.SMS_CONTENT_ILLEGAL"), Refused, 0),
        (SmsFault(kind="refuse", code="isp.SYSTEM_ERROR"), Unknown, 0),
        (SmsFault(kind="timeout_before", seconds=5), Unknown, 0),
        (SmsFault(kind="http_500"), Unknown, 0),
        (SmsFault(kind="cut_after_commit"), Unknown, 2),
        (SmsFault(kind="timeout_after", seconds=5), Unknown, 2),
        (SmsFault(kind="http_500_after_commit"), Unknown, 2),
    ],
)
async def test_every_sms_fault_is_told_truly(ends, fault, kind, stored):
    ends.faults.add(fault)
    outcomes = await ends.sms(timeout=0.5).send_batch(SmsBatch("SMS_1", "o", ITEMS))
    assert [type(outcome) for outcome in outcomes] == [kind, kind]
    assert len(ends.shelf.messages) == stored


async def test_a_fault_for_one_number_leaves_the_others(ends):
    ends.faults.add(SmsFault(kind="refuse", code="isv.MOBILE_NUMBER_ILLEGAL", recipient="13800000002"))
    first, second = await ends.sms().send_batch(SmsBatch("SMS_1", "o", ITEMS))
    assert isinstance(first, Sent)
    assert isinstance(second, Refused)
    assert [message.number for message in ends.shelf.messages] == ["13800000001"]


async def test_what_was_sent_can_be_asked_for(ends):
    ends.faults.add(SmsFault(kind="cut_after_commit", count=1))
    await ends.sms().send_batch(SmsBatch("SMS_1", "lost", ITEMS))
    (found,) = await ends.sms().query("13800000002", date(2026, 11, 23))
    assert (found.out_id, found.status, found.sent_at) == ("lost", DetailStatus.DELIVERED, NOW)
    assert found.content == "【重庆五中院】查询码乙，请查收。"
    assert not await ends.sms().query("13800000002", date(2026, 11, 22))
    assert not await ends.sms().query("13800000002", date(2026, 11, 23), "other^0")


async def test_a_query_reads_all_pages(ends):
    for number in range(120):
        message = CarrierMessage("13800000001", str(number), "SMS_1", f"o{number}", "7^0", 1, NOW)
        ends.shelf.messages.append(message)
    found = await ends.sms().query("13800000001", date(2026, 11, 23))
    assert [detail.out_id for detail in found] == [f"o{number}" for number in range(120)]


async def test_a_template_is_registered_and_used(ends):
    code = await ends.sms().register_template("受理 通知", "渝05执恢${case}案 已立案+1，请查收。")
    assert await ends.sms().template_state(code) is TemplateState.APPROVED
    await ends.sms().send_batch(SmsBatch(code, "o", (SmsItem("13800000001", {"case": "（2026）1号"}),)))
    assert ends.shelf.messages[0].body == "【重庆五中院】渝05执恢（2026）1号案 已立案+1，请查收。"


async def test_refused_questions_say_why(ends):
    with pytest.raises(Conflict, match="模板"):
        await ends.sms().template_state("SMS_404")
    with pytest.raises(Conflict):
        await ends.sms().register_template("受理", "【院】不许")
    ends.url = "http://127.0.0.1:1/"
    with pytest.raises(Unavailable):
        await ends.sms().query("13800000001", date(2026, 11, 23))


async def test_a_wrong_key_or_clock_is_refused_and_nothing_is_taken(ends):
    outcomes = await ends.sms(key="wrong").send_batch(SmsBatch("SMS_1", "o", ITEMS))
    assert all(isinstance(outcome, Refused) and outcome.code == "SignatureDoesNotMatch" for outcome in outcomes)
    ends.clock.instant = datetime(2026, 11, 24, tzinfo=UTC)
    outcomes = await ends.sms().send_batch(SmsBatch("SMS_1", "o", ITEMS))
    assert all(isinstance(outcome, Refused) and outcome.code == "InvalidTimeStamp.Expired" for outcome in outcomes)
    assert not ends.shelf.messages


async def test_a_replayed_request_is_not_taken_twice(ends):
    seen: list[httpx.Request] = []

    async def keep(request: httpx.Request) -> None:
        seen.append(request)

    ends.client.event_hooks["request"] = [keep]
    await ends.sms().send_batch(SmsBatch("SMS_1", "o", ITEMS))
    again = await ends.client.send(seen[0])
    assert (again.status_code, again.json()["Code"]) == (400, "SignatureNonceUsed")
    assert len(ends.shelf.messages) == 2


# --- mail ------------------------------------------------------------------------------------------------------------


@contextlib.asynccontextmanager
async def mail_ends(*faults: Fault, timeout: float = 10.0) -> AsyncIterator[tuple[Mailer, list[StoredMail]]]:
    stored: list[StoredMail] = []

    async def store(mail: StoredMail) -> None:
        stored.append(mail)

    server = SandboxMail(store, FaultBook(faults))
    port = await server.start("127.0.0.1", 0)
    mailer = Mailer(MailServer("127.0.0.1", port, Tls.NONE), 4, timeout)
    yield mailer, stored
    await mailer.close()
    await server.close()


def envelope(number: int = 1) -> MailEnvelope:
    raw = f"Message-ID: <{number}@example.cn>\r\n\r\n.dot\r\n..\r\n".encode()
    return MailEnvelope("court@example.cn", f"party{number}@example.cn", f"<{number}@example.cn>", raw, "Notice+1")


async def test_a_mail_is_stored_exactly_before_it_is_answered():
    async with mail_ends() as (mailer, stored):
        assert await mailer.send(envelope()) == Sent("2.0.0 OK: queued")
        (mail,) = stored
    assert mail.raw == envelope().raw
    assert (mail.sender, list(mail.recipients)) == ("court@example.cn", ["party1@example.cn"])
    assert mail.dsn == {"RET": "HDRS", "ENVID": "Notice+2B1", "NOTIFY": "SUCCESS,FAILURE,DELAY"}


@pytest.mark.parametrize(
    ("fault", "kind", "stored_mails"),
    [
        (MailFault(kind="refuse", at="mail"), Throttled, 0),
        (MailFault(kind="refuse", at="rcpt", reply="550 5.1.1 no such user"), Refused, 0),
        (MailFault(kind="refuse", at="data_start"), Throttled, 0),
        (MailFault(kind="refuse", at="data_end", reply="554 5.7.1 refused"), Refused, 0),
        (MailFault(kind="refuse", at="connect", reply="421 4.3.2 closing"), Throttled, 0),
        (MailFault(kind="cut", at="connect"), NotLeft, 0),
        (MailFault(kind="cut", at="mail"), NotLeft, 0),
        (MailFault(kind="cut", at="rcpt"), NotLeft, 0),
        (MailFault(kind="cut", at="data_start"), Unknown, 0),
        (MailFault(kind="cut", at="data_end"), Unknown, 1),
        (MailFault(kind="cut", at="data_end", committed=False), Unknown, 0),
        (MailFault(kind="delay", at="rcpt", seconds=5), NotLeft, 0),
        (MailFault(kind="delay", at="data_end", seconds=5), Unknown, 1),
        (MailFault(kind="delay", at="mail", seconds=0.05), Sent, 1),
    ],
)
async def test_every_mail_fault_is_told_truly(fault, kind, stored_mails):
    async with mail_ends(fault, timeout=0.6) as (mailer, stored):
        assert isinstance(await mailer.send(envelope()), kind)
        assert len(stored) == stored_mails


async def test_a_fault_for_one_address_leaves_the_others():
    fault = MailFault(kind="refuse", at="rcpt", recipient="party2@example.cn", reply="550 5.1.1 unknown")
    async with mail_ends(fault) as (mailer, stored):
        outcomes = [await mailer.send(envelope(number)) for number in (1, 2, 3)]
        assert [type(outcome) for outcome in outcomes] == [Sent, Refused, Sent]
        assert len(stored) == 2


async def test_a_mail_that_cannot_be_stored_is_not_accepted():
    async def full(_mail: StoredMail) -> None:
        raise OSError("disk full")

    server = SandboxMail(full, FaultBook())
    port = await server.start("127.0.0.1", 0)
    mailer = Mailer(MailServer("127.0.0.1", port, Tls.NONE), 1, 10.0)
    outcome = await mailer.send(envelope())
    await mailer.close()
    await server.close()
    assert isinstance(outcome, Throttled)
    assert "disk" not in outcome.reason


async def test_many_mails_at_once_each_arrive_once():
    async with mail_ends() as (mailer, stored):
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(mailer.send(envelope(number))) for number in range(50)]
        assert all(isinstance(task.result(), Sent) for task in tasks)
        assert sorted(mail.recipients[0] for mail in stored) == sorted(envelope(n).recipient for n in range(50))
