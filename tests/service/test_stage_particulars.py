"""Urgency, grounds of review and ordered reports in stage tracking; limits that were made longer."""

import importlib
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from services.stage_tracking.service import SERVICE
from services.stage_tracking.usecases.asking import ask_for_old
from services.stage_tracking.usecases.reading import CaseView, case_view, log_page
from services.stage_tracking.usecases.recomputing import recompute_outdated
from services.stage_tracking.usecases.ringing import fire_due
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.contracts.case_kinds import kind_of
from shared.contracts.cases import CaseCorrected
from shared.contracts.notices import NoticeIssued
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import DeadlineSet, ProgressPublished
from shared.powers import HANDLING, Role
from tests.fixtures.kits import NOON, Feeder, as_owner, client, told
from tests.fixtures.staging import JUDGE, about, assigned, facts, filed, party
from tests.fixtures.statements import asked

FILED = date(2026, 11, 9)
OBJECTION, AGAIN = "（2026）渝05执异1号", "（2026）渝05执复1号"
PRESERVATION, RESUMED = "（2026）渝05执保1号", "（2026）渝05执恢1号"
PLAIN, ASSISTANCE = "（2026）渝05执77号", "（2026）渝05执协1号"
EXTEND = {
    "kind": "extend",
    "clock": "reconsideration_decision",
    "count": 30,
    "approved_by": "王建国",
    "approved_on": "2026-11-23",
    "reason": "案情复杂，须组织听证",
    "evidence": "延长审限审批表1号",
}


@pytest.fixture
def feeder(kit: Any) -> Feeder:
    return Feeder(SERVICE, kit)


@pytest.fixture
async def judge(kit: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.JUDGE, staff_id=JUDGE) as http:
        yield http


@pytest.fixture
async def reviewer(kit: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.ADJUDICATION, staff_id=JUDGE) as http:
        yield http


async def view(kit: Any, case_id: UUID) -> CaseView:
    return await case_view(kit, str(case_id))


async def clocks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {row.kind: row for row in (await view(kit, case_id)).deadlines}


async def open_tasks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {task.kind.value: task for task in (await view(kit, case_id)).tasks}


async def planned(kit: Any, case_id: UUID, milestone: str) -> date | None:
    rows = {row.milestone: row.planned_on for row in (await view(kit, case_id)).milestones}
    found: date | None = rows[milestone]
    return found


async def log(kit: Any, case_id: UUID) -> str:
    return "\n".join(f"{entry.title}：{entry.text}" for entry in (await log_page(kit, str(case_id), 0, 200)).entries)


def issued(case_id: UUID, to: Any, **more: Any) -> NoticeIssued:
    return NoticeIssued(**about(case_id, to), way="electronic", issued_at=NOON, **more)


def corrected(case_id: UUID, number: str, **changes: Any) -> CaseCorrected:
    return CaseCorrected(case_id=case_id, facts=facts(FILED, case_number=number, **changes))


async def test_without_its_ground_a_review_has_the_plain_period_and_the_clerk_is_asked(
    kit: Any, feeder: Feeder
) -> None:
    event = filed(case_number=OBJECTION, filed_on=FILED, received_on=FILED)
    await feeder.feed(event)
    assert (await clocks(kit, event.case_id))["objection_decision"].due_on == date(2026, 11, 24)
    asked = (await open_tasks(kit, event.case_id))["ask_ground"]
    assert (asked.owner_role, asked.kind.closes_itself) == ("clerk", True)
    assert "暂按15日计算" in asked.detail
    await feeder.feed(corrected(event.case_id, OBJECTION, ground=ReviewGround.CHANGE_OF_PARTY))
    found = (await clocks(kit, event.case_id))["objection_decision"]
    assert (found.version, found.due_on) == (2, date(2027, 1, 8))
    assert await planned(kit, event.case_id, "closure") == date(2027, 1, 8)
    assert "第二十八条" in found.article
    assert "ask_ground" not in await open_tasks(kit, event.case_id)
    assert "审查事由由未登记更正为变更、追加当事人" in await log(kit, event.case_id)


