from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from chinese_calendar import constants as announced
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.calendar.periods import Due, Span, days_after, days_before, hours_after, months_after
from shared.calendar.workdays import CourtCalendar

END_OF_2026 = date(2026, 12, 31)
# What was known at the end of 2026, however far the installed announcements reach by now.
CALENDAR = CourtCalendar(
    holidays=[day for day in announced.holidays if day <= END_OF_2026],
    make_up_days=[day for day in announced.workdays if day <= END_OF_2026],
)
SHANGHAI = ZoneInfo("Asia/Shanghai")


def on(month: int, day: int, year: int = 2026, *, provisional: bool = False, shifted: bool = False) -> Due:
    return Due(date(year, month, day), provisional=provisional, shifted=shifted)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 3, 2), 7, on(3, 9)),  # Monday to Monday
        (date(2026, 2, 28), 7, on(3, 9, shifted=True)),  # Saturday to Monday
        (date(2026, 2, 10), 7, on(2, 24, shifted=True)),  # into Spring Festival: 17 to 24 February
        (date(2026, 2, 16), 7, on(2, 24, shifted=True)),  # on its last day, a Monday
        (date(2026, 2, 4), 10, on(2, 14)),  # make-up Saturday: a working day, no shift
        (date(2026, 2, 21), 7, on(2, 28)),  # make-up Saturday after the festival
        (date(2026, 9, 24), 7, on(10, 8, shifted=True)),  # into National Day
        (date(2026, 10, 3), 7, on(10, 10)),  # make-up Saturday after it
        (date(2026, 9, 13), 7, on(9, 20)),  # make-up Sunday before it
        (date(2026, 9, 10), 15, on(9, 28, shifted=True)),  # Mid-Autumn: Friday 25 to Monday 28
        (date(2025, 12, 25), 7, on(1, 4, shifted=True)),  # New Year: 1 January to make-up Sunday the 4th
        (date(2026, 3, 4), 0, on(3, 4)),
        (date(2026, 12, 24), 7, on(12, 31)),
    ],
)
def test_periods_of_days(start: date, days: int, due: Due) -> None:
    assert days_after(start, days, CALENDAR) == due


@pytest.mark.parametrize(
    ("start", "months", "due"),
    [
        (date(2026, 3, 10), 3, on(6, 10)),
        (date(2025, 8, 31), 6, on(2, 28)),  # no 31 February; the 28th is a make-up Saturday
        (date(2026, 8, 31), 6, on(3, 1, 2027, provisional=True, shifted=True)),  # Sunday 28 February 2027
        (date(2026, 1, 31), 1, on(2, 28)),
        (date(2024, 1, 31), 1, on(2, 29, 2024)),  # leap year
        (date(2026, 3, 31), 3, on(6, 30)),
        (date(2026, 4, 30), 3, on(7, 30)),  # the corresponding day, not the month's last
        (date(2025, 11, 17), 3, on(2, 24, shifted=True)),  # into Spring Festival
        (date(2026, 7, 1), 3, on(10, 8, shifted=True)),  # into National Day
        (date(2025, 12, 15), 12, on(12, 15)),
        (date(2026, 6, 30), 6, on(12, 30)),
    ],
)
def test_periods_of_months(start: date, months: int, due: Due) -> None:
    assert months_after(start, months, CALENDAR) == due


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        (date(2026, 12, 25), 7, on(1, 1, 2027, provisional=True)),  # a Friday, as far as anyone knows
        (date(2026, 12, 26), 7, on(1, 4, 2027, provisional=True, shifted=True)),
        (date(2004, 1, 1), 1, on(1, 2, 2004)),
        (date(2003, 12, 1), 1, on(12, 2, 2003, provisional=True)),  # before the first announcement that we have
    ],
)
def test_outside_the_announced_years_it_is_provisional(start: date, days: int, due: Due) -> None:
    # The data's first year is filled by its first holiday, whatever year that is.
    known = CourtCalendar(holidays=[date(2004, 1, 1), date(2026, 10, 1)])
    assert days_after(start, days, known) == due


def test_a_shift_that_leaves_the_announced_years_is_provisional() -> None:
    known = CourtCalendar(holidays=[date(2022, 10, 1)])  # 31 December 2022 is a Saturday
    assert days_after(date(2022, 12, 24), 7, known) == on(1, 2, 2023, provisional=True, shifted=True)


