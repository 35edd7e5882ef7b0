"""Statutory periods: when something is due. Pure; days are calendar days in Asia/Shanghai.

Sources: Civil Procedure Law (2023) Art. 85; its Interpretation (2022) Art. 125; Civil Code Art. 201-203.
"""

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from shared.calendar.workdays import CourtCalendar

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Due:
    """The last day of a period.

    `shifted`: moved off a rest day. `provisional`: reached, or searched for, outside the announced calendars,
    where only weekends are known to be rest days; to be recomputed when the announcement arrives.
    """

    day: date
    provisional: bool
    shifted: bool


class Unit(StrEnum):
    """In what a period is counted."""

    DAY = "day"
    MONTH = "month"


@dataclass(frozen=True)
class Length:
    """So many days or months."""

    count: int
    unit: Unit = Unit.DAY

    @property
    def words(self) -> str:
        """As it is written in a text, with figures: 30日, 2个月."""
        return f"{self.count}{'日' if self.unit is Unit.DAY else '个月'}"


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Days that a period does not count, both ends included (which ones: 法释〔2000〕29号 Art. 9)."""

    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"a span ends on {self.last}, before its first day {self.first}")


def days_after(start: date, days: int, calendar: CourtCalendar, excluded: Sequence[Span] = ()) -> Due:
    """A period of days; the start day is not counted (CPL Art. 85, JI Art. 125).

    Excluded spans are added as calendar days; then the end, if a rest day, moves once to the first working day
    after it (CPL Art. 85; the order of the two is our reading). ValueError when `days` is negative.
    """
    _refuse_negative(days)
    return _due(_extended(start, start + timedelta(days=days), excluded), calendar)


def months_after(start: date, months: int, calendar: CourtCalendar, excluded: Sequence[Span] = ()) -> Due:
    """A period of months: ends on the corresponding day, or the month's last (Civil Code Art. 202).

    The start day is not counted (Art. 201); excluded spans and rest days as in `days_after` (Art. 203,
    CPL Art. 85). ValueError when `months` is negative.
    """
    _refuse_negative(months)
    return _due(_extended(start, _corresponding_day(start, months), excluded), calendar)


def length_after(start: date, length: Length, calendar: CourtCalendar) -> Due:
    """A period of so many days or months, as `days_after` and `months_after` count them."""
    count = days_after if length.unit is Unit.DAY else months_after
    return count(start, length.count, calendar)


def days_before(day: date, days: int) -> date:
    """The day that lies `days` calendar days before: a period counted backwards does not shift (our reading)."""
    _refuse_negative(days)
    return day - timedelta(days=days)


def hours_after(instant: datetime, hours: int) -> datetime:
    """Real elapsed time, holidays and nights included, as a UTC instant; `instant` is aware.

    For what the court promises in hours (24 h to act, 2 h to dispatch), not for statutory periods of hours,
    which begin with the next full hour (JI Art. 125).
    """
    _refuse_negative(hours)
    if instant.utcoffset() is None:
        raise ValueError("an instant needs its time zone")
    return instant.astimezone(UTC) + timedelta(hours=hours)


def _refuse_negative(length: int) -> None:
    if length < 0:
        raise ValueError(f"a period cannot be {length} long")


def _corresponding_day(start: date, months: int) -> date:
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _extended(start: date, end: date, excluded: Sequence[Span]) -> date:
    """`end` moved by every excluded day after `start`; a span that only the moved end reaches counts as well."""
    uncounted_from = start + ONE_DAY
    for span in sorted(excluded):
        first = max(span.first, uncounted_from)
        if first > end:
            break
        if first <= span.last:
            uncounted_from = span.last + ONE_DAY
            end += uncounted_from - first
    return end


def _due(end: date, calendar: CourtCalendar) -> Due:
    day = end
    while not calendar.is_working_day(day):
        day += ONE_DAY
    known = calendar.knows(end) and calendar.knows(day)
    return Due(day=day, provisional=not known, shifted=day != end)