async def test_parties_are_told_of_a_limit_that_a_correction_moved(kit: Any, feeder: Feeder) -> None:
    """Their letters said that they would be; before a judge had the case there were none."""
    event = filed(case_number=OBJECTION, filed_on=FILED)
    await feeder.feed(event, corrected(event.case_id, OBJECTION, ground=ReviewGround.CONDUCT))
    await feeder.feed(corrected(event.case_id, OBJECTION), assigned(event.case_id, NOON))
    assert await told(kit, ProgressPublished) == []
    await feeder.feed(corrected(event.case_id, OBJECTION, ground=ReviewGround.CONDUCT))
    await feeder.feed(corrected(event.case_id, OBJECTION, ground=ReviewGround.CONDUCT, cause="买卖合同纠纷"))
    await feeder.feed(corrected(event.case_id, OBJECTION, ground=ReviewGround.CHANGE_OF_PARTY))
    first, second = await told(kit, ProgressPublished)
    assert (first.title, first.notify, len(first.audience)) == ("期限变更", True, 2)
    words = [kit.exchange.open(str(each.text), str(event.case_id)) for each in (first, second)]
    assert words[0].startswith(
        "因登记更正（审查事由由未登记更正为执行行为异议），“执行异议审查期限”于2026年11月24日（周二）届满。"
    )
    assert "“执行异议审查期限”由2026年11月24日（周二）改为2027年1月8日（周五）（暂定" in words[1]
    assert "买卖" not in "".join(words)


async def test_only_who_is_told_of_a_preservation_is_told_of_its_limit(kit: Any, feeder: Feeder) -> None:
    event, stock = (
        filed(case_number=number, filed_on=FILED, silent=silent)
        for number, silent in ((PRESERVATION, False), ("（2026）渝05执保2号", True))
    )
    await feeder.feed(event, stock, *(assigned(each.case_id, NOON) for each in (event, stock)))
    await feeder.feed(corrected(event.case_id, PRESERVATION, received_on=date(2026, 11, 4)))
    await feeder.feed(corrected(stock.case_id, "（2026）渝05执保2号", received_on=date(2026, 11, 4)))
    (only,) = await told(kit, ProgressPublished)
    assert (only.case_id, [role.value for role in only.audience]) == (event.case_id, ["applicant"])


@pytest.mark.parametrize(
    ("number", "asked"), [(RESUMED, True), (OBJECTION, True), (AGAIN, True), (PRESERVATION, False)]
)
async def test_which_case_is_resumed_or_attacked_is_asked_for(
    kit: Any, feeder: Feeder, number: str, asked: bool
) -> None:
    event = filed(case_number=number, filed_on=FILED)
    await feeder.feed(event)
    task = (await open_tasks(kit, event.case_id)).get("ask_main_case")
    assert (task is not None) is asked, "a preservation of before a suit belongs to no other case"
    if task is not None:
        assert (task.owner_role, task.kind.place(event.case_id)) == ("clerk", f"/cases/{event.case_id}/edit")
        await feeder.feed(corrected(event.case_id, number, main_case="（2024）渝05执7号"))
        assert "ask_main_case" not in await open_tasks(kit, event.case_id)


async def test_a_review_that_counts_from_its_filing_asks_for_no_day_of_receipt(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=OBJECTION, filed_on=FILED, received_on=None)
    await feeder.feed(event)
    assert {"ask_receipt", "ask_ground"} <= set(await open_tasks(kit, event.case_id))
    await feeder.feed(corrected(event.case_id, OBJECTION, received_on=None, ground=ReviewGround.AWARD_REFUSAL))
    assert (await clocks(kit, event.case_id))["objection_decision"].due_on == date(2027, 1, 11)
    assert not {"ask_receipt", "ask_ground"} & set(await open_tasks(kit, event.case_id))


