"""Tips over HTTP: submitting by API and by form, the receipt, the state, the limit, and who sent it."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, select, update

from services.asset_tips import store
from services.asset_tips.service import SERVICE
from services.asset_tips.settings import TipSettings
from services.asset_tips.usecases import tell
from shared.contracts.desk import EvidenceAccepted, ItemActed, ItemDismissed, ItemTaken
from shared.contracts.envelope import Sealed
from shared.contracts.looks import LookTaken, Seen
from shared.contracts.tips import TipGround, TipReceived
from shared.db.readable import UNREADABLE_TEXT
from shared.db.tables import answers, outbox
from shared.db.transaction import new_id
from shared.http.app import build_app
from shared.http.routes import Zone
from shared.powers import Role
from shared.runtime.service import MORE, Kit
from tests.fixtures.kits import NOON, Feeder, client, told

BODY = "被执行人王小明在渝中区有一处房产，登记在他岳母名下。"
CONTACT = "李证人 13800138000"
OFFICER = new_id()
RECEIPT = re.compile(r"[0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4}){3}")


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as http:
        yield http


@pytest.fixture
async def duty(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.DUTY, staff_id=OFFICER) as http:
        yield http


@asynccontextmanager
async def sources(kit: Kit[Any], *hosts: str) -> AsyncIterator[list[httpx.AsyncClient]]:
    """Clients of one application that come from different addresses."""
    app = build_app(kit, SERVICE.title, SERVICE.routes, tuple(Zone))
    transports = [httpx.ASGITransport(app, client=(host, 50000)) for host in hosts]
    clients = [httpx.AsyncClient(transport=transport, base_url="http://test") for transport in transports]
    yield clients
    for each in clients:
        await each.aclose()


async def submit(http: httpx.AsyncClient, key: str | None = None, **tip: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await http.post("/api/tips", json={"text": BODY, **tip}, headers=headers)


async def tips_told(kit: Kit[Any]) -> list[TipReceived]:
    """What the desk heard of, once the inner network has looked."""
    while await tell(kit) is MORE:
        pass
    return await told(kit, TipReceived)


async def state(http: httpx.AsyncClient, receipt: str) -> dict[str, Any]:
    answer = await http.get("/api/tips/status", headers={"X-Receipt": receipt})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def rows(kit: Kit[Any], table: Any) -> list[Any]:
    async with kit.db.read() as conn:
        return list(await conn.execute(select(table)))


async def test_a_tip_gets_a_receipt_and_tells_the_desk(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    answer = await submit(http, ground="urgent", case_number="(2026)渝05执5001号", contact=CONTACT)
    assert answer.status_code == 201
    assert RECEIPT.fullmatch(answer.json()["receipt"])
    [tip] = await tips_told(kit)
    assert tip.tip_number == answer.json()["tip_number"]
    assert tip.tip_number.startswith("20261123")
    assert (tip.ground, tip.case_number) == (TipGround.URGENT, "（2026）渝05执5001号")
    assert (tip.arrived_at, tip.channel) == (NOON, "web")
    assert kit.keyring.open(tip.body, str(tip.tip_id)) == BODY


async def test_nothing_personal_rests_or_travels_in_plain_text(
    kit: Kit[Any], http: httpx.AsyncClient, duty: httpx.AsyncClient
) -> None:
    receipt = (await submit(http, "once", contact=CONTACT)).json()["receipt"]
    untold = [str(await rows(kit, table)) for table in (store.tips, store.senders)]
    [tip] = await tips_told(kit)
    await take(kit, tip.tip_id)
    await duty.post(f"/api/tip-senders/{tip.tip_id}", json={"reason": "核实李证人所述地址。"})
    kept = untold + [str(await rows(kit, table)) for table in (store.tips, store.senders, store.looks, answers)]
    kept += [bytes(row.value).decode() for row in await rows(kit, outbox)]
    assert all(len(text) > 50 for text in kept)
    for secret in ("王小明", "渝中区", "李证人", "13800138000", receipt, receipt.replace("-", "")):
        assert not any(secret in text for text in kept)
    assert CONTACT not in kit.keyring.open(tip.body, str(tip.tip_id))


async def test_the_same_key_gets_the_same_receipt(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    first = await submit(http, "key-1")
    again = await asyncio.gather(*(submit(http, "key-1") for _ in range(3)))
    assert {answer.text for answer in again} == {first.text}
    assert (await submit(http, "key-1", text="被执行人还有一辆车。")).status_code == 409
    assert (await submit(http, "key-2")).json()["receipt"] != first.json()["receipt"]
    assert len(await tips_told(kit)) == 2


async def test_two_tips_never_share_a_number(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    first, second = (await submit(http)).json(), (await submit(http)).json()
    taken = {"tip_id": new_id(), "tip_number": first["tip_number"], "receipt_index": "x", "ground": "property"}
    async with kit.db.begin() as tx:
        row = taken | {"body": "-", "channel": "web", "arrived_at": NOON}
        assert not await store.add(tx.conn, row), "and whoever adds it draws another"
        assert await store.add(tx.conn, row | {"tip_number": "20261123-1"})
    assert first["tip_number"] != second["tip_number"]


async def test_the_state_follows_the_desk(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    receipt = (await submit(http)).json()["receipt"]
    [tip] = await tips_told(kit)
    about: dict[str, Any] = {"item_id": tip.tip_id, "source": "tip"}
    at, who, feeder = NOON + timedelta(minutes=9), new_id(), Feeder(SERVICE, kit)
    steps = [
        (ItemTaken(**about, taken_by=who, taken_at=at), "taken"),
        (EvidenceAccepted(**about, case_id=None, accepted_by=who, accepted_at=at, due_at=at), "accepted"),
        (
            ItemActed(**about, case_id=None, acted_by=who, acted_at=at, in_time=True, deed=Sealed("k1.x")),
            "acted",
        ),
    ]
    assert (await state(http, receipt))["state"] == "received"
    for event, expected in steps:
        await feeder.feed(event)
        found = await state(http, f" {receipt.lower().replace('-', ' ')} ")
        assert (found["state"], found[f"{expected}_at"]) == (expected, "2026-11-23T04:09:00Z")
        page = await http.post("/tips/status", data={"receipt": receipt})
        assert page.status_code == 200
        assert found["word"] in page.text
        assert receipt not in page.text
    other = ItemTaken(item_id=new_id(), source="trouble", taken_by=who, taken_at=at)
    await feeder.feed(other)


async def test_a_dismissed_tip_says_so_kindly(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    receipt = (await submit(http)).json()["receipt"]
    [tip] = await tips_told(kit)
    gone = ItemDismissed(item_id=tip.tip_id, source="tip", dismissed_by=new_id(), dismissed_at=NOON)
    await Feeder(SERVICE, kit).feed(gone)
    assert (await state(http, receipt))["state"] == "dismissed"
    page = await http.post("/tips/status", data={"receipt": receipt})
    assert "已核查，尚不足以采取行动" in page.text


async def test_an_unknown_receipt_is_not_found(http: httpx.AsyncClient) -> None:
    await submit(http)
    for wrong in ("ABCD-1234-EFGH-5678", "x", "\u00fc"):
        answer = await http.get("/api/tips/status", headers={"X-Receipt": wrong.encode()})
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_receipt")
    assert (await http.get("/api/tips/status")).status_code == 422
    page = await http.post("/tips/status", data={"receipt": "ABCD-1234"})
    assert page.status_code == 404
    assert 'value="ABCD-1234"' in page.text
    assert "没有这个回执号" in page.text
    assert "请填写回执号" in (await http.post("/tips/status", data={"receipt": " "})).text


async def test_faults_come_all_at_once_and_write_nothing(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    answer = await submit(http, text="房", ground="gossip", case_number="张三的案子", contact="\x07", more="x")
    assert answer.status_code == 422
    faulty = {error["field"] for error in answer.json()["errors"]}
    assert faulty == {"text", "ground", "case_number", "contact", "more"}
    assert await told(kit) == []


async def fill_in(http: httpx.AsyncClient, **form: str) -> tuple[dict[str, str], httpx.Response]:
    once = re.search(r'name="once" value="([^"]+)"', (await http.get("/tips")).text)
    assert once
    filled = {"once": once[1], "ground": "property", "text": BODY, "case_number": "", "contact": "", **form}
    return filled, await http.post("/tips", data=filled)


async def test_the_form_shows_the_receipt_once(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    form, answer = await fill_in(http, contact=CONTACT)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    shown = RECEIPT.search(answer.text)
    assert shown
    assert (await state(http, shown[0]))["state"] == "received"
    again = await http.post("/tips", data=form)
    assert shown[0] in again.text, "a reload of the answer is no second tip"
    changed = await http.post("/tips", data=form | {"text": "另外，被执行人还有一辆车。"})
    assert changed.status_code == 201
    assert shown[0] not in changed.text
    assert len(await tips_told(kit)) == 2
    for path in ("/tips", "/tips/status"):
        assert shown[0] not in (await http.get(path)).text


async def test_the_form_keeps_what_was_typed_and_shows_faults_beside_the_fields(
    kit: Kit[Any], http: httpx.AsyncClient
) -> None:
    _, answer = await fill_in(http, text="房<b>", ground="urgent", case_number="不知道", contact=CONTACT)
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 2
    assert "房&lt;b&gt;</textarea>" in answer.text
    assert 'value="不知道"' in answer.text
    assert f'value="{CONTACT}"' in answer.text
    assert re.search(r'value="urgent" checked', answer.text)
    _, long = await fill_in(http, text="长" * 10_000)
    assert long.status_code == 422
    assert "最多5000个字" in long.text
    assert await told(kit) == []


async def test_nothing_is_chosen_beforehand_and_a_tip_without_its_ground_is_asked_about(
    kit: Kit[Any], http: httpx.AsyncClient
) -> None:
    page = (await http.get("/tips")).text
    assert 'name="ground"' in page
    assert " checked" not in page
    assert re.search(r'<a class="back-link no-print" href="/">.*返回首页</a>', page)
    for ground in ("", " "):
        _, answer = await fill_in(http, ground=ground)
        assert answer.status_code == 422
        assert '<a href="#f-ground">' in answer.text
    assert await told(kit) == []


async def test_one_source_is_held_back_and_nobody_else(kit: Kit[Any]) -> None:
    strict = replace(kit, settings=TipSettings(per_source=2, per_seconds=600))
    async with sources(strict, "203.0.113.7", "198.51.100.9", "2001:db8::1", "2001:db8::2") as (one, other, six, near):
        await submit(one, text="房")
        assert [(await submit(one)).status_code for _ in range(2)] == [201, 201], "a faulty one is not counted"
        refused = await submit(one)
        assert (refused.status_code, refused.json()["code"]) == (429, "too_many_tips")
        assert 0 < int(refused.headers["retry-after"]) <= 601
        _, page = await fill_in(one)
        assert page.status_code == 429
        assert f"{BODY}</textarea>" in page.text, "nothing that was written is lost"
        assert kit.court.duty_phone in page.text
        assert (await submit(other)).status_code == 201
        answers_of_one_household = [(await submit(each)).status_code for each in (six, near, six)]
        assert answers_of_one_household == [201, 201, 429]


async def test_a_retry_gets_its_old_receipt_before_any_limit_is_counted(kit: Kit[Any]) -> None:
    strict = replace(kit, settings=TipSettings(per_source=1, per_seconds=600))
    async with sources(strict, "203.0.113.7") as [one]:
        first = await submit(one, "lost-answer")
        again = [await submit(one, "lost-answer") for _ in range(3)]
        assert {(answer.status_code, answer.text) for answer in again} == {(201, first.text)}
        assert (await submit(one, "another")).status_code == 429
    assert len(await rows(kit, store.submissions)) == 1


async def test_the_limit_counts_right_when_all_come_at_once(kit: Kit[Any]) -> None:
    strict = replace(kit, settings=TipSettings(per_source=3, per_seconds=600))
    async with sources(strict, "203.0.113.7") as [http]:
        answers_at_once = await asyncio.gather(*(submit(http) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers_at_once) == [201] * 3 + [429] * 5


async def test_all_processes_count_a_source_together_and_forget_it_in_time(kit: Kit[Any]) -> None:
    strict = replace(kit, settings=TipSettings(per_source=2, per_seconds=600))
    async with sources(strict, "203.0.113.7") as [one], sources(strict, "203.0.113.7") as [another]:
        answers_of_two = [(await submit(http)).status_code for http in (one, another, one, another)]
        assert answers_of_two == [201, 201, 429, 429]
        assert not any("203.0.113.7" in str(row) for row in await rows(kit, store.submissions))
        async with kit.db.begin() as tx:
            await tx.conn.execute(update(store.submissions).values(at=func.now() - timedelta(seconds=601)))
        assert (await submit(another)).status_code == 201
    assert len(await rows(kit, store.submissions)) == 1


async def tip_with_sender(kit: Kit[Any], http: httpx.AsyncClient, **tip: str) -> UUID:
    await submit(http, **tip)
    found: UUID = (await tips_told(kit))[-1].tip_id
    await take(kit, found)
    return found


async def take(kit: Kit[Any], tip_id: UUID) -> None:
    """The duty officer takes the tip at the desk."""
    taken = ItemTaken(item_id=tip_id, source="tip", taken_by=OFFICER, taken_at=NOON)
    await Feeder(SERVICE, kit).feed(taken)


async def test_every_look_at_a_sender_is_kept_with_its_reason(
    kit: Kit[Any], http: httpx.AsyncClient, duty: httpx.AsyncClient
) -> None:
    tip_id = await tip_with_sender(kit, http, contact=CONTACT)
    shown = await duty.post(f"/api/tip-senders/{tip_id}", json={"reason": "须核实线索所述楼栋号。"})
    assert shown.json() == {"contact": CONTACT}
    assert CONTACT not in (await duty.get(f"/tip-senders/{tip_id}")).text
    page = await duty.post(f"/tip-senders/{tip_id}", data={"reason": "再次核实楼栋号码。"})
    assert CONTACT in page.text
    reasons = [kit.keyring.open(row.reason, f"{tip_id}/look") for row in await rows(kit, store.looks)]
    assert reasons == ["须核实线索所述楼栋号。", "再次核实楼栋号码。"]
    assert all(row.looked_at == NOON for row in await rows(kit, store.looks))


async def test_who_supervises_sees_every_look_but_no_sender(
    kit: Kit[Any], http: httpx.AsyncClient, duty: httpx.AsyncClient
) -> None:
    tip_id = await tip_with_sender(kit, http, contact=CONTACT)
    for reason in ("须核实线索所述楼栋号。", "再次核实楼栋号码。", "第三次核实楼栋号。"):
        assert (await duty.post(f"/api/tip-senders/{tip_id}", json={"reason": reason})).status_code == 200
    [tip] = await tips_told(kit)
    for role in (Role.SUPERVISION, Role.INTEGRITY):
        async with client(SERVICE, kit, role) as watcher:
            first = (await watcher.get("/api/tip-senders?limit=2")).json()
            rest = (await watcher.get(f"/api/tip-senders?limit=2&cursor={first['next']}")).json()
            page = (await watcher.get("/tip-senders")).text
            narrowed = (await watcher.get("/tip-senders", params={"q": tip.tip_number[-6:]})).text
            nothing = (await watcher.get("/tip-senders", params={"q": "没有"})).text
            assert ("再次核实楼栋号码。" in narrowed, "再次核实楼栋号码。" in nothing) == (True, False)
            assert (await watcher.get(f"/tip-senders/{tip_id}")).status_code == 403
        seen = [*first["items"], *rest["items"]]
        assert [look["reason"] for look in seen] == [
            "第三次核实楼栋号。",
            "再次核实楼栋号码。",
            "须核实线索所述楼栋号。",
        ]
        assert {(look["tip_number"], look["staff_name"]) for look in seen} == {(tip.tip_number, "测试值班员")}
        assert rest["next"] is None
        assert "再次核实楼栋号码。" in page
        assert 'href="/looks" aria-current="page"' in page
        assert not any(CONTACT in text for text in (str(seen), page))
    assert (await duty.get("/api/tip-senders")).status_code == 403


async def test_one_look_that_cannot_be_read_hides_no_other(
    kit: Kit[Any], http: httpx.AsyncClient, duty: httpx.AsyncClient
) -> None:
    tip_id = await tip_with_sender(kit, http, contact=CONTACT)
    for reason in ("核实李证人所述地址。", "核实车辆停放的地点。"):
        await duty.post(f"/api/tip-senders/{tip_id}", json={"reason": reason})
    first, _ = await rows(kit, store.looks)
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(store.looks).where(store.looks.c.id == first.id).values(reason="k0.x"))
    async with client(SERVICE, kit, Role.SUPERVISION) as watch:
        reasons = [look["reason"] for look in (await watch.get("/api/tip-senders")).json()["items"]]
        assert reasons == ["核实车辆停放的地点。", "（内容无法读取，请告知系统管理员）"]


async def test_without_a_reason_or_the_power_nobody_looks(
    kit: Kit[Any], http: httpx.AsyncClient, duty: httpx.AsyncClient
) -> None:
    tip_id = await tip_with_sender(kit, http, contact=CONTACT)
    assert (await duty.post(f"/api/tip-senders/{tip_id}", json={"reason": " "})).status_code == 422
    for reason in ("", "核实。", " 核 实 情 况 "):
        page = await duty.post(f"/tip-senders/{tip_id}", data={"reason": reason})
        assert page.status_code == 422
    assert "至少8个字" in page.text
    assert CONTACT not in page.text
    async with client(SERVICE, kit, Role.CHIEF) as chief:
        for path in (f"/api/tip-senders/{tip_id}", f"/tip-senders/{tip_id}"):
            assert (await chief.post(path, json={"reason": "我想知道他是谁。"})).status_code == 403
    assert (await http.post(f"/api/tip-senders/{tip_id}", json={"reason": "我想知道他是谁。"})).status_code == 401
    assert await rows(kit, store.looks) == []


async def test_only_who_took_the_tip_looks_and_the_look_is_told_of(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    tip_id = await tip_with_sender(kit, http, contact=CONTACT)
    reason = {"reason": "须核实线索所述楼栋号。"}
    async with client(SERVICE, kit, Role.DUTY) as colleague:
        refused = await colleague.post(f"/api/tip-senders/{tip_id}", json=reason)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_taken")
        assert "请先在值班台接手" in (await colleague.post(f"/tip-senders/{tip_id}", data=reason)).text
    assert await told(kit, LookTaken) == []
    async with client(SERVICE, kit, Role.DUTY, staff_id=OFFICER) as officer:
        assert (await officer.post(f"/api/tip-senders/{tip_id}", json=reason)).json() == {"contact": CONTACT}
    (look,) = await told(kit, LookTaken)
    assert (look.seen, look.subject, look.by) == (Seen.SENDER, tip_id, OFFICER)


async def test_a_tip_without_a_sender_says_so(kit: Kit[Any], http: httpx.AsyncClient, duty: httpx.AsyncClient) -> None:
    tip_id = await tip_with_sender(kit, http)
    answer = await duty.post(f"/api/tip-senders/{tip_id}", json={"reason": "须核实线索所述楼栋号。"})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_sender")
    assert (await duty.get(f"/tip-senders/{new_id()}")).status_code == 404


async def test_a_contact_opens_only_as_its_own_tips(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    one = await tip_with_sender(kit, http, contact=CONTACT)
    two = await tip_with_sender(kit, http, contact="另一个人")
    [first, second] = [row.contact for row in await rows(kit, store.senders)]
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(store.senders).where(store.senders.c.tip_id == one).values(contact=second))
    assert first != second
    async with client(SERVICE, kit, Role.DUTY, staff_id=OFFICER) as duty:
        swapped = await duty.post(f"/api/tip-senders/{one}", json={"reason": "须核实线索所述楼栋号。"})
        assert (swapped.status_code, swapped.json()) == (200, {"contact": UNREADABLE_TEXT})
        assert "另一个人" not in swapped.text
        assert (await duty.post(f"/api/tip-senders/{two}", json={"reason": "须核实线索所述地址。"})).status_code == 200
