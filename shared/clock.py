"""The clock is handed in: nothing else in the product asks the machine what time it is.

Instants are aware UTC datetimes; dates are days in Asia/Shanghai.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


class Clock(Protocol):
    """Tells the product's present instant (aware, UTC)."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock, moved by an offset that only the sandbox ever changes."""

    def __init__(self, offset: timedelta = timedelta(0)) -> None:
        self.offset = offset

    def now(self) -> datetime:
        return datetime.now(UTC) + self.offset  # noqa: TID251 - the one place


class FixedClock:
    """A clock for tests: it stands still until it is moved."""

    def __init__(self, instant: datetime) -> None:
        self.instant = instant

    def now(self) -> datetime:
        return self.instant

    def move(self, by: timedelta) -> None:
        self.instant += by


def court_date(instant: datetime) -> date:
    """The calendar day in Asia/Shanghai on which an aware instant falls."""
    return instant.astimezone(SHANGHAI).date()


def start_of_day(day: date) -> datetime:
    """Midnight in Asia/Shanghai at the start of `day`, as a UTC instant."""
    return datetime(day.year, day.month, day.day, tzinfo=SHANGHAI).astimezone(UTC)


def end_of_day(day: date) -> datetime:
    """The last second of `day` in Asia/Shanghai, as a UTC instant: a period of days ends with its day."""
    return start_of_day(day + timedelta(days=1)) - timedelta(seconds=1)