async def test_an_urgent_preservation_is_urged_at_once_and_rings_after_48_hours(kit: Any, feeder: Feeder) -> None:
    today = court_date(NOON)
    event = filed(case_number=PRESERVATION, filed_on=today, received_on=today, urgent=True)
    await feeder.feed(event)
    task = (await open_tasks(kit, event.case_id))["begin_now"]
    assert ("立即开始执行保全" in task.title, task.owner_role) == (True, "management")
    await feeder.feed(assigned(event.case_id, NOON))
    assert (await open_tasks(kit, event.case_id))["begin_now"].owner_staff == JUDGE
    assert (await clocks(kit, event.case_id))["preservation_begin"].due_on == today + timedelta(days=1)
    assert await planned(kit, event.case_id, "enforcement") == today + timedelta(days=1)
    kit.clock.move(timedelta(days=2))
    assert await fire_due(kit) == 1
    assert "超期" in (await open_tasks(kit, event.case_id))["overdue_reasons"].title
    await feeder.feed(CaseCorrected(case_id=event.case_id, facts=facts(today, case_number=PRESERVATION)))
    assert "begin_now" not in await open_tasks(kit, event.case_id)
    assert (await clocks(kit, event.case_id))["preservation_begin"].due_on == date(2026, 11, 30)
    assert "情况紧急由是更正为否" in await log(kit, event.case_id)


@pytest.mark.parametrize("urgent", [False, True])
async def test_a_preservation_without_its_receipt_has_no_clock_and_the_clerk_is_asked(
    kit: Any, feeder: Feeder, judge: httpx.AsyncClient, urgent: bool
) -> None:
    event = filed(case_number=PRESERVATION, filed_on=FILED, received_on=None, urgent=urgent)
    await feeder.feed(event, assigned(event.case_id, NOON))
    assert await clocks(kit, event.case_id) == {}
    assert await planned(kit, event.case_id, "enforcement") is None
    found = await open_tasks(kit, event.case_id)
    assert "“开始执行保全”不能计算" in found["ask_receipt"].detail
    assert ("begin_now" in found) is urgent, "what is urgent is urged without a day, too"
    if urgent:
        assert found["begin_now"].due_at is None
    known = {"received_on": FILED, "urgent": urgent}
    await feeder.feed(corrected(event.case_id, PRESERVATION, **known))
    clock, found = (await clocks(kit, event.case_id))["preservation_begin"], await open_tasks(kit, event.case_id)
    assert clock.due_on == (FILED + timedelta(days=1) if urgent else date(2026, 11, 16))
    assert "ask_receipt" not in found
    if urgent:
        assert found["begin_now"].due_at == clock.due_at
    await feeder.feed(corrected(event.case_id, PRESERVATION, **{**known, "received_on": None}))
    assert await clocks(kit, event.case_id) == {}
    begun = {"kind": "milestone", "milestone": "enforcement", "on": "2026-11-23", "evidence": "查封裁定1号"}
    assert (await judge.post(f"/api/stages/{PRESERVATION}/acts", json=begun)).status_code == 201
    assert "begin_now" not in await open_tasks(kit, event.case_id)


async def test_nothing_of_a_provisional_clock_is_late_until_its_calendar_arrives(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number="（2026）渝05执1号", filed_on=date(2026, 12, 28))
    kit.clock.move(timedelta(days=35))
    await feeder.feed(event)
    kit.clock.move(timedelta(days=60))
    await fire_due(kit)
    task = (await open_tasks(kit, event.case_id))["assign_judge"]
    assert task.due_at is None, "it would be counted as late"
    async with client(SERVICE, kit, Role.CLERK) as clerk:
        clerk.headers["accept"] = "text/html"
        work = (await clerk.get("/work?state=late")).text
        page = (await clerk.get(f"/stages/cases/{event.case_id}/timeline")).text
    assert f"/cases/{event.case_id}" not in work
    assert "排期（暂定计划）" in page
    assert "is-late" not in page.partition("排期（暂定计划）")[0].rpartition("<li>")[2]
    assert await recompute_outdated(kit, CourtCalendar({date(2026, 1, 1), date(2027, 1, 1)})) == 1
    task = (await open_tasks(kit, event.case_id))["assign_judge"]
    assert task.due_at == (await clocks(kit, event.case_id))["assignment"].due_at
    rows = {row.milestone: row.provisional for row in (await view(kit, event.case_id)).milestones}
    assert rows["scheduling"] is False


