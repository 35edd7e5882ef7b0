"""On which days a court works: weekdays, less the announced holidays, plus the make-up working days (调休).

Days are calendar days in Asia/Shanghai.
"""

from collections.abc import Collection
from datetime import date, datetime

from chinese_calendar import constants as announced


class CourtCalendar:
    """Working days by the State Council's yearly announcements (全国年节及纪念日放假办法).

    Without arguments it knows every announced year that the installed `chinesecalendar` carries; with
    `holidays` (and `make_up_days`) it knows just those. A year counts as announced from its first holiday on.
    Outside the announced years only weekends are rest days, and `knows` says so.
    """

    def __init__(self, holidays: Collection[date] | None = None, make_up_days: Collection[date] | None = None) -> None:
        if holidays is None:
            holidays, make_up_days = announced.holidays, announced.workdays
        if not holidays:
            raise ValueError("a calendar without a single holiday says nothing about any year")
        self._holidays = frozenset(holidays)
        self._make_up_days = frozenset(make_up_days or ())
        self._known_from = date(min(self._holidays).year, 1, 1)
        self._known_until = date(max(self._holidays).year, 12, 31)

    @property
    def known_until(self) -> date:
        """The last day of the last announced year.

        The next announcement may still swap a day or two before New Year (as it did with 2018-12-31), so
        whoever recomputes on its arrival takes every open deadline, not only the provisional ones.
        """
        return self._known_until

    def knows(self, day: date) -> bool:
        """Whether the holidays of that day's year have been announced."""
        return self._known_from <= day <= self._known_until

    def is_working_day(self, day: date) -> bool:
        """Whether the court works on `day`. A make-up Saturday or Sunday is a working day."""
        if isinstance(day, datetime):
            raise TypeError("a day is asked for, not an instant: take shared.clock.court_date first")
        return day in self._make_up_days or (day.weekday() < 5 and day not in self._holidays)