@pytest.mark.parametrize(
    ("spans", "due"),
    [
        # Ten days from Monday 2 March end on Thursday the 12th.
        ([], on(3, 12)),
        ([Span(date(2026, 3, 5), date(2026, 3, 5))], on(3, 13)),
        ([Span(date(2026, 3, 5), date(2026, 3, 6))], on(3, 16, shifted=True)),  # added first, then shifted once
        ([Span(date(2026, 2, 1), date(2026, 3, 3))], on(3, 13)),  # only what lies after the start day
        ([Span(date(2026, 2, 1), date(2026, 3, 2))], on(3, 12)),
        ([Span(date(2026, 3, 12), date(2026, 3, 18))], on(3, 19)),  # the last day itself is not counted
        ([Span(date(2026, 3, 13), date(2026, 3, 20))], on(3, 12)),  # after the end: nothing to add
        (  # the second is reached only through the first
            [Span(date(2026, 3, 13), date(2026, 3, 15)), Span(date(2026, 3, 11), date(2026, 3, 11))],
            on(3, 16),
        ),
        (  # overlapping: counted once
            [Span(date(2026, 3, 4), date(2026, 3, 8)), Span(date(2026, 3, 6), date(2026, 3, 10))],
            on(3, 19),
        ),
        (  # one inside the other, and twice the same
            [Span(date(2026, 3, 4), date(2026, 3, 10)), Span(date(2026, 3, 5), date(2026, 3, 6))] * 2,
            on(3, 19),
        ),
    ],
)
def test_excluded_spans(spans: list[Span], due: Due) -> None:
    assert days_after(date(2026, 3, 2), 10, CALENDAR, spans) == due


def test_excluded_spans_lengthen_months() -> None:
    appraisal = Span(date(2026, 2, 1), date(2026, 2, 20))
    assert months_after(date(2026, 1, 12), 6, CALENDAR, [appraisal]) == on(8, 3, shifted=True)  # Saturday 1 August


def test_backwards_does_not_shift() -> None:
    assert days_before(date(2026, 2, 24), 7) == date(2026, 2, 17)  # Spring Festival's day itself
    assert days_before(date(2026, 3, 3), 0) == date(2026, 3, 3)


def test_hours_run_through_nights_and_holidays() -> None:
    eve = datetime(2026, 2, 16, 22, 30, 5, tzinfo=SHANGHAI)
    assert hours_after(eve, 24) == datetime(2026, 2, 17, 14, 30, 5, tzinfo=UTC)
    assert hours_after(eve, 24).tzinfo is UTC


def test_hours_are_elapsed_time_where_the_wall_clock_jumps() -> None:
    before = datetime(1986, 5, 4, 1, 30, tzinfo=SHANGHAI)  # summer time began at 2:00
    assert hours_after(before, 2) - before.astimezone(UTC) == timedelta(hours=2)
    assert hours_after(before, 2).astimezone(SHANGHAI).hour == 4


def test_faulty_lengths_and_spans_are_refused() -> None:
    day = date(2026, 3, 2)
    with pytest.raises(ValueError, match="-1 long"):
        days_after(day, -1, CALENDAR)
    with pytest.raises(ValueError, match="-1 long"):
        months_after(day, -1, CALENDAR)
    with pytest.raises(ValueError, match="-1 long"):
        days_before(day, -1)
    with pytest.raises(ValueError, match="-1 long"):
        hours_after(datetime(2026, 3, 2, tzinfo=UTC), -1)
    with pytest.raises(ValueError, match="time zone"):
        hours_after(datetime(2026, 3, 2), 1)  # noqa: DTZ001 - the fault under test
    with pytest.raises(ValueError, match="before its first day"):
        Span(day, day - timedelta(days=1))


DAYS = st.dates(date(2005, 1, 1), date(2030, 12, 31))
SPANS = st.lists(
    st.builds(lambda first, length: Span(first, first + timedelta(days=length)), DAYS, st.integers(0, 400)), max_size=5
)
NEAR = settings(deadline=None, max_examples=150)


def shifted_by_hand(end: date) -> Due:
    day = end
    while not CALENDAR.is_working_day(day):
        day += timedelta(days=1)
    return Due(day, provisional=day > END_OF_2026, shifted=day > end)


def end_by_hand(start: date, base: date, spans: list[Span]) -> date:
    """Walk the days one by one: each excluded one asks for another day."""
    owed, day = (base - start).days, start
    while owed:
        day += timedelta(days=1)
        owed -= not any(span.first <= day <= span.last for span in spans)
    return day


@NEAR
@given(DAYS, st.integers(0, 400), SPANS)
def test_days_agree_with_counting_on_the_fingers(start: date, days: int, spans: list[Span]) -> None:
    end = end_by_hand(start, start + timedelta(days=days), spans)
    assert days_after(start, days, CALENDAR, spans) == shifted_by_hand(end)


@NEAR
@given(DAYS, st.integers(0, 40), SPANS)
def test_months_agree_with_counting_on_the_fingers(start: date, months: int, spans: list[Span]) -> None:
    year, month = start.year, start.month
    for _ in range(months):
        year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    following = date(year + 1, 1, 1) if month == 12 else date(year, month + 1, 1)
    base = min(date(year, month, 1) + timedelta(days=start.day - 1), following - timedelta(days=1))
    assert months_after(start, months, CALENDAR, spans) == shifted_by_hand(end_by_hand(start, base, spans))


@NEAR
@given(DAYS, st.integers(0, 60), SPANS)
def test_the_order_of_spans_is_indifferent_and_later_never_earlier(start: date, days: int, spans: list[Span]) -> None:
    due = days_after(start, days, CALENDAR, spans)
    assert due == days_after(start, days, CALENDAR, spans[::-1])
    assert due.day >= days_after(start, days, CALENDAR).day
    ends = [days_after(start, days + more, CALENDAR, spans).day for more in range(10)]
    assert all(earlier <= later for earlier, later in pairwise(ends))