async def test_a_preservation_that_becomes_urgent_is_urged_until_it_has_begun(
    kit: Any, feeder: Feeder, judge: httpx.AsyncClient
) -> None:
    event = filed(case_number=PRESERVATION, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON))
    assert "begin_now" not in await open_tasks(kit, event.case_id)
    await feeder.feed(corrected(event.case_id, PRESERVATION, urgent=True))
    assert "begin_now" in await open_tasks(kit, event.case_id)
    begun = {"kind": "milestone", "milestone": "enforcement", "on": "2026-11-23", "evidence": "查封裁定1号"}
    assert (await judge.post(f"/api/stages/{PRESERVATION}/acts", json=begun)).status_code == 201
    assert "begin_now" not in await open_tasks(kit, event.case_id)


async def test_a_report_ordered_after_the_notice_left_is_served_apart(kit: Any, feeder: Feeder) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent, case_number=RESUMED, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON))
    await feeder.feed(corrected(event.case_id, RESUMED, report_ordered=True))
    assert "report_order" not in await open_tasks(kit, event.case_id), "the notice itself will carry it"
    await feeder.feed(corrected(event.case_id, RESUMED))
    await feeder.feed(issued(event.case_id, respondent))
    await feeder.feed(corrected(event.case_id, RESUMED, report_ordered=True))
    task = (await open_tasks(kit, event.case_id))["report_order"]
    assert ("另行送达报告财产令" in task.title, task.owner_staff, task.kind.needs_note) == (True, JUDGE, True)
    await feeder.feed(corrected(event.case_id, RESUMED))
    assert "不再责令报告财产" in (await open_tasks(kit, event.case_id))["report_order"].title


async def test_an_order_that_came_while_the_notice_was_written_is_served_apart(kit: Any, feeder: Feeder) -> None:
    respondent, other = party("respondent"), party("respondent")
    event = filed(party("applicant"), respondent, other, case_number=RESUMED, filed_on=FILED, report_ordered=True)
    await feeder.feed(event, assigned(event.case_id, NOON), issued(event.case_id, other, report_ordered=True))
    assert "report_order" not in await open_tasks(kit, event.case_id)
    await feeder.feed(issued(event.case_id, respondent))
    assert "另行送达报告财产令" in (await open_tasks(kit, event.case_id))["report_order"].title


async def test_an_approved_extension_moves_the_clock_once_and_stands_in_the_log(
    kit: Any, feeder: Feeder, reviewer: httpx.AsyncClient
) -> None:
    event = filed(case_number=AGAIN, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON, post=Role.ADJUDICATION))
    assert (await clocks(kit, event.case_id))["reconsideration_decision"].due_on == date(2026, 12, 9)
    path = f"/api/stages/{AGAIN}/acts"
    more = await reviewer.post(path, json={**EXTEND, "count": 31})
    assert (more.status_code, more.json()["errors"][0]["field"]) == (422, "extend.count")
    assert "最多延长30日" in more.text
    late = await reviewer.post(path, json={**EXTEND, "approved_on": "2026-11-24"})
    assert (late.status_code, late.json()["errors"][0]["field"]) == (422, "extend.approved_on")
    done = await reviewer.post(path, json=EXTEND, headers={"Idempotency-Key": "k1"})
    assert done.status_code == 201
    assert (await reviewer.post(path, json=EXTEND, headers={"Idempotency-Key": "k1"})).json() == done.json()
    assert done.json()["entry"]["kind"] == "extended"
    found = (await clocks(kit, event.case_id))["reconsideration_decision"]
    assert (found.version, found.due_on) == (2, date(2027, 1, 8))
    assert [each.version for each in await told(kit, DeadlineSet)] == [1, 2]
    said = await log(kit, event.case_id)
    assert "王建国（院长）于2026年11月23日（周一）批准延长30日。理由：案情复杂，须组织听证。依据：" in said
    assert "执行复议审查期限：由2026年12月9日（周三）改为2027年1月8日（周五）" in said
    again = await reviewer.post(path, json=EXTEND)
    assert (again.status_code, again.json()["code"]) == (409, "limit_extended_already")
    # The ground's own law stands behind it: what another law allowed moves nothing, and comes back with its ground.
    await feeder.feed(corrected(event.case_id, AGAIN, ground=ReviewGround.CHANGE_OF_PARTY))
    assert "批准延长" not in (await clocks(kit, event.case_id))["reconsideration_decision"].rule
    await feeder.feed(corrected(event.case_id, AGAIN, ground=ReviewGround.CONDUCT))
    assert "批准延长30日" in (await clocks(kit, event.case_id))["reconsideration_decision"].rule


