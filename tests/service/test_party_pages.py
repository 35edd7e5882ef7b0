"""The pages of party_notification on a real database: a party's visit, the check of a notice, the clerk's worklists."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest

from services.party_notification.domain.delivery import Seen
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.evidence import faults_of_bundle
from services.party_notification.usecases.observing import Sighting, note
from shared.clock import court_date
from shared.contracts.notices import NoticeIssued, NoticeSent, NoticeServed
from shared.contracts.stages import DeadlineMet
from shared.powers import Role
from shared.runtime.service import Kit
from tests.conftest import FreshDatabase
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person
from tests.fixtures.kits import NOON, client, make_kit, told

HTML = {"accept": "text/html"}
TODAY = "2026年11月23日（周一）"


@pytest.fixture
async def kit(fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    kit = await make_kit(SERVICE, await fresh_database())
    yield kit
    await kit.db.close()


@pytest.fixture
def story(kit: Kit[Any]) -> Story:
    return Story(kit)


@pytest.fixture
async def web(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as web:
        web.headers.update(HTML)
        yield web


@pytest.fixture
async def clerk(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as clerk:
        clerk.headers.update(HTML)
        yield clerk


async def enter(web: httpx.AsyncClient, code: str, last_six: str) -> httpx.Response:
    return await web.post("/p", data={"code": code, "last_six": last_six, "csrf": ""})


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
    (cookie,) = answer.headers.get_list("set-cookie")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Path=/p;" in f"{cookie};"
    assert "Secure" not in cookie
    assert kit.tokens.party(web.cookies["yg_party"]).party_id == applicant.party_id
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
    after = await story.notice(applicant, "CASE_ACCEPTED")
    assert (after.served_on, after.served_by) == (court_date(NOON), "reading")
    assert [event.notice_id for event in await told(kit, NoticeServed)] == [before.notice_id]
    page = text_of(await web.get("/p/case"))
    assert page.count("已读</span>") == 1
    assert "2026年12月8日（周二）" in page, "fifteen days from the service"
    saved = await web.get(f"/p/documents/{before.notice_id}?download=1")
    assert saved.headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert saved.content == letter.content
    assert len(await told(kit, NoticeServed)) == 1, "reading again changes nothing"


async def test_reading_does_not_serve_whoever_did_not_consent(story: Story, web: httpx.AsyncClient) -> None:
    respondent = person(RESPONDENT, "张静", 6, consents=False)
    await story.file(person(APPLICANT, "刘艳", 5), respondent)
    await enter(web, await story.code(respondent), "060006")
    assert "纸质文书仍会另行送达" in text_of(await web.get("/p/case"))
    notice = await story.notice(respondent, "ENFORCEMENT_NOTICE")
    text_of(await web.get(f"/p/documents/{notice.notice_id}"))
    assert len(await story.rows(tables.reads)) == 1
    assert (await story.notice(respondent, "ENFORCEMENT_NOTICE")).served_on is None


async def test_a_closed_case_says_so_and_asks_for_nothing(kit: Kit[Any], story: Story, web: httpx.AsyncClient) -> None:
    respondent = person(RESPONDENT, "张静", 6)
    case_id = await story.file(person(APPLICANT, "刘艳", 5), respondent)
    await story.run_clocks(case_id)
    for kind in ("court_limit", "statutory_limit"):
        await story.feeder.feed(DeadlineMet(case_id=case_id, kind=kind, met_at=kit.clock.now()))
    await enter(web, await story.code(respondent), "060006")
    page = text_of(await web.get("/p/case"))
    assert "本案已经结案" in page
    assert "您要做的" not in page
    assert "办案期限" not in page


async def test_limits_that_passed_are_told_and_not_hidden(kit: Kit[Any], story: Story, web: httpx.AsyncClient) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6))
    await story.run_clocks(case_id)
    kit.clock.move(timedelta(days=200))  # type: ignore[attr-defined]
    await enter(web, await story.code(applicant), "060005")
    page = text_of(await web.get("/p/case"))
    assert "已过期" in page
    assert "2027年5月20日" in page
    assert "上一级人民法院申请执行" in page


# Open to anybody ------------------------------------------------------------------------------------------------


async def test_the_portal_has_three_doors_and_the_hotlines(web: httpx.AsyncClient) -> None:
    page = text_of(await web.get("/"))
    for href in ("/p", "/tips", "/verify", "/sign-in", "tel:12368"):
        assert f'href="{href}"' in page
    assert "party.js" in text_of(await web.get("/p"))


async def test_a_real_notice_is_recognized_and_names_nobody(story: Story, web: httpx.AsyncClient) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    number = (await story.notice(applicant, "CASE_ACCEPTED")).number
    typed = f"{number[:4]}-{number[4:8]} {number[8:]}"
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


# Staff ----------------------------------------------------------------------------------------------------------


async def test_the_list_filters_by_state_and_number_and_shows_why_something_waits(
    story: Story, clerk: httpx.AsyncClient
) -> None:
    await story.file(person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6), obligation=None)
    await story.file(person(APPLICANT, "孙丽", 8), person(RESPONDENT, "赵强", 9))
    waiting = text_of(await clerk.get("/notices?state=waiting"))
    assert waiting.count("<tr") - 1 == 1
    assert "缺少应履行义务" in waiting
    assert "由立案人员补充" in waiting
    second = text_of(await clerk.get("/notices", params={"q": "(2026)渝05执5002"}))
    assert second.count("<tr") - 1 == 6
    assert "5001号" not in second
    everything = text_of(await clerk.get("/notices"))
    assert everything.count("<tr") - 1 == 12
    for name in ("刘艳", "张静"):
        assert name not in everything
    assert "没有符合条件的通知" in text_of(await clerk.get("/notices?q=9999"))


async def test_a_long_list_is_read_page_by_page(story: Story, clerk: httpx.AsyncClient) -> None:
    for number in range(0, 20, 2):
        await story.file(person(APPLICANT, f"甲{number}", number), person(RESPONDENT, f"乙{number}", number + 1))
    page = text_of(await clerk.get("/notices"))
    seen = re.findall(r'href="/notices/([0-9a-f-]{36})"', page)
    (following,) = re.findall(r'href="(/notices\?cursor=[^"]+)"', page)
    more = re.findall(r'href="/notices/([0-9a-f-]{36})"', text_of(await clerk.get(following)))
    assert (len(seen), len(more), len({*seen, *more})) == (50, 10, 60)
    assert (await clerk.get("/notices?cursor=nonsense")).status_code == 422


async def test_one_notice_tells_its_history_with_letter_and_evidence(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    applicant = person(APPLICANT, "刘艳", 5)
    case_id = await story.file(applicant, person(RESPONDENT, "张静", 6))
    notice = await story.notice(applicant, "CASE_ACCEPTED")
    mails = [row for row in await story.rows(tables.messages) if row.channel == "mail"]
    (mail,) = [row for row in mails if row.party_id == applicant.party_id]
    (delivery,) = [row for row in await story.rows(tables.deliveries) if row.message_id == mail.message_id]
    for sighting in (Sighting(Seen.SENT), Sighting(Seen.BOUNCED, detail="邮箱不存在。")):
        async with kit.db.begin() as tx:
            await note(kit, tx, delivery.delivery_id, sighting)
    page = text_of(await clerk.get(f"/notices/{notice.notice_id}"))
    for words in ("电子邮件第1次：已发出", "被对方邮箱退回", "邮箱不存在。", "列入纸质送达", "民事诉讼法第九十一条"):
        assert words in page, words
    assert "刘艳" not in page
    letter = await clerk.get(f"/notices/{notice.notice_id}/letter")
    assert "default-src 'none'" in letter.headers["content-security-policy"]
    assert "刘艳" in letter.text
    evidence = await clerk.get(f"/notices/{notice.notice_id}/evidence")
    assert evidence.headers["content-disposition"].startswith("attachment")
    assert faults_of_bundle(evidence.content, kit.signing.verifying_key) == []
    fragment = text_of(await clerk.get(f"/notices/cases/{case_id}"))
    assert "<html" not in fragment
    assert "刘*" in fragment
    assert "待打印寄出" in fragment
    unheard = text_of(await clerk.get(f"/notices/cases/{UUID(int=7)}"))
    assert "本案还没有通知" in unheard


async def test_letters_are_printed_posted_returned_and_signed(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    await story.file(person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6, consents=False))
    (entry,) = await story.rows(tables.paper)
    path = f"/paper/{entry.paper_id}"
    page = text_of(await clerk.get("/paper"))
    for words in ("张静", "重庆市沙坪坝区三峡广场6号", "执行通知书", "打印全部", "3份文书"):
        assert words in page, words
    printed = await clerk.get(f"{path}/print")
    assert printed.text.count("<!doctype html>") == 1
    assert printed.text.count("<style>") == 1
    for title in ("执行通知书", "被执行人财产调查表", "权利义务及执行风险告知书", "廉政监督卡"):
        assert title in printed.text
    assert "script-src 'self'" in printed.headers["content-security-policy"]

    async def act(name: str, state: str, **fields: str) -> httpx.Response:
        named = {f"{field}-{entry.paper_id}": value for field, value in fields.items()}
        return await clerk.post(path, data={"act": name, "state": state, **named})

    empty = await act("posted", "to_print", tracking="")
    assert empty.status_code == 422
    assert re.search(rf'id="f-tracking-{entry.paper_id}-fault">.*?请填写邮件编号', empty.text, re.DOTALL)
    done = await act("posted", "to_print", tracking="EMS1")
    assert (done.status_code, done.headers["location"]) == (303, "/paper?state=to_print&done=posted")
    assert {event.channel for event in await told(kit, NoticeSent)} == {"paper"}
    assert "EMS1" in text_of(await clerk.get("/paper?state=posted&q=EMS1"))
    assert (await act("returned", "posted")).status_code == 303
    assert "已退回" in text_of(await clerk.get("/paper?state=returned"))
    assert (await act("posted", "returned", tracking="EMS2")).status_code == 303
    future = await act("served", "posted", on="2026-11-24")
    assert future.status_code == 422
    assert "日期不能晚于今天" in future.text
    assert 'value="2026-11-24"' in future.text
    assert (await act("served", "posted", on="2026-11-23")).status_code == 303
    assert "2026年11月23日（周一）签收" in text_of(await clerk.get("/paper?state=served"))
    served = [row for row in await story.rows(tables.notices) if row.role == "respondent"]
    assert {(row.served_on, row.served_by) for row in served} == {(date(2026, 11, 23), "paper")}
    assert (await act("posted", "to_print", tracking="EMS3")).status_code == 409


async def test_what_is_handed_over_at_the_counter_is_sent_by_that(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    respondent = person(RESPONDENT, "张静", 6, consents=False, postal_address=None)
    await story.file(person(APPLICANT, "刘艳", 5), respondent)
    (entry,) = await story.rows(tables.paper)
    assert "请联系当事人到院领取" in text_of(await clerk.get("/paper"))
    form = {"act": "served", "state": "to_print", f"on-{entry.paper_id}": "2026-11-23"}
    assert (await clerk.post(f"/paper/{entry.paper_id}", data=form)).status_code == 303
    assert {event.kind for event in await told(kit, NoticeSent)} >= {"ENFORCEMENT_NOTICE"}


@pytest.mark.parametrize(
    ("ruling", "attempts", "papers"), [("arrived", 1, 0), ("send_again", 2, 0), ("on_paper", 1, 1)]
)
async def test_an_unknown_fate_is_decided_once_with_a_reason(
    story: Story, clerk: httpx.AsyncClient, ruling: str, attempts: int, papers: int
) -> None:
    await story.file(person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6))
    row = await story.puzzle("mail")
    page = text_of(await clerk.get("/unknown"))
    for words in ("p***@example.com", "是否发出无法查明", "已送达", "重新发送", "改用纸质"):
        assert words in page, words
    path = f"/unknown/{row.delivery_id}"
    empty = await clerk.post(path, data={f"ruling-{row.delivery_id}": ruling})
    assert empty.status_code == 422
    assert "此项必填" in empty.text
    assert re.search(rf'value="{ruling}" checked', empty.text)
    form = {f"ruling-{row.delivery_id}": ruling, f"remark-{row.delivery_id}": "已电话核实。"}
    assert (await clerk.post(path, data=form)).headers["location"] == "/unknown?done=1"
    assert "没有待核实的发送" in text_of(await clerk.get("/unknown"))
    tried = [each for each in await story.rows(tables.deliveries) if each.message_id == row.message_id]
    assert len(tried) == attempts
    assert len(await story.rows(tables.paper)) == papers, "a decision to send again opens no paper beside it"
    assert (await clerk.post(path, data=form)).status_code == 409
    (message,) = [each for each in await story.rows(tables.message_notices) if each.message_id == row.message_id][:1]
    assert "理由：已电话核实。" in text_of(await clerk.get(f"/notices/{message.notice_id}"))


async def test_who_may_only_read_sees_no_decision(kit: Kit[Any], story: Story) -> None:
    await story.file(person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6))
    row = await story.puzzle("sms")
    async with client(SERVICE, kit, Role.SUPERVISION) as watcher:
        watcher.headers.update(HTML)
        page = text_of(await watcher.get("/unknown"))
        assert "等待核实" in page
        assert "您的决定" not in page
        assert (await watcher.post(f"/unknown/{row.delivery_id}", data={})).status_code == 403
        assert (await watcher.get("/paper")).status_code == 403


async def test_empty_pages_say_what_will_stand_there(clerk: httpx.AsyncClient) -> None:
    assert "还没有通知" in text_of(await clerk.get("/notices"))
    assert "没有待打印的文书" in text_of(await clerk.get("/paper"))
    page = text_of(await clerk.get("/unknown"))
    assert "没有待核实的发送" in page
    assert "没有可能重复的消息" in page
