"""Which limits a case has already passed when it comes in, by the dates of the filing alone.

Sources: 法发〔2006〕35号 Art. 1, 2; Interpretation of the Civil Procedure Law (2022) Art. 480; the court's own
three months (reform of 2009, row 6).
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from shared.calendar.periods import Due, days_after, months_after
from shared.calendar.workdays import CourtCalendar


@dataclass(frozen=True)
class PastLimit:
    """A limit whose last day (Asia/Shanghai) is over."""

    rule: str
    due_on: date


_Rule = tuple[str, Callable[[date, date, CourtCalendar], Due]]
_RULES: tuple[_Rule, ...] = (
    ("立案后7日内确定承办人", lambda filed, _, calendar: days_after(filed, 7, calendar)),
    ("收到申请后10日内发出执行通知", lambda _, received, calendar: days_after(received, 10, calendar)),
    ("3个月内执结（本院期限）", lambda filed, _, calendar: months_after(filed, 3, calendar)),
    ("6个月内执结（法定期限）", lambda filed, _, calendar: months_after(filed, 6, calendar)),
)


def past_limits(filed_on: date, received_on: date | None, today: date, calendar: CourtCalendar) -> list[PastLimit]:
    """Without the day of the application's receipt the filing stands for it."""
    dues = [(rule, due(filed_on, received_on or filed_on, calendar).day) for rule, due in _RULES]
    return [PastLimit(rule, day) for rule, day in dues if day < today]