async def test_both_sides_are_told_of_an_extension_and_why(
    kit: Any, feeder: Feeder, reviewer: httpx.AsyncClient
) -> None:
    event = filed(case_number=AGAIN, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON, post=Role.ADJUDICATION))
    path = f"/api/stages/{AGAIN}/acts"
    telling = await reviewer.post(path, json={**EXTEND, "reason": "须核查举报线索"})
    assert (telling.status_code, telling.json()["errors"][0]["field"]) == (422, "extend.reason")
    done = (await reviewer.post(path, json=EXTEND)).json()
    (event_told,) = await told(kit, ProgressPublished)
    assert done["published"] == {"audience": ["applicant", "respondent"], "not_before": None, "notify": True}
    assert (event_told.title, event_told.entry, event_told.notify) == ("期限延长", done["entry"]["position"], True)
    text = kit.exchange.open(str(event_told.text), str(event.case_id))
    assert text.startswith(
        "“执行复议审查期限”经本院院长于2026年11月23日（周一）批准延长30日，"
        "由2026年12月9日（周三）延至2027年1月8日（周五）（暂定，待该年放假安排公布后确定）。"
        "理由：案情复杂，须组织听证。依据："
    ), text
    assert "王建国" not in text


@pytest.mark.parametrize(
    ("number", "clock", "code"),
    [
        (OBJECTION, "objection_decision", "limit_not_extendable"),
        (PRESERVATION, "preservation_begin", "limit_not_extendable"),
        (RESUMED, "upper_court_six_months", "limit_not_extendable"),
        (AGAIN, "statutory_limit", "limit_not_running"),
    ],
)
async def test_a_clock_that_knows_no_extension_gets_none(
    kit: Any, feeder: Feeder, number: str, clock: str, code: str
) -> None:
    event, post = filed(case_number=number, filed_on=FILED), HANDLING[kind_of(number).power]
    await feeder.feed(event, assigned(event.case_id, NOON, post=post))
    before = len((await log_page(kit, str(event.case_id), 0, 200)).entries)
    async with client(SERVICE, kit, post, staff_id=JUDGE) as http:
        answer = await http.post(f"/api/stages/{number}/acts", json={**EXTEND, "clock": clock})
    assert (answer.status_code, answer.json()["code"]) == (409, code)
    assert len((await log_page(kit, str(event.case_id), 0, 200)).entries) == before


async def test_only_who_works_the_case_records_an_extension(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=AGAIN, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON, post=Role.ADJUDICATION))
    async with client(SERVICE, kit, Role.ADJUDICATION, staff_id=UUID(int=99)) as other:
        assert (await other.post(f"/api/stages/{AGAIN}/acts", json=EXTEND)).status_code == 403
    async with client(SERVICE, kit, Role.CLERK) as clerk:
        assert (await clerk.post(f"/api/stages/{AGAIN}/acts", json=EXTEND)).status_code == 403


