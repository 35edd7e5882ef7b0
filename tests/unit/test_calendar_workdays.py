from datetime import UTC, date, datetime

import pytest
from chinese_calendar import constants as announced

from shared.calendar.workdays import CourtCalendar

OFFICIAL = CourtCalendar()


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 3, 4), True),  # an ordinary Wednesday
        (date(2026, 3, 7), False),  # an ordinary Saturday
        (date(2026, 2, 14), True),  # make-up Saturday before Spring Festival
        (date(2026, 2, 15), False),  # Spring Festival, first day
        (date(2026, 2, 23), False),  # Spring Festival, last day: a Monday
        (date(2026, 2, 24), True),
        (date(2026, 2, 28), True),  # make-up Saturday after it
        (date(2026, 9, 20), True),  # make-up Sunday before National Day
        (date(2026, 10, 1), False),
        (date(2026, 10, 7), False),
        (date(2026, 10, 10), True),
        (date(2018, 12, 31), False),  # a Monday swapped with the Saturday before
        (date(2018, 12, 29), True),
    ],
)
def test_announced_days(day: date, works: bool) -> None:
    assert OFFICIAL.is_working_day(day) is works


def test_known_until_follows_the_installed_announcements() -> None:
    last_year = max(announced.holidays).year
    assert OFFICIAL.known_until == date(last_year, 12, 31)
    assert OFFICIAL.known_until >= date(2026, 12, 31)
    assert OFFICIAL.knows(OFFICIAL.known_until)
    assert not OFFICIAL.knows(date(last_year + 1, 1, 1))


def test_years_before_the_first_announcement_are_unknown_too() -> None:
    first_year = min(announced.holidays).year
    assert OFFICIAL.knows(date(first_year, 1, 1))
    assert not OFFICIAL.knows(date(first_year - 1, 12, 31))


def test_injected_days_replace_the_announced_ones() -> None:
    calendar = CourtCalendar(holidays=[date(2030, 5, 1)], make_up_days=[date(2030, 5, 4)])
    assert not calendar.is_working_day(date(2030, 5, 1))
    assert calendar.is_working_day(date(2030, 5, 4))
    assert not calendar.is_working_day(date(2030, 5, 5))
    assert calendar.known_until == date(2030, 12, 31)
    assert not calendar.knows(date(2026, 2, 17))
    assert not calendar.is_working_day(date(2026, 2, 28))


def test_holidays_without_make_up_days_do_not_borrow_the_announced_ones() -> None:
    calendar = CourtCalendar(holidays=[date(2026, 1, 1)])
    assert not calendar.is_working_day(date(2026, 2, 28))


def test_an_instant_is_no_day() -> None:
    with pytest.raises(TypeError, match="court_date"):
        OFFICIAL.is_working_day(datetime(2026, 2, 17, tzinfo=UTC))


def test_an_empty_calendar_is_refused() -> None:
    with pytest.raises(ValueError, match="without a single holiday"):
        CourtCalendar(holidays=[])
