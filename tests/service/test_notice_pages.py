"""The staff's pages of notices on a real database: lists, one notice, the paper worklist, unknown fates."""

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import update

from services.party_notification.domain.delivery import Seen
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases.evidence import faults_of_bundle
from services.party_notification.usecases.observing import Sighting, note
from shared.contracts.notices import NoticeSent, NoticeUnserved
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person
from tests.fixtures.kits import client, told

HTML = {"accept": "text/html"}


@pytest.fixture
def story(kit: Kit[Any]) -> Story:
    return Story(kit)


@pytest.fixture
async def clerk(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as clerk:
        clerk.headers.update(HTML)
        yield clerk


def text_of(page: httpx.Response) -> str:
    assert page.status_code == 200, page.text[:500]
    return page.text


async def test_who_exercises_a_power_reads_the_notices_of_its_cases_and_of_those_that_theirs_are_about(
    story: Story, kit: Kit[Any]
) -> None:
    attacked, other, reviewed = (person(APPLICANT, name, n) for n, name in enumerate(("刘艳", "孙丽", "王芳"), 5))
    main = "（2026）渝05执1号"
    cases = [
        await story.file(attacked, person(RESPONDENT, "张静", 16), case_number=main),
        await story.file(reviewed, person(RESPONDENT, "李强", 18), case_number="（2026）渝05执异1号", main_case=main),
        await story.file(other, person(RESPONDENT, "赵强", 17), case_number="（2026）渝05执2号"),
    ]
    judges = {row.case_id: row.judge_id for row in await story.rows(tables.cases)}
    notices = {
        row.case_id: row.notice_id for row in await story.rows(tables.notices) if row.role == "applicant" and row.letter
    }
    reads: dict[tuple[Role, UUID | None], list[bool]] = {
        (Role.ADJUDICATION, judges[cases[1]]): [True, True, False],
        (Role.ADJUDICATION, None): [False, True, False],
        (Role.JUDGE, judges[cases[2]]): [True, False, True],
        (Role.CLERK, None): [True, True, True],
    }
    for (role, staff_id), expected in reads.items():
        async with client(SERVICE, kit, role, staff_id=staff_id) as http:
            listed = {item["case_id"] for item in (await http.get("/api/notices?limit=200")).json()["items"]}
            assert listed == {str(each) for each, may in zip(cases, expected, strict=True) if may}, role
            for case_id, may in zip(cases, expected, strict=True):
                notice, status = notices[case_id], 200 if may else 403
                for path in (
                    f"/api/notices?case_number={case_id}",
                    f"/api/notices/{notice}",
                    f"/api/notices/{notice}/evidence",
                    f"/notices/{notice}",
                    f"/notices/{notice}/letter",
                    f"/notices/{notice}/evidence",
                    f"/notices/cases/{case_id}",
                ):
                    assert (await http.get(path)).status_code == status, (role, path)
            page = (await http.get("/notices", headers=HTML)).text
            assert ("执2号" in page) is expected[2]


async def test_what_waits_for_a_person_is_seen_within_the_same_bounds(story: Story, kit: Kit[Any]) -> None:
    main = "（2026）渝05执1号"
    await story.file(person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 16), case_number=main)
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(tables.messages).values(possibly_twice=True))
    seen = []
    for role in (Role.ADJUDICATION, Role.JUDGE, Role.CLERK):
        async with client(SERVICE, kit, role) as http:
            twice = (await http.get("/api/notices/troubles")).json()["possibly_twice"]
            page = (await http.get("/unknown/twice", headers=HTML)).text
            seen.append(({each["case_number"] for each in twice}, main in page))
    assert seen == [(set(), False), *[({main}, True)] * 2]


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
    assert faults_of_bundle(evidence.content, kit.signing.keys) == []
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
    for words in ("张静", "重庆市沙坪坝****", "执行通知书", "打印全部", "3份文书"):
        assert words in page, words
    assert "三峡广场" not in page
    looked = text_of(await clerk.post(f"{path}/look"))
    assert "重庆市沙坪坝区三峡广场6号" in looked
    printed = await clerk.post(f"{path}/print")
    assert "重庆市沙坪坝区三峡广场6号" in printed.text
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


async def test_a_mail_that_came_back_is_recorded_by_hand_and_its_letters_go_on_paper(
    kit: Kit[Any], story: Story, clerk: httpx.AsyncClient
) -> None:
    await story.file(person(APPLICANT, "刘艳", 5), person(RESPONDENT, "张静", 6))
    for row in [each for each in await story.rows(tables.deliveries) if each.channel == "mail"]:
        async with kit.db.begin() as tx:
            await note(kit, tx, row.delivery_id, Sighting(Seen.SENT))
    (delivery, *_) = [each for each in await story.rows(tables.deliveries) if each.channel == "mail"]
    carried = [each for each in await story.rows(tables.message_notices) if each.message_id == delivery.message_id]
    at = f"/notices/{carried[0].notice_id}"
    assert "邮件被退回，或者没有送达" in text_of(await clerk.get(at))
    path, papers = f"{at}/deliveries/{delivery.delivery_id}/returned", len(await story.rows(tables.paper))
    empty = await clerk.post(path, data={})
    assert (empty.status_code, "此项必填" in empty.text) == (422, True)
    assert (await clerk.post(path, data={"remark": "收到退信，邮箱不存在。"})).headers["location"] == at
    page = text_of(await clerk.get(at))
    assert "理由：收到退信，邮箱不存在。" in page
    assert "列入纸质送达" in page
    assert "邮件被退回，或者没有送达" not in page
    assert len(await story.rows(tables.paper)) == papers + 1
    lost = {each.notice_id for each in await told(kit, NoticeUnserved)}
    assert lost == {each.notice_id for each in carried}
    assert (await clerk.post(path, data={"remark": "再登记一次。"})).status_code == 409


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
    assert "没有待核实的发送" in text_of(await clerk.get("/unknown"))
    assert "没有待核实的阅读" in text_of(await clerk.get("/unknown/readings"))
    assert "没有可能重复的消息" in text_of(await clerk.get("/unknown/twice"))
    assert "没有无法识别的回执" in text_of(await clerk.get("/unknown/receipts"))