async def test_the_form_extends_without_scripts_and_is_there_only_where_it_can(
    kit: Any, feeder: Feeder, reviewer: httpx.AsyncClient
) -> None:
    objection, again = (filed(case_number=number, filed_on=FILED) for number in (OBJECTION, AGAIN))
    await feeder.feed(
        objection, again, *(assigned(each.case_id, NOON, post=Role.ADJUDICATION) for each in (objection, again))
    )
    reviewer.headers["accept"] = "text/html"
    assert "登记批准延长期限" not in (await reviewer.get(f"/stages/cases/{objection.case_id}/acts")).text
    here = f"/stages/cases/{again.case_id}/acts"
    assert "执行复议审查期限（院长批准，最长30日，只能延长一次）" in (await reviewer.get(here)).text
    form = {"kind": "extend", **{f"extend.{name}": str(value) for name, value in EXTEND.items() if name != "kind"}}
    refused = await reviewer.post(here, data={**form, "extend.count": "99", "extend.reason": ""})
    assert refused.status_code == 422
    assert 'id="f-extend.reason-fault"' in refused.text
    assert (await reviewer.post(here, data=form)).status_code == 303
    assert "登记批准延长期限" not in (await reviewer.get(here)).text
    shown = (await reviewer.get(f"/stages/cases/{again.case_id}/clocks")).text
    assert "经院长批准延长30日" in shown
    assert "2027年1月8日" in shown


async def test_the_page_says_which_clocks_nobody_can_count_and_asks_for_no_suit_that_may_not_be_there(
    kit: Any, feeder: Feeder, judge: httpx.AsyncClient
) -> None:
    judge.headers["accept"] = "text/html"
    shown = {}
    for number in (PRESERVATION, PLAIN, ASSISTANCE):
        event = filed(case_number=number, received_on=None)
        await feeder.feed(event)
        shown[number] = (await judge.get(f"/stages/cases/{event.case_id}/clocks")).text
        assert "没有登记所属执行案件" not in shown[number]
    assert "“开始执行保全”从收到申请起算，现在不能计算" in shown[PRESERVATION]
    assert "没有在计的法定期限" not in shown[PRESERVATION]
    assert "“发出执行通知（最迟）”“可以向上一级法院申请执行”从收到申请起算" in shown[PLAIN]
    assert "没有在计的法定期限" in shown[ASSISTANCE]


async def test_an_approval_in_time_that_is_recorded_late_takes_the_reproach_back(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=AGAIN, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON, post=Role.ADJUDICATION))
    kit.clock.move(timedelta(days=20))
    await fire_due(kit)
    assert "overdue_reasons" in await open_tasks(kit, event.case_id)
    async with client(SERVICE, kit, Role.ADJUDICATION, staff_id=JUDGE) as later:
        assert (await later.post(f"/api/stages/{AGAIN}/acts", json=EXTEND)).status_code == 201
    assert "overdue_reasons" not in await open_tasks(kit, event.case_id)
    assert (await clocks(kit, event.case_id))["reconsideration_decision"].fired_at is None


async def test_old_reviews_without_a_clock_are_asked_about_once(kit: Any, feeder: Feeder) -> None:
    """Carried over without the day of receipt, no clock of theirs runs: the step before could not find them."""
    silent = filed(case_number=OBJECTION, filed_on=FILED, received_on=None)
    closed, known = (filed(case_number=f"（2026）渝05执异{n}号", filed_on=FILED, received_on=None) for n in (2, 3))
    await feeder.feed(silent, closed, known)
    await feeder.feed(corrected(known.case_id, "（2026）渝05执异3号", received_on=None, ground=ReviewGround.CONDUCT))
    step = importlib.import_module("services.stage_tracking.migrations.0009_old_reviews_are_asked_about")
    later = importlib.import_module("services.stage_tracking.migrations.0011_old_cases_are_asked_what_they_are_about")

    def run(conn: Connection, step: Any = step) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE cases DROP COLUMN facts_asked"))
        await conn.execute(text("UPDATE cases SET closed_on = filed_on WHERE number LIKE '%执异2号'"))
        await conn.execute(text("DELETE FROM tasks"))
        await conn.run_sync(run)
    assert await recompute_outdated(kit) == 0
    assert [await ask_for_old(kit) for _ in range(2)] == [1, 0]
    assert {"ask_ground", "ask_receipt"} <= set(await open_tasks(kit, silent.case_id))
    assert [await open_tasks(kit, each.case_id) for each in (closed, known)] == [{}, {}]
    async with as_owner(kit) as conn:
        await conn.run_sync(lambda conn: run(conn, later))
    assert [await ask_for_old(kit) for _ in range(2)] == [2, 0]
    assert set(await open_tasks(kit, known.case_id)) == {"ask_receipt", "ask_main_case"}
    async with client(SERVICE, kit, Role.CLERK) as clerk:
        page = (await clerk.get("/work", headers={"accept": "text/html"})).text
    assert ("补填审查事由" in page, f"/cases/{silent.case_id}/edit" in page) == (True, True)


