"""The pages of party_notification on a real database: a party's visit, the check of a notice."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from services.party_notification.domain.wording import VERIFY_PAGE
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.registering import list_contacts
from shared.bus.lanes import Verdict
from shared.clock import court_date
from shared.contracts.notices import NoticeIssued, NoticeServed
from shared.contracts.stages import DeadlineMet, DeadlineWithdrawn, Milestone, MilestoneReached
from shared.db.transaction import new_id
from shared.http.app import build_app
from shared.http.routes import Zone
from shared.runtime.service import Kit
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person, settled
from tests.fixtures.kits import NOON, client, told

HTML = {"accept": "text/html"}
TODAY = "2026年11月23日（周一）"


@pytest.fixture
def story(kit: Kit[Any]) -> Story:
    return Story(kit)


@pytest.fixture
async def web(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as web:
        web.headers.update(HTML)
        yield web


async def enter(web: httpx.AsyncClient, code: str, last_six: str) -> httpx.Response:
    return await web.post("/p", data={"code": code, "last_six": last_six})


def text_of(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text[:500]
    return page.text


# A party's visit ------------------------------------------------------------------------------------------------


async def test_a_party_enters_and_the_cookie_is_for_their_pages_alone(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    answer = await enter(web, f" {(await story.code(applicant)).lower()} ", "０６０００５")
    assert (answer.status_code, answer.headers["location"]) == (303, "/p/case")
    (cookie,) = [each for each in answer.headers.get_list("set-cookie") if each.startswith("yg_party=")]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/p;" in f"{cookie};"
    assert "Secure" not in cookie
    assert kit.party_sessions.party(web.cookies["yg_party"]).party_id == applicant.party_id
    left = await web.post("/p/leave")
    assert (left.status_code, left.headers["location"]) == (303, "/p")
    away = await web.get("/p/case")
    assert (away.status_code, away.headers["location"]) == (303, "/p")


async def test_behind_tls_the_cookie_is_secure(kit: Kit[Any], story: Story) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    behind_tls = replace(kit, run=kit.run.model_copy(update={"site_url": "https://zhixing.court.example"}))
    async with client(SERVICE, behind_tls) as web:
        answer = await enter(web, await story.code(applicant), "060005")
    assert "Secure" in answer.headers["set-cookie"]


async def test_wrong_tries_lock_that_code_alone_and_say_until_when(story: Story, web: httpx.AsyncClient) -> None:
    applicant, respondent = person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6)
    await story.file(applicant, respondent)
    code = await story.code(applicant)
    unknown = await enter(web, "ZZZZZZZZ", "060005")
    wrong = [await enter(web, code, "060006") for _ in range(5)]
    assert [answer.status_code for answer in (unknown, *wrong)] == [422] * 6
    assert "后六位不正确" in wrong[0].text
    assert f'value="{code}"' in wrong[0].text
    assert "060006" not in wrong[0].text
    assert wrong[0].text.replace(code, "ZZZZZZZZ") == unknown.text, "nobody learns which codes there are"
    locked = await enter(web, code, "060005")
    assert locked.status_code == 429
    assert 0 < int(locked.headers["retry-after"]) <= 900
    assert re.search(rf"{TODAY}12:1[56]</strong>以后再试", locked.text)
    assert "12368" in locked.text
    assert "set-cookie" not in locked.headers
    assert (await enter(web, await story.code(respondent), "060006")).status_code == 303


async def test_an_empty_form_says_what_is_missing_beside_each_field(web: httpx.AsyncClient) -> None:
    answer = await enter(web, "", " ")
    assert answer.status_code == 422
    assert answer.text.count("此项必填") >= 4


async def test_the_case_page_says_where_it_stands_what_comes_and_whom_to_call(
    story: Story, web: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.run_clocks(case_id)
    await story.progress(case_id, 1, "查询不动产登记", "查得不动产一处。", APPLICANT)
    await enter(web, await story.code(applicant), "060005")
    page = text_of(await web.get("/p/case"))
    assert "（2026）渝05执5001号" in page
    assert re.search(r'aria-current="step".*?执行查证期', page, re.DOTALL)
    assert "今天 11月23日" in page
    assert "本院向被执行人发出执行通知书" in page
    assert "2026年11月26日（周四）" in page
    assert "2027年2月22日（周一）" in page
    assert "暂定" in page
    assert "2026年11月30日" not in page, "one date for one act"
    assert "2027年2月15日" not in page, "the court's reminder to itself is nobody else's"
    assert 'href="tel:023-12345701"' in page
    assert 'href="tel:023-12345678"' in page
    assert "查得不动产一处。" in page
    assert "打开即视为您已阅读" in page
    assert 'href="/tips"' in page
    assert "案款账户" not in page


async def test_a_party_sees_nothing_of_anybody_else(story: Story, web: httpx.AsyncClient) -> None:
    applicant, respondent = person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6)
    other = person(RESPONDENT, "王大明", 7)
    case_id = await story.file(applicant, respondent, other)
    await story.run_clocks(case_id)
    await story.progress(case_id, 1, "查询不动产登记", "查得不动产一处。", APPLICANT)
    await enter(web, await story.code(respondent), "060006")
    page = text_of(await web.get("/p/case"))
    assert "张静" in page
    for foreign in ("刘艳", "王大明", "1990000", "example.com</", "三峡广场", "查得不动产", "060006", "发出执行通知书"):
        assert foreign not in page, foreign
    assert "案款账户" in page
    strange = await web.get(f"/p/documents/{(await story.notice(other, 'ENFORCEMENT_NOTICE')).notice_id}")
    assert strange.status_code == 404
    assert await story.rows(tables.reads) == []


async def test_opening_a_document_is_read_evidence_and_serves_whoever_consented(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5, address_confirmed_on=None)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    assert {event.way for event in await told(kit, NoticeIssued)} == {"electronic"}
    await enter(web, await story.code(applicant), "060005")
    before = await story.notice(applicant, "CASE_ACCEPTED")
    assert before.served_on is None
    letter = await web.get(f"/p/documents/{before.notice_id}")
    assert letter.status_code == 200
    assert "受理通知书" in letter.text
    assert letter.headers["content-security-policy"].startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert "script" not in letter.headers["content-security-policy"]
    assert letter.headers["cache-control"] == "no-store"
    await settled(kit)
    after = await story.notice(applicant, "CASE_ACCEPTED")
    assert (after.served_on, after.served_by) == (court_date(NOON), "reading")
    assert [event.notice_id for event in await told(kit, NoticeServed)] == [before.notice_id]
    page = text_of(await web.get("/p/case"))
    assert page.count("已读</span>") == 1
    assert "2026年12月8日（周二）" in page, "fifteen days from the service"
    saved = await web.get(f"/p/documents/{before.notice_id}?download=1")
    await settled(kit)
    assert saved.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert saved.content == letter.content
    assert len(await told(kit, NoticeServed)) == 1, "reading again changes nothing"


async def test_reading_does_not_serve_whoever_did_not_consent(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    respondent = person(RESPONDENT, "张静", 6, consents=False)
    await story.file(person(APPLICANT, "刘艳", 5), respondent)
    await enter(web, await story.code(respondent), "060006")
    assert "纸质文书仍会另行送达" in text_of(await web.get("/p/case"))
    notice = await story.notice(respondent, "ENFORCEMENT_NOTICE")
    text_of(await web.get(f"/p/documents/{notice.notice_id}"))
    await settled(kit)
    assert len(await story.rows(tables.reads)) == 1
    assert (await story.notice(respondent, "ENFORCEMENT_NOTICE")).served_on is None


async def test_a_closed_case_says_so_and_asks_for_nothing(kit: Kit[Any], story: Story, web: httpx.AsyncClient) -> None:
    respondent = person(RESPONDENT, "张静", 6)
    case_id = await story.file(person(APPLICANT, "刘艳", 5), respondent)
    await story.run_clocks(case_id)
    for milestone in (Milestone.SERVICE, Milestone.ENFORCEMENT):
        await story.feeder.feed(MilestoneReached(case_id=case_id, milestone=milestone, on=court_date(NOON)))
    await story.feeder.feed(DeadlineMet(case_id=case_id, kind="statutory_limit", met_at=kit.clock.now()))
    await enter(web, await story.code(respondent), "060006")
    assert "本案已经结案" not in text_of(await web.get("/p/case")), "a clock that stopped closes nothing"
    await story.feeder.feed(MilestoneReached(case_id=case_id, milestone=Milestone.CLOSURE, on=court_date(NOON)))
    await settled(kit)
    page = text_of(await web.get("/p/case"))
    assert "本案已经结案" in page
    assert "您要做的" not in page
    assert "办案期限" not in page


async def test_a_closure_that_overtakes_the_filing_waits(story: Story) -> None:
    event = MilestoneReached(case_id=new_id(), milestone=Milestone.CLOSURE, on=court_date(NOON))
    assert await story.feeder.feed(event) == [Verdict.QUEUED]


async def test_limits_that_passed_are_told_and_not_hidden(kit: Kit[Any], story: Story, web: httpx.AsyncClient) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.run_clocks(case_id)
    kit.clock.move(timedelta(days=200))  # type: ignore[attr-defined]
    await enter(web, await story.code(applicant), "060005")
    page = text_of(await web.get("/p/case"))
    assert "已过期" not in page, "what is only provisional is never late"
    assert "暂定" in page
    assert "上一级人民法院申请执行" not in page
    await story.announce(case_id, statutory_limit=date(2027, 5, 20), upper_court_six_months=date(2027, 5, 18))
    await settled(kit)
    page = text_of(await web.get("/p/case"))
    assert "已过期" in page
    assert "2027年5月20日" in page
    assert "上一级人民法院申请执行" in page


async def test_a_withdrawn_clock_leaves_the_page(story: Story, web: httpx.AsyncClient) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.run_clocks(case_id)
    await enter(web, await story.code(applicant), "060005")
    assert "2027年2月22日" in text_of(await web.get("/p/case"))
    await story.feeder.feed(DeadlineWithdrawn(case_id=case_id, kind="court_limit"))
    await settled(story.kit)
    page = text_of(await web.get("/p/case"))
    assert "2027年2月22日" not in page
    assert "2027年5月20日" in page, "the next limit takes its place"


async def test_a_clue_deadline_that_is_over_is_not_told_as_if_it_ran(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    await enter(web, await story.code(applicant), "060005")
    await web.get(f"/p/documents/{(await story.notice(applicant, 'CASE_ACCEPTED')).notice_id}")
    await settled(kit)
    kit.clock.move(timedelta(days=30))  # type: ignore[attr-defined]
    await enter(web, await story.code(applicant), "060005")
    page = text_of(await web.get("/p/case"))
    assert "期限已于2026年12月8日届满" in page
    assert "仍然可以随时提供" in page
    assert "截止" not in page
    assert "已过期" not in page


# Open to anybody ------------------------------------------------------------------------------------------------


async def test_the_portal_has_three_doors_and_the_hotlines(web: httpx.AsyncClient) -> None:
    page = text_of(await web.get("/"))
    for href in ("/p", "/tips", "/verify", "/sign-in", "tel:12368"):
        assert f'href="{href}"' in page
    assert "party.js" in text_of(await web.get("/p"))
    assert f"<title>{VERIFY_PAGE}" in (await web.get("/verify")).text, (
        "letters send their readers to a page of this name"
    )


async def test_a_process_of_the_public_zone_shows_no_door_to_the_inner_network(story: Story) -> None:
    app = build_app(story.kit, SERVICE.title, SERVICE.routes, (Zone.PUBLIC,))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as http:
        page = text_of(await http.get("/"))
    assert 'href="/p"' in page
    assert "/sign-in" not in page


async def test_a_real_notice_is_recognized_and_names_nobody(
    kit: Kit[Any], story: Story, web: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    number = (await story.notice(applicant, "CASE_ACCEPTED")).number
    typed = f"{number[:4]}-{number[4:8]} {number[8:]}"
    while await list_contacts(kit):
        pass
    page = text_of(await web.post("/verify", data={"number": typed, "last_four": "0005"}))
    assert "受理通知书" in page
    assert f"{TODAY}12:00" in page
    assert "尚未发出" in page
    assert "刘艳" not in page
    assert "执5001" not in page
    wrong = [await web.post("/verify", data={"number": number, "last_four": "9999"}) for _ in range(5)]
    assert {answer.status_code for answer in wrong} == {422}
    assert "可能不是本院发出的通知" in wrong[0].text
    assert f'value="{number}"' in wrong[0].text
    locked = await web.post("/verify", data={"number": number, "last_four": "0005"})
    assert locked.status_code == 429
    assert int(locked.headers["retry-after"]) == 900
    assert f"{TODAY}12:16" in locked.text
    other = (await story.notice(applicant, "RIGHTS_RISKS")).number
    assert (await web.post("/verify", data={"number": other, "last_four": "0005"})).status_code == 200


async def test_an_unfinished_check_keeps_what_was_typed(web: httpx.AsyncClient) -> None:
    answer = await web.post("/verify", data={"number": "7319"})
    assert answer.status_code == 422
    assert 'value="7319"' in answer.text
    assert "此项必填" in answer.text
