"""Which clocks run for a case, until when, and by which rule and article. Days are in Asia/Shanghai."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from shared.calendar.periods import Due, days_after, days_before, months_after
from shared.calendar.workdays import CourtCalendar
from shared.clock import end_of_day, start_of_day


class DeadlineKind(StrEnum):
    """What a clock waits for."""

    ASSIGNMENT = "assignment"
    EXECUTION_NOTICE = "execution_notice"
    EXECUTION_NOTICE_OUTER = "execution_notice_outer"
    COURT_LIMIT_REMINDER = "court_limit_reminder"
    COURT_LIMIT = "court_limit"
    STATUTORY_LIMIT = "statutory_limit"

    @property
    def label(self) -> str:
        """Its name for people."""
        return _TITLES[self]


_TITLES = {
    DeadlineKind.ASSIGNMENT: "确定承办人",
    DeadlineKind.EXECUTION_NOTICE: "发出执行通知",
    DeadlineKind.EXECUTION_NOTICE_OUTER: "发出执行通知（最迟）",
    DeadlineKind.COURT_LIMIT_REMINDER: "三个月期限届满前提醒",
    DeadlineKind.COURT_LIMIT: "本院三个月办案期限",
    DeadlineKind.STATUTORY_LIMIT: "法定执行期限",
}
_COURT_RULE = "本院执行工作改革措施（2009年12月1日起施行）"
_HANDLING_RULE = "最高人民法院《关于人民法院办理执行案件若干期限的规定》（法发〔2006〕35号）"


@dataclass(frozen=True)
class Figures:
    """Lengths of the periods. The defaults are the law's and this court's; each court may set its own."""

    assignment_days: int = 7
    notice_days: int = 3
    notice_outer_days: int = 10
    court_limit_months: int = 3
    reminder_days: int = 7
    statutory_months: int = 6
    administrative_months: int = 3
    enforcement_plan_days: int = 30
    archiving_plan_days: int = 30


@dataclass(frozen=True)
class CaseDates:
    """What the clocks are computed from; where the application's receipt is not known, the filing stands for it."""

    filed_on: date
    assigned_on: date | None = None
    administrative: bool = False
    received_on: date | None = None


@dataclass(frozen=True)
class Deadline:
    """A clock: rings at `due_at`; `provisional` until the calendar of its year is announced."""

    kind: DeadlineKind
    start_on: date
    due_on: date
    due_at: datetime
    rule: str
    article: str
    provisional: bool


def deadlines_of(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> list[Deadline]:
    """Every clock that runs for a case with these dates."""
    found = [_assignment(dates, figures, calendar), _notice_outer(dates, figures, calendar)]
    if dates.assigned_on is not None:
        found.append(_notice(dates.assigned_on, figures, calendar))
    return [*found, *_court_limits(dates, figures, calendar), _statutory(dates, figures, calendar)]


def _assignment(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    due = days_after(dates.filed_on, figures.assignment_days, calendar)
    rule = f"立案后{figures.assignment_days}日内确定承办人"
    return _ending(DeadlineKind.ASSIGNMENT, dates.filed_on, due, rule, f"{_HANDLING_RULE}第二条")


def _notice(assigned_on: date, figures: Figures, calendar: CourtCalendar) -> Deadline:
    due = days_after(assigned_on, figures.notice_days, calendar)
    rule = f"承办人收到案件材料后{figures.notice_days}日内向被执行人发出执行通知书"
    return _ending(DeadlineKind.EXECUTION_NOTICE, assigned_on, due, rule, f"{_HANDLING_RULE}第四条")


def _notice_outer(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    received_on = dates.received_on or dates.filed_on
    due = days_after(received_on, figures.notice_outer_days, calendar)
    rule = f"收到申请执行书后{figures.notice_outer_days}日内发出执行通知"
    article = "《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》第四百八十条"
    return _ending(DeadlineKind.EXECUTION_NOTICE_OUTER, received_on, due, rule, article)


def _court_limits(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Sequence[Deadline]:
    """The court's own limit and, counted backwards from it and never shifted, its reminder.

    The reminder rings when its day begins, so that the whole week remains.
    """
    months, ahead = figures.court_limit_months, figures.reminder_days
    due = months_after(dates.filed_on, months, calendar)
    rule = f"立案之日起{months}个月未执结的，合议庭说明理由，报庭长审批延期"
    limit = _ending(DeadlineKind.COURT_LIMIT, dates.filed_on, due, rule, f"{_COURT_RULE}：三个月未执结案件警示")
    day = days_before(due.day, ahead)
    reminder = Deadline(
        DeadlineKind.COURT_LIMIT_REMINDER,
        due.day,
        day,
        start_of_day(day),
        f"{months}个月期限届满前{ahead}日提醒承办人，明确期限和工作要求",
        f"{_COURT_RULE}：期限到期前一周网上提醒",
        due.provisional,
    )
    return reminder, limit


def _statutory(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    months = figures.administrative_months if dates.administrative else figures.statutory_months
    due = months_after(dates.filed_on, months, calendar)
    name = "非诉执行案件" if dates.administrative else "执行案件"
    rule = f"{name}在立案之日起{months}个月内执结，延长须经院长或者副院长批准"
    further = "" if dates.administrative else "；逾期未执行的，《中华人民共和国民事诉讼法》第二百三十七条"
    article = f"{_HANDLING_RULE}第一条{further}"
    return _ending(DeadlineKind.STATUTORY_LIMIT, dates.filed_on, due, rule, article)


def _ending(kind: DeadlineKind, start: date, due: Due, rule: str, article: str) -> Deadline:
    """A period of days ends with its last day."""
    moved = "（末日逢休息日，已顺延）" if due.shifted else ""
    return Deadline(kind, start, due.day, end_of_day(due.day), f"{rule}{moved}", article, due.provisional)