async def test_reviews_that_a_judge_of_the_bureau_has_stay_and_somebody_is_asked(kit: Any, feeder: Feeder) -> None:
    """What an older release had assigned: nobody takes it from its judge, who may work it no more."""
    event, right = (filed(case_number=f"（2026）渝05执异{n}号", filed_on=FILED) for n in (1, 2))
    other = filed(filed_on=FILED)
    await feeder.feed(
        *(event, right, other),
        *(assigned(each.case_id, NOON) for each in (event, other)),
        assigned(right.case_id, NOON, UUID(int=8), Role.ADJUDICATION),
    )
    step = importlib.import_module("services.stage_tracking.migrations.0013_reviews_are_the_adjudications")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        await conn.execute(text("DELETE FROM tasks"))
        await conn.execute(text("UPDATE milestones SET owner_role = 'judge' WHERE owner_role = 'adjudication'"))
        await conn.run_sync(run)
    assert [await ask_for_old(kit) for _ in range(2)] == [2, 0]
    assert (await view(kit, event.case_id)).case.judge_id == JUDGE
    asked = (await open_tasks(kit, event.case_id))["power_conflict"]
    assert (asked.owner_role, asked.kind.place(event.case_id)) == ("management", f"/cases/{event.case_id}#assignment")
    assert "由审判监督庭办理；现承办人属执行局" in asked.detail
    for each in (right, other):
        assert "power_conflict" not in await open_tasks(kit, each.case_id)
    owners = {row.milestone: row.owner_role for row in (await view(kit, event.case_id)).milestones}
    assert (owners["closure"], owners["filing"]) == ("adjudication", "clerk")
    async with client(SERVICE, kit, Role.JUDGE, staff_id=JUDGE) as former:
        work = {"kind": "work", "title": "审查", "text": "已阅卷。", "evidence": "阅卷笔录"}
        refused = await former.post(f"/api/stages/{OBJECTION}/acts", json=work)
        assert (refused.status_code, "请重新分案" in refused.text) == (403, True)
    async with client(SERVICE, kit, Role.MANAGEMENT) as management:
        page = (await management.get("/work", headers={"accept": "text/html"})).text
    assert ("承办人不能办理本案，请重新分案" in page, f"/cases/{event.case_id}#assignment" in page) == (True, True)
    await feeder.feed(assigned(event.case_id, NOON, UUID(int=8), Role.ADJUDICATION))
    assert "power_conflict" not in await open_tasks(kit, event.case_id)


async def test_the_migration_keeps_old_cases_and_asks_for_what_they_lack(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=OBJECTION, filed_on=FILED)
    await feeder.feed(event)
    step = importlib.import_module("services.stage_tracking.migrations.0008_particulars_extensions")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    before = (await clocks(kit, event.case_id))["objection_decision"]
    async with as_owner(kit) as conn:
        await conn.execute(text("DROP TABLE extensions"))
        for name in ("urgent", "ground", "report_ordered", "extended"):
            await conn.execute(text(f"ALTER TABLE cases DROP COLUMN {name}"))
        await conn.execute(text("ALTER TABLE parties DROP COLUMN notice_orders_report"))
        await conn.execute(text("DELETE FROM tasks"))
        await conn.run_sync(run)
    assert await recompute_outdated(kit) == 1
    after = (await clocks(kit, event.case_id))["objection_decision"]
    assert (after.due_on, after.version) == (before.due_on, before.version)
    assert "ask_ground" in await open_tasks(kit, event.case_id)


