"""What a party's page says that they have to do, before its last day and after it."""

from datetime import date, timedelta

import pytest

from services.party_notification.domain.notices import Role
from services.party_notification.domain.prospects import Prospect, own_next
from shared.calendar.workdays import CourtCalendar
from tests.fixtures.notice_facts import COURT

SERVED = date(2026, 11, 23)
CALENDAR = CourtCalendar()


def by(role: Role, today: date, served_on: date | None = SERVED) -> Prospect:
    return own_next(role, served_on, COURT, CALENDAR, today)


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
    after = by(Role.RESPONDENT, SERVED + timedelta(days=60))
    assert after.late
    assert after.due_on is not None
    assert "尚未履行的，请立即履行" in after.text


def test_before_service_no_day_is_named() -> None:
    assert by(Role.APPLICANT, SERVED, None).due_on is None
