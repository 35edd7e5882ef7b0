"""What a party's page says that they have to do, before its last day and after it."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from services.party_notification.domain.notices import Role
from services.party_notification.domain.prospects import Clock, Prospect, court_next, may_go_up, own_next, time_limit
from services.party_notification.usecases.pagewriting import Page
from services.party_notification.usecases.visits import seen
from shared.calendar.workdays import CourtCalendar
from shared.clock import FixedClock, court_date
from shared.contracts.case_kinds import kind_of
from shared.settings import CourtSettings
from tests.fixtures.notice_facts import COURT

NOW = datetime(2026, 11, 23, 4, tzinfo=UTC)
SERVED = date(2026, 11, 23)
CALENDAR = CourtCalendar()
FIRST = "（2026）渝05执1号"
MAIN = {Role.APPLICANT: "CASE_ACCEPTED", Role.RESPONDENT: "ENFORCEMENT_NOTICE"}


def by(role: Role, today: date, served_on: date | None = SERVED) -> Prospect:
    found = own_next(kind_of(FIRST), role, served_on, COURT, CALENDAR, today)
    assert found is not None
    return found


@pytest.mark.parametrize("role", list(Role))
def test_until_its_last_day_a_duty_has_a_date(role: Role) -> None:
    last = by(role, SERVED).due_on
    assert last is not None
    on_it = by(role, last)
    assert (on_it.due_on, on_it.late) == (last, False)
    assert on_it.text.startswith("请")


def test_after_the_last_day_clues_are_welcome_and_no_deadline_runs() -> None:
    last = by(Role.APPLICANT, SERVED).due_on
    assert last is not None
    after = by(Role.APPLICANT, last + timedelta(days=1))
    assert after == Prospect(
        f"集中提供财产线索的期限已于{last.year}年{last.month}月{last.day}日届满。"
        "以后知道新的财产线索，仍然可以随时提供给承办法官。"
    )


def test_after_the_last_day_a_respondent_still_owes_and_is_late() -> None:
    after = by(Role.RESPONDENT, SERVED + timedelta(days=30))
    assert after.late
    assert after.due_on is not None
    assert "尚未履行的，请立即履行" in after.text


def test_who_is_no_party_of_an_enforcement_has_nothing_to_do() -> None:
    for number in ("（2026）渝05执保1号", "（2026）渝05执异1号", "（2026）渝05执监1号"):
        for role in Role:
            assert own_next(kind_of(number), role, SERVED, COURT, CALENDAR, SERVED) is None


def test_a_resumption_orders_no_second_report() -> None:
    resumed = own_next(kind_of("（2026）渝05执恢1号"), Role.RESPONDENT, SERVED, COURT, CALENDAR, SERVED)
    assert resumed is not None
    assert "履行义务" in resumed.text
    assert "报告" not in resumed.text
    assert "报告财产" in by(Role.RESPONDENT, SERVED).text


def test_what_the_court_does_in_a_resumption_speaks_of_no_report_that_nobody_ordered() -> None:
    work = court_next(kind_of("（2026）渝05执恢1号"), Role.RESPONDENT, "investigation", [], NOW)
    assert "报" not in work.text


def test_a_provisional_day_is_past_without_being_late() -> None:
    """28 December and ten days lead into a year whose holidays are not announced."""
    past = by(Role.RESPONDENT, date(2027, 3, 1), date(2026, 12, 28))
    assert (past.provisional, past.late) == (True, False)
    limit = Clock("court_limit", NOW - timedelta(days=1), True, None)
    waiting = time_limit([limit], NOW)
    assert waiting is not None
    assert (waiting.provisional, waiting.late) == (True, False)
    certain = time_limit([replace(limit, provisional=False)], NOW)
    assert certain is not None
    assert certain.late


def test_the_way_up_opens_by_the_receipt_and_only_for_the_applicant() -> None:
    clock = Clock("upper_court_six_months", NOW - timedelta(days=1), False, None)
    assert may_go_up(Role.APPLICANT, [clock], NOW) == court_date(clock.due_at)
    assert may_go_up(Role.RESPONDENT, [clock], NOW) is None
    assert may_go_up(Role.APPLICANT, [replace(clock, provisional=True)], NOW) is None
    assert may_go_up(Role.APPLICANT, [], NOW) is None


def test_before_service_no_day_is_named() -> None:
    assert by(Role.APPLICANT, SERVED, None).due_on is None


@pytest.mark.parametrize("role", list(Role))
def test_nothing_is_to_be_done_after_a_document_that_was_never_written(role: Role) -> None:
    """Of a case that was carried over it never is, and it may wait for what it lacks."""
    facts = {"case_number": FIRST, "cause": "民间借贷纠纷", "filed_on": date(2025, 3, 3), "judge_name": "周法官"}
    facts |= dict.fromkeys(("judge_phone", "clerk_name", "panel", "assigned_at", "closed_on"))
    facts |= {"name": "刘艳", "role": role, "minor": False, "consents": True, "opened": {}, "clocks": [], "lines": []}
    kit: Any = SimpleNamespace(clock=FixedClock(NOW), court=CourtSettings())
    paper = {"notice_id": UUID(int=1), "kind": MAIN[role], "number": "7319204488120635", "issued_at": NOW}
    paper |= {"served_on": None, "read": False, "report_ordered": False}
    assert seen(kit, Page.model_validate({**facts, "papers": []}), set()).own is None
    assert seen(kit, Page.model_validate({**facts, "papers": [paper]}), set()).own is not None


def test_the_way_up_is_closed_as_long_as_the_last_day_runs() -> None:
    clock = Clock("upper_court_six_months", NOW, provisional=False, met_at=None)
    assert may_go_up(Role.APPLICANT, [clock], NOW) is None
    assert may_go_up(Role.APPLICANT, [clock], NOW + timedelta(seconds=1)) is not None