async def test_the_step_to_certain_days_takes_back_what_counted_from_the_filing(kit: Any, feeder: Feeder) -> None:
    """What an older release had set: a preservation without a receipt counts, a plan does not say that it may move."""
    event, late = (
        filed(case_number=number, filed_on=day)
        for number, day in ((PRESERVATION, FILED), (RESUMED, date(2026, 12, 28)))
    )
    await feeder.feed(event, late)
    step = importlib.import_module("services.stage_tracking.migrations.0010_no_day_is_guessed")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE milestones DROP COLUMN provisional"))
        await conn.execute(text("UPDATE cases SET received_on = NULL WHERE number LIKE '%执保%'"))
        await conn.execute(text("UPDATE tasks SET due_at = now() WHERE kind = 'assign_judge'"))
        await conn.run_sync(run)
    assert await recompute_outdated(kit) == 2
    assert await clocks(kit, event.case_id) == {}
    assert "没有登记收到申请的日期，不能计算" in await log(kit, event.case_id)
    assert "ask_receipt" in await open_tasks(kit, event.case_id)
    assert (await open_tasks(kit, late.case_id))["assign_judge"].due_at is None
    assert {row.milestone for row in (await view(kit, late.case_id)).milestones if row.provisional} >= {"scheduling"}


@pytest.mark.parametrize("number", [OBJECTION, "（2026）渝05执协1号", "（2026）渝05执他1号"])
async def test_only_a_case_of_which_somebody_is_told_waits_for_its_parties(
    kit: Any, feeder: Feeder, number: str
) -> None:
    event = filed(party("applicant"), case_number=number)
    await feeder.feed(event)
    waits = number == OBJECTION
    assert ("complete_parties" in await open_tasks(kit, event.case_id)) is waits
    async with as_owner(kit) as conn:  # as an older release left it: one open task, which the migration closes
        await conn.execute(text("UPDATE cases SET number = '（2026）渝05执协9号'"))
        step = importlib.import_module("services.stage_tracking.migrations.0012_quiet_kinds_need_no_parties")

        def run(conn: Connection) -> None:
            with Operations.context(MigrationContext.configure(conn)):
                step.upgrade()

        await conn.run_sync(run)
    assert "complete_parties" not in await open_tasks(kit, event.case_id)


async def test_many_old_cases_are_asked_about_in_as_many_statements_as_few(kit: Any, feeder: Feeder) -> None:
    counts = []
    for numbers in (range(1, 3), range(3, 15)):
        cases = [filed(case_number=f"（2026）渝05执异{n}号", filed_on=FILED, received_on=None) for n in numbers]
        await feeder.feed(*cases)
        async with as_owner(kit) as conn:
            await conn.execute(text("DELETE FROM tasks"))
            await conn.execute(text("UPDATE cases SET facts_asked = false"))
        with asked(kit) as statements:
            counts.append((await ask_for_old(kit), len(statements)))
        assert {"ask_ground", "ask_receipt"} <= set(await open_tasks(kit, cases[-1].case_id))
    (few, statements), (many, as_many) = counts
    assert (few, many) == (2, 14)
    assert statements == as_many


async def test_what_is_done_after_a_provisional_day_was_not_done_late(kit: Any, feeder: Feeder) -> None:
    number = "（2026）渝05执1号"
    event = filed(case_number=number, filed_on=date(2026, 12, 28))
    kit.clock.move(timedelta(days=35))
    await feeder.feed(event)
    kit.clock.move(timedelta(days=30))
    async with client(SERVICE, kit, Role.MANAGEMENT) as manager:
        late = (await manager.get("/api/stages", params={"state": "late"})).json()["items"]
        everything = (await manager.get("/api/stages")).json()["items"]
    assert (late, len(everything)) == ([], 1), "its day is over, and not certain"
    await feeder.feed(assigned(event.case_id, kit.clock.now()))
    (line,) = [line for line in (await log(kit, event.case_id)).splitlines() if "确定承办人" in line and "完成" in line]
    assert "（暂定期限2027年1月4日（周一））" in line
    assert "超期" not in line
