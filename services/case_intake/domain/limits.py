"""Which limits a case has already passed when it comes in, by the dates of the filing alone.

Sources: 法发〔2006〕35号 Art. 1, 2; Interpretation of the Civil Procedure Law (2022) Art. 480; the court's own
three months (reform of 2009, row 6).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from services.case_intake.domain.filing import CaseEntry
from shared.calendar.periods import ONE_DAY, Due, Length, days_after, length_after, months_after
from shared.calendar.workdays import CourtCalendar
from shared.contracts.case_kinds import REVIEWS, DeadlineKind, begins


@dataclass(frozen=True)
class PastLimit:
    """A limit whose last day (Asia/Shanghai) is over."""

    rule: str
    due_on: date


_Length = Callable[[date, CourtCalendar], Due]


def _days(count: int) -> _Length:
    return lambda start, calendar: days_after(start, count, calendar)


def _months(count: int) -> _Length:
    return lambda start, calendar: months_after(start, count, calendar)


def _of_length(length: Length) -> _Length:
    return lambda start, calendar: length_after(start, length, calendar)


_RULES: Mapping[DeadlineKind, tuple[str, _Length]] = {
    DeadlineKind.ASSIGNMENT: ("立案后7日内确定承办人", _days(7)),
    DeadlineKind.EXECUTION_NOTICE_OUTER: ("收到申请后10日内发出执行通知", _days(10)),
    DeadlineKind.COURT_LIMIT: ("3个月内执结（本院期限）", _months(3)),
    DeadlineKind.STATUTORY_LIMIT: ("6个月内执结（法定期限）", _months(6)),
    DeadlineKind.PRESERVATION_BEGIN: ("5日内开始执行保全", _days(5)),
}
_NON_LITIGATION = ("3个月内执结（非诉执行的法定期限）", _months(3))


def _next_day(start: date, _calendar: CourtCalendar) -> Due:
    """When 48 hours that count from the beginning of a day are over: a duty in hours never moves."""
    return Due(start + ONE_DAY, provisional=False, shifted=False)


_URGENT = ("48小时内裁定并立即开始执行保全（情况紧急）", _next_day)


def past_limits(case: CaseEntry, today: date, calendar: CourtCalendar) -> list[PastLimit]:
    """Those of its kind. What counts from a receipt that is not known does not run; a provisional day is not past."""
    found = []
    for kind, (rule, length) in _of(case):
        start = _start(kind, case)
        due = None if start is None else length(start, calendar)
        if due is not None and due.day < today and not due.provisional:
            found.append(PastLimit(rule, due.day))
    return found


def uncounted(case: CaseEntry) -> set[DeadlineKind]:
    """Its clocks that cannot run as long as nobody says when the application came in."""
    return {clock for clock in case.kind.from_receipt if _start(clock, case) is None}


def _start(kind: DeadlineKind, case: CaseEntry) -> date | None:
    if kind not in case.kind.from_receipt:
        return case.filed_on
    return begins(kind, case.kind, case.received_on, case.secured_on)


def _of(case: CaseEntry) -> Iterator[tuple[DeadlineKind, tuple[str, _Length]]]:
    for kind, rule in _RULES.items():
        if kind in case.kind.clocks:
            short = kind is DeadlineKind.STATUTORY_LIMIT and case.non_litigation
            yield kind, _NON_LITIGATION if short else _URGENT if case.kind.urgent else rule
    review = case.kind.review
    if review is not None:
        words = f"{review.opening}{review.length.words}内审查"
        yield from ((kind, (words, _of_length(review.length))) for kind in case.kind.clocks & REVIEWS)
