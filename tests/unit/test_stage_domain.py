"""The clocks of a case by date tables, the transitions, what stops a clock, what may be published."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from services.stage_tracking.domain.acts import Publication, Work, publication_faults
from services.stage_tracking.domain.deadlines import (
    CaseDates,
    Deadline,
    Figures,
    Running,
    deadlines_of,
    is_red,
    nearest,
    waits_for,
)
from services.stage_tracking.domain.serving import NOTHING, Standing, of_case, of_party
from services.stage_tracking.domain.stages import Plan, Stage, day_faults, plans, refuse_milestone, refuse_period
from services.stage_tracking.domain.stopping import Deeds, stopped, undone
from services.stage_tracking.domain.tasks import Owner, Rung, TaskKind, role_owner, rung_task
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.contracts.case_kinds import FROM_RECEIPT, KINDS, CaseKind, DeadlineKind, NoticeKind, kind_of
from shared.contracts.cases import PartyRole
from shared.contracts.stages import Milestone, Period
from shared.errors import Conflict
from shared.powers import Role
from shared.runtime.registry import load, service_names

CALENDAR = CourtCalendar()
NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)


def clocks(
    filed: date, assigned: date | None = None, *, number: str = "（2026）渝05执1号", **more: Any
) -> dict[str, Deadline]:
    dates = CaseDates(kind_of(number), filed, assigned, **{"received_on": filed, **more})
    found = deadlines_of(dates, Figures(), CALENDAR)
    return {each.kind.value: each for each in found}


@pytest.mark.parametrize(
    ("kind", "filed", "due", "provisional"),
    [
        ("assignment", date(2026, 11, 23), date(2026, 11, 30), False),
        ("assignment", date(2026, 6, 14), date(2026, 6, 22), False),  # 21 June: the Dragon Boat holiday's Sunday
        ("assignment", date(2026, 9, 24), date(2026, 10, 8), False),  # 1 to 7 October: the National Day's week
        ("assignment", date(2026, 2, 7), date(2026, 2, 14), False),  # a make-up Saturday is a working day
        ("assignment", date(2026, 12, 28), date(2027, 1, 4), True),
        ("execution_notice_outer", date(2026, 11, 23), date(2026, 12, 3), False),
        ("execution_notice_outer", date(2026, 2, 6), date(2026, 2, 24), False),  # the Spring Festival ends on the 23rd
        ("execution_notice_outer", date(2026, 12, 20), date(2026, 12, 30), False),
        ("court_limit", date(2026, 6, 14), date(2026, 9, 14), False),
        ("court_limit", date(2025, 11, 30), date(2026, 2, 28), False),  # month's end, a make-up Saturday
        ("court_limit", date(2026, 7, 1), date(2026, 10, 8), False),
        ("court_limit", date(2026, 10, 8), date(2027, 1, 8), True),
        ("court_limit_reminder", date(2026, 6, 14), date(2026, 9, 7), False),
        ("court_limit_reminder", date(2026, 7, 1), date(2026, 10, 1), False),  # counted backwards: no shift
        ("court_limit_reminder", date(2026, 10, 8), date(2027, 1, 1), True),
        ("statutory_limit", date(2026, 6, 14), date(2026, 12, 14), False),
        ("statutory_limit", date(2026, 4, 1), date(2026, 10, 8), False),
        ("statutory_limit", date(2026, 8, 31), date(2027, 3, 1), True),  # 28 February 2027 is a Sunday
    ],
)
def test_clocks_from_the_filing(kind: str, filed: date, due: date, provisional: bool) -> None:
    deadline = clocks(filed)[kind]
    assert (deadline.due_on, deadline.provisional) == (due, provisional)


@pytest.mark.parametrize(
    ("assigned", "due"),
    [
        (date(2026, 11, 23), date(2026, 11, 26)),
        (date(2026, 11, 25), date(2026, 11, 30)),  # 28 November is a Saturday
        (date(2026, 9, 29), date(2026, 10, 8)),
    ],
)
def test_the_notice_counts_from_the_day_the_judge_gets_the_file(assigned: date, due: date) -> None:
    assert clocks(date(2026, 9, 1), assigned)["execution_notice"].due_on == due


def test_no_judge_no_notice_clock() -> None:
    wanted = kind_of("（2026）渝05执1号").clocks - {"execution_notice"}
    assert set(clocks(date(2026, 11, 23))) == wanted


def test_periods_end_with_their_day_and_the_reminder_rings_when_its_day_begins() -> None:
    found = clocks(date(2026, 6, 14))
    assert found["court_limit"].due_at == datetime(2026, 9, 14, 15, 59, 59, tzinfo=UTC)
    assert found["court_limit_reminder"].due_at == datetime(2026, 9, 6, 16, tzinfo=UTC)


def test_every_clock_names_its_rule_and_article_and_says_when_it_was_moved() -> None:
    found = clocks(date(2026, 7, 1), date(2026, 7, 2))
    assert all(each.rule and each.article for each in found.values())
    assert "第四百八十条" in found["execution_notice_outer"].article
    assert "顺延" in found["court_limit"].rule
    assert "顺延" not in found["court_limit_reminder"].rule


def test_non_litigation_cases_have_three_months() -> None:
    assert clocks(date(2026, 6, 14), non_litigation=True)["statutory_limit"].due_on == date(2026, 9, 14)


def test_without_the_day_of_receipt_nothing_that_counts_from_it_runs() -> None:
    found = clocks(date(2026, 11, 23), received_on=None)
    assert not FROM_RECEIPT & set(found)
    assert "court_limit" in found
    assert clocks(date(2026, 11, 23), number="（2026）渝05执异1号", received_on=None) == {}


def test_the_way_to_the_upper_court_counts_from_the_receipt_and_the_statutory_limit_from_the_filing() -> None:
    found = clocks(date(2026, 6, 14), received_on=date(2026, 6, 8))
    assert found["upper_court_six_months"].due_on == date(2026, 12, 8)
    assert "第二百三十七条" in found["upper_court_six_months"].article
    assert found["statutory_limit"].due_on == date(2026, 12, 14)
    assert "第二百三十七条" not in found["statutory_limit"].article


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        ("（2026）渝05执保1号", {"preservation_begin": date(2026, 11, 30)}),  # 28 November is a Saturday
        ("（2026）渝05执异1号", {"objection_decision": date(2026, 12, 8)}),
        ("（2026）渝05执复1号", {"reconsideration_decision": date(2026, 12, 23)}),
        ("（2026）渝05执监1号", {}),
        ("（2026）渝05执协1号", {}),
        ("（2026）渝05执他1号", {}),
        ("(2009)渝五中法执保字第1号", {"preservation_begin": date(2026, 11, 30)}),
    ],
)
def test_the_clocks_of_the_other_kinds(number: str, expected: dict[str, date]) -> None:
    found = clocks(date(2026, 11, 23), date(2026, 11, 24), number=number)
    assert {kind: each.due_on for kind, each in found.items()} == expected
    assert all(each.rule and each.article for each in found.values())


def test_every_type_of_a_number_has_one_row_and_only_enforcements_have_notices_of_enforcement() -> None:
    assert set(KINDS) == {"执", "执恢", "执异", "执复", "执保", "执监", "执协", "执他"}
    for kind in KINDS.values():
        owed = {notice for notices in kind.owed.values() for notice in notices}
        assert kind.enforces == (NoticeKind.ENFORCEMENT_NOTICE in owed) == (Milestone.SERVICE in kind.milestones)
        assert kind.enforces or (kind.work and kind.limit and kind.side_case)
        assert not kind.orders_report or kind.enforces
    assert kind_of("（2026）渝05民初1号") is KINDS["执他"]


def test_a_provisional_clock_is_never_red_and_waits_with_its_reason() -> None:
    late = NOW - timedelta(days=1)
    assert is_red(DeadlineKind.COURT_LIMIT, late, NOW, provisional=False)
    assert not is_red(DeadlineKind.COURT_LIMIT, late, NOW, provisional=True)
    assert not is_red(DeadlineKind.UPPER_COURT, late, NOW, provisional=False)
    assert waits_for(date(2027, 2, 23), True) == "暂定，待2027年放假安排公布后确定"
    assert waits_for(date(2026, 2, 23), False) is None
    past = Running(DeadlineKind.COURT_LIMIT, late, provisional=True, rang=True)
    ahead = Running(DeadlineKind.STATUTORY_LIMIT, NOW, provisional=True, rang=False)
    assert nearest([past, ahead]) == ahead
    assert nearest([past]) is None
    rung = Rung(DeadlineKind.COURT_LIMIT, "2027年2月23日", NOW, True, "结案")
    task = rung_task(rung, None)
    assert (task.kind, task.due_at) == (TaskKind.REMINDER, None)
    assert "超期" not in task.title
    assert "不计超期" in task.detail


@pytest.mark.parametrize("provisional", [False, True])
def test_the_way_to_the_upper_court_opens_after_the_last_day_and_says_whether_that_is_certain(
    provisional: bool,
) -> None:
    task = rung_task(Rung(DeadlineKind.UPPER_COURT, "2027年5月20日", NOW, provisional, "结案"), None)
    assert "2027年5月20日届满" in task.title
    assert "此后申请执行人可以" in task.title
    assert ("暂定" in task.title) is provisional


def test_a_plan_is_as_certain_as_its_clock_and_a_preservation_has_none_without_one() -> None:
    due = {DeadlineKind.PRESERVATION_BEGIN: Plan(NOW.date(), provisional=True)}
    assert plans(PRESERVATION, due, NOW.date(), None, Figures())[Milestone.ENFORCEMENT].provisional
    assert plans(PRESERVATION, {}, NOW.date(), None, Figures())[Milestone.ENFORCEMENT] == Plan(None)


def test_other_courts_set_other_figures() -> None:
    figures = Figures(court_limit_months=4, reminder_days=10)
    found = {each.kind: each for each in deadlines_of(CaseDates(ENFORCEMENT, date(2026, 6, 14)), figures, CALENDAR)}
    assert found[DeadlineKind.COURT_LIMIT].due_on == date(2026, 10, 14)
    assert found[DeadlineKind.COURT_LIMIT_REMINDER].due_on == date(2026, 10, 4)


ENFORCEMENT, PRESERVATION = KINDS["执"], KINDS["执保"]


def stage(period: Period | None = Period.INVESTIGATION, *reached: Milestone, kind: CaseKind = ENFORCEMENT) -> Stage:
    return Stage(date(2026, 11, 1), period, date(2026, 11, 1), dict.fromkeys(reached, date(2026, 11, 2)), kind)


ALLOWED = {
    (Period.INVESTIGATION, Period.COMPULSORY),
    (Period.INVESTIGATION, Period.CLOSURE),
    (Period.COMPULSORY, Period.CLOSURE),
}


@pytest.mark.parametrize("source", Period)
@pytest.mark.parametrize("target", Period)
def test_the_table_of_transitions(source: Period, target: Period) -> None:
    if (source, target) in ALLOWED:
        refuse_period(stage(source), target)
    else:
        with pytest.raises(Conflict, match="period_not_allowed"):
            refuse_period(stage(source), target)


def test_a_case_without_periods_enters_none() -> None:
    with pytest.raises(Conflict, match="period_not_allowed"):
        refuse_period(stage(None, kind=PRESERVATION), Period.COMPULSORY)


@pytest.mark.parametrize(
    ("at", "milestone", "code"),
    [
        (stage(), Milestone.FILING, "milestone_automatic"),
        (stage(), Milestone.SCHEDULING, "milestone_automatic"),
        (stage(), Milestone.SERVICE, "milestone_too_early"),
        (stage(Period.INVESTIGATION, Milestone.SCHEDULING), Milestone.SERVICE, None),
        (stage(Period.INVESTIGATION, Milestone.SCHEDULING), Milestone.ENFORCEMENT, None),
        (stage(Period.INVESTIGATION, Milestone.SCHEDULING), Milestone.CLOSURE, "milestone_too_early"),
        (stage(Period.CLOSURE, Milestone.SCHEDULING), Milestone.CLOSURE, None),
        (stage(Period.CLOSURE, Milestone.SCHEDULING), Milestone.ARCHIVING, "milestone_too_early"),
        (stage(Period.CLOSURE, Milestone.CLOSURE), Milestone.ARCHIVING, None),
        (stage(Period.CLOSURE, Milestone.SCHEDULING, Milestone.SERVICE), Milestone.SERVICE, "milestone_reached"),
        (stage(None, Milestone.SCHEDULING, kind=PRESERVATION), Milestone.SERVICE, "milestone_not_of_kind"),
        (stage(None, Milestone.SCHEDULING, kind=PRESERVATION), Milestone.ENFORCEMENT, None),
        (stage(None, Milestone.SCHEDULING, kind=PRESERVATION), Milestone.CLOSURE, None),
    ],
)
def test_milestones_recorded_by_hand(at: Stage, milestone: Milestone, code: str | None) -> None:
    if code is None:
        refuse_milestone(at, milestone)
    else:
        with pytest.raises(Conflict, match=code):
            refuse_milestone(at, milestone)


def test_days_lie_between_the_filing_and_today() -> None:
    today = date(2026, 11, 23)
    assert day_faults(stage(), "on", today, today) == []
    assert "今天" in day_faults(stage(), "on", today + timedelta(days=1), today)[0].reason
    assert "11月1日" in day_faults(stage(), "on", date(2026, 10, 31), today)[0].reason


def test_milestones_are_planned_by_their_clocks() -> None:
    found = clocks(date(2026, 11, 2), date(2026, 11, 3))
    due = {DeadlineKind(kind): Plan(each.due_on, each.provisional) for kind, each in found.items()}
    planned = plans(ENFORCEMENT, due, date(2026, 11, 2), None, Figures())
    assert planned[Milestone.SCHEDULING] == Plan(date(2026, 11, 9))
    assert planned[Milestone.SERVICE] == Plan(date(2026, 11, 6))
    assert planned[Milestone.CLOSURE] == Plan(date(2027, 2, 2), provisional=True)
    assert planned[Milestone.ARCHIVING] == Plan(None)


def test_only_the_deed_stops_a_clock() -> None:
    earlier, later = NOW - timedelta(hours=2), NOW - timedelta(hours=1)
    assert stopped(Deeds(None, [None], None, None), NOW) == {}
    assert stopped(Deeds(NOW, [earlier, None], None, None), NOW) == {DeadlineKind.ASSIGNMENT: NOW}
    assert stopped(Deeds(NOW, [], None, None), NOW) == {DeadlineKind.ASSIGNMENT: NOW}
    sent = stopped(Deeds(NOW, [earlier, later], None, None), NOW)
    assert sent[DeadlineKind.EXECUTION_NOTICE] == sent[DeadlineKind.EXECUTION_NOTICE_OUTER] == later


def test_a_recorded_service_proves_that_the_notices_went() -> None:
    found = stopped(Deeds(NOW, [None], date(2026, 11, 20), None), NOW)
    assert found[DeadlineKind.EXECUTION_NOTICE] == datetime(2026, 11, 20, 15, 59, 59, tzinfo=UTC)


def test_closure_ends_every_clock_and_nothing_is_done_in_the_future() -> None:
    found = stopped(Deeds(NOW, [None], None, date(2026, 11, 23)), NOW)
    assert set(found) == set(DeadlineKind)
    assert found[DeadlineKind.COURT_LIMIT] == NOW


@pytest.mark.parametrize(
    ("text", "gives_away"), [("根据群众反映已冻结存款", True), ("接举 报后查封", True), ("已依法冻结存款", False)]
)
def test_what_gives_a_tip_away_is_not_published(text: str, gives_away: bool) -> None:
    work = Work("网络查控", text, publish=Publication((PartyRole.APPLICANT,), notify=True))
    assert [fault.field for fault in publication_faults(work, NOW)] == ["work.text"] * gives_away


def test_what_a_respondent_reads_must_be_carried_out() -> None:
    def fields(*audience: PartyRole, carried_out: bool = False, text: str = "已冻结存款") -> list[str]:
        work = Work("网络查控", text, publish=Publication(audience, True, carried_out=carried_out))
        return [fault.field for fault in publication_faults(work, NOW)]

    both = (PartyRole.APPLICANT, PartyRole.RESPONDENT)
    assert fields(PartyRole.APPLICANT) == []
    assert fields(*both) == ["work.publish.carried_out"]
    assert fields(*both, carried_out=True) == []
    assert fields(*both, text="根据举报冻结") == ["work.text", "work.publish.carried_out"]
    assert publication_faults(Work("查控", "根据举报冻结"), NOW) == []


@pytest.mark.parametrize(
    ("notify", "wait", "refused"),
    [(True, 1, True), (True, 0, False), (True, -1, False), (True, None, False), (False, 1, False)],
)
def test_nobody_is_notified_before_the_moment_of_publication(notify: bool, wait: int | None, refused: bool) -> None:
    not_before = None if wait is None else NOW + timedelta(seconds=wait)
    work = Work("网络查控", "已冻结存款", publish=Publication((PartyRole.APPLICANT,), notify, not_before))
    found = publication_faults(work, NOW)
    assert [fault.field for fault in found] == (["work.publish.notify"] if refused else [])
    assert all("取消" in fault.reason and "再登记" in fault.reason for fault in found)


def test_a_task_has_exactly_one_owner() -> None:
    with pytest.raises(ValueError, match="one owner"):
        Owner()
    with pytest.raises(ValueError, match="one owner"):
        Owner(staff_id=uuid4(), role=Role.CLERK)
    assert role_owner("clerk").role is Role.CLERK
    assert role_owner("nobody").role is Role.MANAGEMENT


def test_a_ringing_clock_asks_its_judge_and_management_as_long_as_there_is_none() -> None:
    judge = uuid4()
    late = rung_task(Rung(DeadlineKind.COURT_LIMIT, "2026年9月14日", NOW, False, "送达、结案"), judge)
    assert (late.kind, late.owner.staff_id) == (TaskKind.OVERDUE_REASONS, judge)
    reminder = rung_task(Rung(DeadlineKind.COURT_LIMIT_REMINDER, "2026年9月14日", NOW, False, "送达、结案"), None)
    assert (reminder.kind, reminder.owner.role) == (TaskKind.REMINDER, Role.MANAGEMENT)
    assert "2026年9月14日" in reminder.title
    assert "送达、结案" in reminder.detail


def test_the_ten_days_for_the_notice_run_from_the_receipt_of_the_application() -> None:
    dates = CaseDates(ENFORCEMENT, date(2026, 6, 14), received_on=date(2026, 6, 8))
    found = {each.kind: each for each in deadlines_of(dates, Figures(), CALENDAR)}
    assert court_date(found[DeadlineKind.EXECUTION_NOTICE_OUTER].due_at) == date(2026, 6, 18)


def test_of_a_partys_notices_the_earliest_counts_and_of_a_case_the_last_party() -> None:
    day, next_day = date(2026, 11, 23), date(2026, 11, 24)
    one = NOTHING.sent(NOW).sent(NOW + timedelta(hours=1)).served(next_day)
    assert one == Standing(NOW, next_day)
    assert one.served(day).served(next_day) == one, "the newest word on the day stands"
    assert of_party([one, Standing(None, day), NOTHING]) == Standing(NOW, day)
    assert of_party([]) == NOTHING
    assert of_case([one, Standing(None, day)]) == next_day
    assert of_case([one, NOTHING]) is None
    assert of_case([]) is None


def test_a_service_proves_the_sending_and_its_day_bounds_what_rests_on_it() -> None:
    served = Standing(None, date(2026, 11, 23))
    assert served.notified_at(NOW) == NOW
    assert served.notified_at(NOW + timedelta(days=3)) == datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)
    assert served.since == datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert Standing(NOW, date(2026, 11, 25)).since == NOW
    assert NOTHING.since is None


def test_a_clock_runs_again_only_if_it_rested_on_what_was_undone() -> None:
    met = {DeadlineKind.EXECUTION_NOTICE: NOW, DeadlineKind.ASSIGNMENT: NOW}
    assert undone(met, {DeadlineKind.ASSIGNMENT: NOW}, NOW) == {DeadlineKind.EXECUTION_NOTICE}
    assert undone(met, {}, NOW + timedelta(seconds=1)) == set()


def test_each_task_that_closes_itself_leads_to_where_it_can_be_done() -> None:
    case_id = UUID(int=7)
    doors = {kind: kind.place(case_id) for kind in TaskKind if kind.closes_itself}
    routes = [route for name in service_names() for each in load(name).routes for route in each.router.routes]
    paths = {re.sub(r"\{\w+\}", "{case_id}", route.path) for route in routes if "GET" in route.methods}
    for kind, place in doors.items():
        path = place.partition("#")[0].replace(str(case_id), "{case_id}")
        assert path in paths, kind
    assert doors[TaskKind.READING_DOUBTED] == "/unknown/readings"
    assert doors[TaskKind.COMPLETE_PARTIES] == f"/cases/{case_id}/parties/new"
    assert doors[TaskKind.ASK_RECEIPT] == f"/cases/{case_id}/edit"
