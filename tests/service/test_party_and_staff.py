"""Staff cannot come in as the party: no code for them, no reading of theirs that counts, every look told of."""

import base64
import email
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute
from sqlalchemy import insert, update

from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.evidence import faults_of_bundle
from shared.clock import court_date
from shared.contracts.cases import JudgeCorrected, Officer
from shared.contracts.looks import LookTaken, Seen
from shared.contracts.notices import NoticeServed, ReadingDecided, ReadingDoubted
from shared.db.transaction import new_id
from shared.http.auth import STAFF_COOKIE
from shared.http.sources import DEVICE_COOKIE
from shared.powers import Action, Role, allowed
from shared.runtime.service import Kit
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person, settled
from tests.fixtures.kits import NOON, app_of, caller, client, in_public, told

HTML = {"accept": "text/html"}
HERE, ELSEWHERE = "127.0.0.1", "203.0.113.9"
"""Where the test client stands, and another address."""


@pytest.fixture
def story(kit: Kit[Any]) -> Story:
    return Story(kit)


@pytest.fixture
async def clerk(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as clerk:
        clerk.headers.update(HTML)
        yield clerk


async def read(kit: Kit[Any], story: Story, party: Any, last_six: str, **cookies: str) -> Any:
    """The party's page is entered from here, the notice of acceptance opened and weighed; the notice."""
    notice = await story.notice(party, "CASE_ACCEPTED")
    transport = httpx.ASGITransport(app_of(SERVICE, kit), client=(HERE, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", cookies=cookies, headers=HTML) as web:
        form = {"code": await story.code(party), "last_six": last_six}
        assert (await web.post("/p", data=form)).status_code == 303
        assert (await web.get(f"/p/documents/{notice.notice_id}")).status_code == 200
        assert DEVICE_COOKIE in {cookie.name for cookie in web.cookies.jar}
        page = (await web.get("/p/case")).text
        assert page.count("已读</span>") == 1
    await settled(kit)
    return await story.notice(party, "CASE_ACCEPTED")


def unconfirmed(name: str = "刘艳", number: int = 5) -> Any:
    return person(APPLICANT, name, number, address_confirmed_on=None)


# Readings -------------------------------------------------------------------------------------------------------


async def test_a_reading_from_where_no_staff_was_serves_and_keeps_its_evidence(kit: Kit[Any], story: Story) -> None:
    applicant = unconfirmed()
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.staff_at(ELSEWHERE, "d" * 22)
    notice = await read(kit, story, applicant, "060005")
    assert notice.served_by == "reading"
    (reading,) = await story.rows(tables.readings)
    assert HERE not in str(reading)
    evidence = json.loads(kit.keyring.open(reading.evidence, f"{reading.reading_id}/reading"))
    assert evidence["source"] == HERE
    assert UUID(evidence["visit"]) == reading.visit
    assert evidence["entered_at"]


@pytest.mark.parametrize(
    ("source", "device", "why"), [(HERE, None, "网络地址"), (ELSEWHERE, "m" * 43, "设备")], ids=["address", "device"]
)
async def test_a_reading_from_where_staff_were_signed_in_is_no_service_but_a_task(
    kit: Kit[Any], story: Story, source: str, device: str | None, why: str
) -> None:
    applicant = unconfirmed()
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.staff_at(source, device)
    notice = await read(kit, story, applicant, "060005", **({DEVICE_COOKIE: device} if device else {}))
    assert notice.served_on is None
    assert await told(kit, NoticeServed) == []
    (doubted,) = await told(kit, ReadingDoubted)
    assert (doubted.notice_id, why in doubted.reason) == (notice.notice_id, True)
    assert HERE not in doubted.model_dump_json()


async def test_a_reading_from_the_courts_own_network_waits_for_a_person(kit: Kit[Any], story: Story) -> None:
    """Where the public site has a name of its own, nothing else connects a desk inside with who reads there."""
    applicant = unconfirmed()
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    kit.court.networks = f"2001:db8::/32, {ip_network(f'{HERE}/24', strict=False)}"
    assert (await read(kit, story, applicant, "060005")).served_on is None
    (doubted,) = await told(kit, ReadingDoubted)
    assert "法院自身的网络" in doubted.reason


async def test_a_reading_whose_evidence_is_none_waits_for_a_person_and_holds_up_no_other(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    """As a stolen public process may leave it: sealed by another key, or sealed well with nothing of use in it."""
    first, second = unconfirmed(), unconfirmed("孙丽", 8)
    for applicant, tail in ((first, 6), (second, 9)):
        await story.file(applicant, person(RESPONDENT, "张静", tail))
    for applicant, tail in ((first, "060005"), (second, "060008")):
        assert (await read(kit, story, applicant, tail)).served_by == "reading"
    one, two = await story.rows(tables.readings)
    for row, evidence in ((one, "k1.spoilt"), (two, kit.drop.seal('{"source": 7}', f"{two.reading_id}/reading"))):
        async with kit.db.begin() as tx:
            change = update(tables.readings).where(tables.readings.c.reading_id == row.reading_id)
            await tx.conn.execute(change.values(evidence=evidence, state="new"))
    await settled(kit)
    assert {row.state for row in await story.rows(tables.readings)} == {"doubtful"}
    page = (await clerk.get("/unknown/readings")).text
    assert page.count("来源记录无法读取") == 2
    form = {f"own-{one.reading_id}": "no", f"remark-{one.reading_id}": "不能核实来源。"}
    assert (await clerk.post(f"/unknown/readings/{one.reading_id}", data=form)).status_code == 303


BEFORE, AFTER = timedelta(days=-200), timedelta(days=200)


async def forged(kit: Kit[Any], notice: Any, at: datetime, **spoilt: Any) -> UUID:
    """As a thief in the public process writes it, with the key that seals evidence; the reading's id."""
    reading_id, visit = new_id(), new_id()
    told = {"source": ELSEWHERE, "device": None, "visit": str(visit), "entered_at": at.isoformat()}
    evidence = {**told, "read_at": at.isoformat(), **spoilt.pop("evidence", {})}
    row = {"notice_id": notice.notice_id, "party_id": notice.party_id, "visit": visit, "read_at": at, **spoilt}
    sealed = kit.drop.seal(json.dumps(evidence), f"{reading_id}/reading")
    async with in_public(kit).db.begin() as tx:
        await tx.conn.execute(insert(tables.readings).values(reading_id=reading_id, evidence=sealed, **row))
    return reading_id


@pytest.mark.parametrize(
    ("by", "spoilt", "why"),
    [
        (BEFORE, {}, "早于文书制作"),
        (AFTER, {}, "晚于系统收到"),
        (timedelta(0), {"party_id": new_id()}, "不是该文书的收件人"),
        (timedelta(0), {"visit": new_id()}, "来源记录不一致"),
        (timedelta(0), {"evidence": {"read_at": (NOON - timedelta(days=1)).isoformat()}}, "来源记录不一致"),
    ],
    ids=["before", "after", "party", "visit", "evidence"],
)
async def test_a_reading_that_cannot_have_been_so_serves_nobody_on_no_day(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient, by: timedelta, spoilt: dict[str, Any], why: str
) -> None:
    applicant = unconfirmed()
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    notice = await story.notice(applicant, "CASE_ACCEPTED")
    reading_id = await forged(kit, notice, notice.issued_at + by, **spoilt)
    await settled(kit)
    (doubted,) = await told(kit, ReadingDoubted)
    assert why in doubted.reason
    assert why in (await clerk.get("/unknown/readings")).text
    assert (await story.notice(applicant, "CASE_ACCEPTED")).served_on is None
    kit.clock.move(2 * AFTER if by == AFTER else timedelta(0))  # type: ignore[attr-defined]
    form = {f"own-{reading_id}": "yes", f"remark-{reading_id}": "当事人说看过。"}
    answer = await clerk.post(f"/unknown/readings/{reading_id}", data=form)
    possible = why == "来源记录不一致"
    assert (answer.status_code, "不可能是本人阅读" in answer.text) == ((303, False) if possible else (409, True))
    served = (await story.notice(applicant, "CASE_ACCEPTED")).served_on
    assert served == (court_date(NOON) if possible else None)
    if not possible:
        form[f"own-{reading_id}"] = "no"
        assert (await clerk.post(f"/unknown/readings/{reading_id}", data=form)).status_code == 303


async def test_the_clock_of_another_machine_may_be_a_little_ahead(kit: Kit[Any], story: Story) -> None:
    applicant = unconfirmed()
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    notice = await story.notice(applicant, "CASE_ACCEPTED")
    kit.clock.move(timedelta(hours=11, minutes=59, seconds=30))  # type: ignore[attr-defined]
    await forged(kit, notice, kit.clock.now() + timedelta(seconds=50))
    await settled(kit)
    assert (await story.notice(applicant, "CASE_ACCEPTED")).served_on == court_date(kit.clock.now()), "no later day"


async def test_after_thirty_days_a_place_casts_no_doubt(kit: Kit[Any], story: Story) -> None:
    applicant = unconfirmed()
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.staff_at(HERE)
    kit.clock.move(timedelta(days=30, minutes=1))  # type: ignore[attr-defined]
    assert (await read(kit, story, applicant, "060005")).served_by == "reading"


async def test_a_person_judges_a_doubtful_reading_with_a_reason_and_never_in_their_own_case(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    first, second = unconfirmed(), unconfirmed("孙丽", 8)
    for applicant, tail in ((first, 6), (second, 9)):
        await story.file(applicant, person(RESPONDENT, "张静", tail))
    await story.staff_at(HERE)
    await read(kit, story, first, "060005")
    await read(kit, story, second, "060008")
    one, two = await story.rows(tables.readings)
    page = (await clerk.get("/unknown/readings")).text
    for words in ("待核实的阅读", "受理通知书", "法官甲", "系当事人本人阅读", "不能认定"):
        assert words in page, words
    empty = await clerk.post(f"/unknown/readings/{one.reading_id}", data={})
    assert (empty.status_code, "此项必填" in empty.text) == (422, True)
    cases = {row.case_id: row.judge_id for row in await story.rows(tables.cases)}
    judge = cases[(await story.notice(first, "CASE_ACCEPTED")).case_id]
    worker = kit.staff_signer.for_staff(caller(Role.CLERK, judge), timedelta(minutes=5))
    ruling = {"own": True, "remark": "当事人在大厅用自己的手机查看。"}
    path = f"/api/notices/readings/{one.reading_id}/ruling"
    own = await clerk.post(path, json=ruling, headers={"authorization": f"Bearer {worker}"})
    assert (own.status_code, "本案的承办人员" in own.text) == (403, True)
    form = {f"own-{one.reading_id}": "yes", f"remark-{one.reading_id}": "当事人在大厅用自己的手机查看。"}
    assert (await clerk.post(f"/unknown/readings/{one.reading_id}", data=form)).status_code == 303
    form = {f"own-{two.reading_id}": "no", f"remark-{two.reading_id}": "当事人称没有打开过。"}
    assert (await clerk.post(f"/unknown/readings/{two.reading_id}", data=form)).status_code == 303
    assert (await clerk.post(f"/unknown/readings/{two.reading_id}", data=form)).status_code == 409
    assert [event.own for event in await told(kit, ReadingDecided)] == [True, False]
    served = {row.notice_id for row in await story.rows(tables.notices) if row.served_by == "reading"}
    assert served == {one.notice_id}
    assert "理由：当事人称没有打开过。" in (await clerk.get(f"/notices/{two.notice_id}")).text
    assert "没有待核实的阅读" in (await clerk.get("/unknown/readings")).text


async def test_a_browser_signed_in_as_staff_is_refused_at_every_door_of_the_party(kit: Kit[Any], story: Story) -> None:
    applicant = unconfirmed()
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    notice, form = await story.notice(applicant, "CASE_ACCEPTED"), {"last_six": "060005"}
    async with client(SERVICE, kit) as web:
        web.headers.update(HTML)
        assert (await web.post("/p", data={"code": await story.code(applicant), **form})).status_code == 303
        web.cookies.set(STAFF_COOKIE, kit.staff_signer.for_staff(caller(Role.JUDGE), timedelta(minutes=5)))
        entering = web.post("/p", data={"code": await story.code(applicant), **form})
        for answer in (
            await web.get("/p"),
            await entering,
            await web.get("/p/case"),
            await web.get(f"/p/documents/{notice.notice_id}"),
        ):
            assert answer.status_code == 403
            assert "请先退出工作账号" in answer.text
            assert "或者换用自己的手机、电脑查询。</li>" in answer.text
            assert "联系执行管理部门" not in answer.text
    assert await story.rows(tables.readings) == []


# Codes ----------------------------------------------------------------------------------------------------------


def _everything(answer: httpx.Response) -> str:
    """What an answer says, with all that is wrapped in Base64 in it, twice over."""
    texts = [answer.text]
    for _ in range(3):
        found = re.findall(r"[A-Za-z0-9+/\\n\r\n]{24,}={0,2}", texts[-1])
        opened = (_opened(re.sub(r"\\n|\s", "", each)) for each in found)
        texts.append("\n".join(opened))
    return "\n".join(texts)


def _opened(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode("utf-8", "ignore")
    except ValueError:
        return ""


@pytest.mark.parametrize("role", list(Role))
async def test_no_staff_route_gives_a_query_code_away(kit: Kit[Any], story: Story, role: Role) -> None:
    applicant, respondent = person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6, consents=False)
    case_id = await story.file(applicant, respondent)
    codes = [await story.code(applicant), await story.code(respondent)]
    known = {
        "notice_id": [row.notice_id for row in await story.rows(tables.notices)],
        "paper_id": [row.paper_id for row in await story.rows(tables.paper)],
        "case_id": [case_id],
    }
    walked = 0
    async with client(SERVICE, kit, role) as web:
        for route in [each for routes in SERVICE.routes for each in routes.router.routes]:
            assert isinstance(route, APIRoute)
            if "GET" not in route.methods or (route.openapi_extra or {})["x-permission"] == "public":
                continue
            names = re.findall(r"\{(\w+)\}", route.path)
            for value in known[names[0]] if names else [None]:
                path = route.path if value is None else route.path.replace(f"{{{names[0]}}}", str(value))
                answer = await web.get(path)
                assert answer.status_code in {200, 403}, path
                walked += answer.status_code == 200
                shown = _everything(answer)
                assert not [code for code in codes if code in shown], path
    assert walked or not allowed(Action.NOTICES_READ, frozenset({role}))


async def test_a_letter_for_staff_has_neither_code_nor_picture_and_the_look_is_told_of(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6))
    notice, code = await story.notice(applicant, "CASE_ACCEPTED"), await story.code(applicant)
    letter = await clerk.get(f"/notices/{notice.notice_id}/letter")
    assert "受理通知书" in letter.text
    assert "＊＊＊＊＊＊＊＊" in letter.text
    assert code not in letter.text
    assert "image/png" not in letter.text
    (look,) = await told(kit, LookTaken)
    assert (look.seen, look.subject, look.case_id, look.own) == (Seen.LETTER, notice.notice_id, case_id, False)
    assert look.by_name == "测试立案人员"


async def test_evidence_shows_what_was_sent_without_code_and_address_and_names_the_exact_digest(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    notice, code = await story.notice(applicant, "CASE_ACCEPTED"), await story.code(applicant)
    bundle = (await clerk.get(f"/api/notices/{notice.notice_id}/evidence")).json()
    assert faults_of_bundle(json.dumps(bundle).encode(), kit.signing.keys) == []
    content = json.loads(bundle["content"])
    assert content["notice"]["letter_sha256"] == notice.letter_sha256
    by_channel = {each["channel"]: each for each in content["messages"]}
    assert by_channel["sms"]["to"] == "199****0005"
    sms = base64.b64decode(by_channel["sms"]["bytes"]).decode()
    assert "＊＊＊＊＊＊＊＊" in sms
    mail = email.message_from_bytes(base64.b64decode(by_channel["mail"]["bytes"]))
    parts = [part.get_payload(decode=True) for part in mail.walk() if not part.is_multipart()]
    assert len(parts) == 5
    text = "".join(part.decode() for part in parts if isinstance(part, bytes))
    assert "受理通知书" in text
    assert code not in text
    assert "p5@example.com" not in json.dumps(content)
    assert [look.seen for look in await told(kit, LookTaken)] == [Seen.EVIDENCE]


async def test_letters_with_codes_are_printed_by_a_clerk_who_does_not_work_the_case_and_that_is_kept(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    respondent = person(RESPONDENT, "张静", 6, consents=False)
    await story.file(person(APPLICANT, "刘艳", 5), respondent)
    (entry,), (case,) = await story.rows(tables.paper), await story.rows(tables.cases)
    path = f"/paper/{entry.paper_id}/print"
    assert (await clerk.get(path)).status_code == 405
    own = kit.staff_signer.for_staff(caller(Role.CLERK, case.judge_id), timedelta(minutes=5))
    refused = await clerk.post(path, headers={"authorization": f"Bearer {own}"})
    assert (refused.status_code, "不承办本案" in refused.text) == (403, True)
    await story.hand_on(case.case_id, clerk_name="王小明")
    former = replace(caller(Role.CLERK), name="李小红")
    token = kit.staff_signer.for_staff(former, timedelta(minutes=5))
    refused = await clerk.post(path, headers={"authorization": f"Bearer {token}"})
    assert (refused.status_code, "曾经承办" in refused.text) == (403, True), "another clerk's name makes no stranger"
    signed = {"act": "served", "on": "2026-11-23", "tracking": None}
    at = f"/api/notices/paper/{entry.paper_id}"
    refused = await clerk.post(at, json=signed, headers={"authorization": f"Bearer {token}"})
    assert (refused.status_code, refused.json()["code"]) == (403, "own_case"), "nothing but their word would say so"
    shown = await clerk.get("/paper", headers={"authorization": f"Bearer {token}"})
    assert ("由不承办本案的立案人员交付并登记" in shown.text, f'name="on-{entry.paper_id}' in shown.text) == (
        True,
        False,
    )
    printed = await clerk.post(path)
    assert printed.status_code == 200
    assert await story.code(respondent) in printed.text
    assert printed.headers["cache-control"] == "no-store"
    (look,) = await told(kit, LookTaken)
    assert (look.seen, look.subject) == (Seen.PRINTING, entry.paper_id)
    assert "测试立案人员打印" in (await clerk.get("/paper")).text
    assert [row.kind for row in await story.rows(tables.LEDGER.entries)].count("paper.printed") == 1
    posted = {"act": "posted", "on": None, "tracking": "1234567890123"}
    for act in (posted, signed):
        done = await clerk.post(at, json=act, headers={"authorization": f"Bearer {token}"})
        assert done.status_code == 204, "what anybody can look up with the post is the case's clerk's ordinary work"


async def test_who_handled_a_case_once_is_no_stranger_to_it(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    """Known by their id, whatever their name is now, or by a name that stood in the case: neither prints nor judges."""
    applicant = unconfirmed()
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6, consents=False))
    reading = await story.doubtful_reading(applicant, (await story.notice(applicant, "CASE_ACCEPTED")).notice_id)
    (entry,), (case,) = await story.rows(tables.paper), await story.rows(tables.cases)
    renamed = Officer(staff_id=case.judge_id, name="欧阳建民", phone="023-12345701")
    await story.feeder.feed(JudgeCorrected(case_id=case_id, judge=renamed))
    await story.hand_on(case_id, clerk_name="王小明")
    plain = caller(Role.CLERK)
    former = [caller(Role.CLERK, case.judge_id), replace(plain, name="欧阳建民"), replace(plain, name="李小红")]
    ruling = {"own": True, "remark": "当事人在大厅用自己的手机查看。"}
    for who in former:
        token = kit.staff_signer.for_staff(who, timedelta(minutes=5))
        theirs = {"authorization": f"Bearer {token}"}
        assert "请由不承办本案的立案人员打印" in (await clerk.get("/paper", headers=theirs)).text, who.name
        assert (await clerk.post(f"/paper/{entry.paper_id}/print", headers=theirs)).status_code == 403, who.name
        judged = await clerk.post(f"/api/notices/readings/{reading}/ruling", json=ruling, headers=theirs)
        assert (judged.status_code, "曾经是本案的承办人员" in judged.text) == (403, True), who.name
    assert "请由不承办本案的立案人员打印" not in (await clerk.get("/paper")).text
    assert (await clerk.post(f"/api/notices/readings/{reading}/ruling", json=ruling)).status_code < 300
