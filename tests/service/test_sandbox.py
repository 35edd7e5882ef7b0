"""The sandbox as a service: what it took can be read in order, is sealed, and was committed before the answer."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.party_notification.channels.outcome import NotLeft, Refused, Sent, Unknown
from services.party_notification.channels.sms import DetailStatus, SmsBatch, SmsItem, TemplateState
from services.sandbox import store
from services.sandbox.channels.carrier import CarrierReply, CarrierRequest
from services.sandbox.channels.line import CarrierLine
from services.sandbox.service import SERVICE
from shared.clock import SystemClock, court_date
from shared.crypto.keyring import KeyRing
from shared.crypto.lookups import Lookups
from shared.http.routes import Zone
from shared.runtime.listener import LaunchError
from shared.runtime.resealing import Resealer
from shared.runtime.service import MORE, Kit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import client
from tests.service.outside import PHONES, at_work, court, put_faults, quick_kit, received, send, send_mail, taking

NOTHING = timedelta(0)


@pytest.fixture
async def kit(fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    made = await quick_kit(await fresh_database(SERVICE))
    yield made
    await made.db.close()


# --- messages --------------------------------------------------------------------------------------------------------


async def test_messages_are_listed_in_order_with_a_cursor_to_go_on_from(kit):
    assert await received(kit) == {"items": [], "next": 0}
    async with court(kit) as sms:
        assert all(isinstance(outcome, Sent) for outcome in await send(sms, *PHONES))
        await send(sms, PHONES[0], word="二")
    page = await received(kit, "?limit=2")
    assert [item["to"] for item in page["items"]] == list(PHONES)
    assert page["items"][0]["channel"] == "sms"
    assert page["items"][0]["body"] == "【重庆五中院】查询码一，请查收。"
    assert page["items"][0]["received_at"] == "2026-11-23T04:00:00Z"
    rest = await received(kit, f"?after={page['next']}")
    assert [item["body"][-9:] for item in rest["items"]] == ["查询码二，请查收。"]
    assert (await received(kit, f"?after={rest['next']}")) == {"items": [], "next": rest["next"]}
    assert len((await received(kit, f"?to={PHONES[0]}"))["items"]) == 2
    assert len((await received(kit, f"?to=%2B86{PHONES[0]}"))["items"]) == 2
    assert (await received(kit, "?to=13900000000"))["items"] == []


async def test_a_number_is_known_all_the_while_its_keys_change(kit):
    """A carrier that knew nothing of what it took before would have the court send it again."""
    async with court(kit) as sms:
        await send(sms, PHONES[0])
    kit = replace(kit, keyring=kit.keyring.rotated(index=True))
    async with court(kit) as sms:
        await send(sms, PHONES[0], word="二")
        assert len(await sms.query(PHONES[0], court_date(SystemClock().now()))) == 2
    resealer = Resealer(kit, SERVICE.sealed, SERVICE.held([Zone.STAFF]), patience=0)
    while await resealer.step() is MORE:
        pass
    parts = kit.keyring.parts
    newest = Lookups.from_text(parts.lookups.to_text().split(",")[0])
    alone = replace(kit, keyring=KeyRing({kit.keyring.current: parts.keys[kit.keyring.current]}, newest))
    for each in (kit, alone):
        assert len((await received(each, f"?to={PHONES[0]}"))["items"]) == 2
        async with each.db.read() as conn:
            assert len(await store.list_boxes(conn, "sms", 9)) == 1


async def test_faulty_questions_are_refused(kit):
    async with client(SERVICE, kit) as http:
        for query in ("after=-1", "after=x", "limit=0", "limit=501", "to=", f"after={2**63}"):
            answer = await http.get(f"/sandbox/messages?{query}")
            assert answer.status_code == 422, query
            assert answer.json()["errors"]


async def test_a_wrong_key_is_refused_and_nothing_is_kept(kit):
    code = "SMS_1"
    async with kit.db.begin() as tx:
        await store.add_template(tx.conn, {"code": code, "name": "n", "content": "好${a}", "state": 1})
    async with court(kit, key="wrong") as sms:
        (outcome,) = await sms.send_batch(SmsBatch(code, "o", (SmsItem(PHONES[0], {"a": "a"}),)))
    assert isinstance(outcome, Refused)
    assert outcome.code == "SignatureDoesNotMatch"
    assert (await received(kit))["items"] == []


@pytest.mark.parametrize(
    ("kind", "expected", "kept"),
    [
        ("cut_after_commit", Unknown, 1),
        ("timeout_after", Unknown, 1),
        ("http_500_after_commit", Unknown, 1),
        ("timeout_before", Unknown, 0),
        ("http_500", Unknown, 0),
        ("refuse", Refused, 0),
    ],
)
async def test_what_is_committed_is_kept_whatever_is_answered(kit, kind, expected, kept):
    await put_faults(kit, {"channel": "sms", "kind": kind, "code": "isv.SMS_CONTENT_ILLEGAL", "seconds": 5})
    async with court(kit, timeout=1.0) as sms:
        (outcome,) = await send(sms, PHONES[0])
    assert isinstance(outcome, expected)
    assert len((await received(kit))["items"]) == kept


async def test_a_caller_who_hangs_up_frees_the_carrier():
    async def slow(_request: CarrierRequest) -> CarrierReply:
        return CarrierReply(200, {}, hold=600)

    async def receive() -> Any:
        return heard.pop(0)

    async def send_nothing(_message: Any) -> None:
        raise AssertionError("nobody is there any more")

    heard = [{"type": "http.request", "body": b""}, {"type": "http.disconnect"}]
    scope = {"type": "http", "method": "POST", "headers": [], "query_string": b""}
    async with asyncio.timeout(10):
        await CarrierLine(slow)(scope, receive, send_nothing)


async def test_the_carrier_answers_only_once_the_message_is_committed(kit):
    """While another batch holds the order of ids this one cannot commit, and its sender is not answered."""
    async with court(kit) as sms:
        async with kit.db.begin() as first:
            await store.known_boxes(first.conn, "sms", ["a"])
            waiting = asyncio.ensure_future(send(sms, PHONES[0]))
            done, _ = await asyncio.wait([waiting], timeout=0.5)
            assert not done
            assert (await received(kit))["items"] == []
        (outcome,) = await waiting
    assert isinstance(outcome, Sent)
    assert len((await received(kit))["items"]) == 1


async def test_a_dump_holds_no_number_and_no_text(kit):
    async with court(kit) as sms:
        await send(sms, *PHONES, word="机密")
    await send_mail(kit)
    dump = ""
    url = kit.db.engine.url.render_as_string(False).replace("+asyncpg", "")
    conn = await asyncpg.connect(url)
    for name in await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'"):
        rows = await conn.fetch(f'SELECT t::text FROM "{name[0]}" t')  # noqa: S608 - names from the catalogue
        dump += "\n".join(row[0] for row in rows)
    await conn.close()
    assert "SMS_" in dump
    for secret in (*PHONES, "机密", "party@example.cn", "张三"):
        assert secret not in dump


async def test_the_carrier_tells_what_became_of_a_message(kit):
    async with court(kit) as sms:
        await send(sms, PHONES[0], out_id="wanted")
        today = court_date(SystemClock().now())
        (before,) = await sms.query(PHONES[0], today)
        async with taking(kit) as taker:
            await taker.after(NOTHING)
        (after,) = await sms.query(PHONES[0], today)
        assert not await sms.query(PHONES[0], today - timedelta(days=1))
    assert (before.out_id, before.status, after.status) == ("wanted", DetailStatus.WAITING, DetailStatus.DELIVERED)
    assert after.content == "【重庆五中院】查询码一，请查收。"


async def test_a_template_can_be_refused(kit):
    await put_faults(kit, {"channel": "template", "kind": "refuse", "count": 1})
    async with court(kit) as sms:
        refused = await sms.register_template("提示", "查询码${word}")
        assert await sms.template_state(refused) is TemplateState.REFUSED
        assert await sms.template_state(await sms.register_template("提示", "查询码${word}")) is TemplateState.APPROVED


# --- mail ------------------------------------------------------------------------------------------------------------


async def test_a_mail_is_read_with_its_parts(kit):
    assert isinstance(await send_mail(kit), Sent)
    (item,) = (await received(kit, "?to=party@example.cn"))["items"]
    assert item["channel"] == "mail"
    assert item["to"] == "Party@example.cn"
    assert item["subject"] == "受理通知书"
    assert item["body"] == "张三：\n您好。"
    assert item["message_id"] == "<1@example.cn>"
    assert item["attachments"] == ["受理通知书.html"]
    assert item["out_id"] == "env1"
    async with client(SERVICE, kit) as http:
        letter = await http.get(f"/sandbox/messages/{item['id']}/attachments/0")
        assert letter.text == "<h1>受理</h1>"
        assert letter.headers["content-security-policy"].startswith("sandbox")
        assert "script" not in letter.headers["content-security-policy"]
        html = await http.get(f"/sandbox/messages/{item['id']}/html")
        assert "data:image/png;base64,cG5n" in html.text
        for path in (f"{item['id']}/attachments/1", "999/attachments/0", "999/html"):
            assert (await http.get(f"/sandbox/messages/{path}")).status_code == 404


async def test_a_mail_fault_is_heard_by_the_sender(kit):
    await put_faults(kit, {"channel": "mail", "kind": "cut", "at": "connect"})
    assert isinstance(await send_mail(kit), NotLeft)
    async with client(SERVICE, kit) as http:
        assert (await http.delete("/sandbox/faults")).status_code == 204
    assert isinstance(await send_mail(kit), Sent)


async def test_a_mail_port_in_use_stops_the_start_with_a_clear_word(kit):
    async with at_work(kit) as there:
        with pytest.raises(LaunchError, match=f"端口{there.run.smtp_port}.*YANGGUANG_SANDBOX_SMTP_PORT"):
            SERVICE.jobs(there)
