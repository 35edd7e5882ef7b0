"""Which clocks run for a case, until when, and by which rule and article. Days are in Asia/Shanghai."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from shared.calendar.periods import ONE_DAY, Due, Length, days_after, days_before, length_after, months_after
from shared.calendar.workdays import CourtCalendar
from shared.clock import end_of_day, start_of_day
from shared.contracts.case_kinds import COURT_LIMIT_RULE, COURT_RULE, WITHIN, CaseKind, DeadlineKind, begins
from shared.contracts.reviews import Review

_HANDLING_RULE = "最高人民法院《关于人民法院办理执行案件若干期限的规定》（法发〔2006〕35号）"
_CPL = "《中华人民共和国民事诉讼法》"
_INTERPRETATION = "《最高人民法院关于适用〈中华人民共和国民事诉讼法〉的解释》"
_PRESERVATION_RULE = "《最高人民法院关于人民法院办理财产保全案件若干问题的规定》"
URGENT_HOURS = 48
"""Within them an urgent preservation is ordered, to begin at once (CPL 103)."""


@dataclass(frozen=True)
class Figures:
    """Lengths of the periods. The defaults are the law's and this court's; each court may set its own."""

    assignment_days: int = 7
    notice_days: int = 3
    notice_outer_days: int = 10
    court_limit_months: int = 3
    reminder_days: int = 7
    statutory_months: int = 6
    non_litigation_months: int = 3
    upper_court_months: int = 6
    preservation_days: int = 5
    enforcement_plan_days: int = 30
    archiving_plan_days: int = 30


@dataclass(frozen=True)
class Longer:
    """An approved extension: by how much, by whom and when, and by which article it could be given."""

    length: Length
    article: str
    approved_on: date


@dataclass(frozen=True)
class CaseDates:
    """What the clocks are computed from. What counts from the application's receipt does not run without its day.

    `longer`: the extensions approved in the case. One that the law of its period does not know moves nothing.
    """

    kind: CaseKind
    filed_on: date
    assigned_on: date | None = None
    non_litigation: bool = False
    received_on: date | None = None
    longer: Mapping[tuple[DeadlineKind, str], Longer] = field(default_factory=dict)
    secured_on: date | None = None

    @property
    def waiting(self) -> tuple[DeadlineKind, ...]:
        """The clocks that cannot run because nobody has said on which day the application came in."""
        return tuple(clock for clock in self.kind.waiting if self.beginning(clock) is None)

    def beginning(self, clock: DeadlineKind) -> date | None:
        """From which day a clock that counts from the receipt counts; None while nobody has said it."""
        return begins(clock, self.kind, self.received_on, self.secured_on)


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
    """Every clock that runs for a case of this kind with these dates."""
    found = (_RULES[kind](dates, figures, calendar) for kind in DeadlineKind if kind in dates.kind.clocks)
    return [_within(_prolonged(each, dates, calendar), each, dates, figures, calendar) for each in found if each]


def _within(longer: Deadline, plain: Deadline, dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    """An extension that reaches beyond the limit within which it stays, extended or not, ends with that one."""
    bound = WITHIN.get(longer.kind)
    outer = None if bound is None or longer is plain else _RULES[bound](dates, figures, calendar)
    if outer is None:
        return longer
    outer = _prolonged(outer, dates, calendar)
    if longer.due_on <= outer.due_on:
        return longer
    end, rule = max(outer.due_on, plain.due_on), f"{longer.rule}，不超过“{outer.kind.label}”"
    tentative = plain.provisional or outer.provisional
    return replace(longer, due_on=end, due_at=end_of_day(end), rule=rule, provisional=tentative)


def _prolonged(deadline: Deadline, dates: CaseDates, calendar: CourtCalendar) -> Deadline:
    """With the extension that was approved for it: counted from the old last day (法释〔2000〕29号 5)."""
    extension = dates.kind.extension_of(deadline.kind)
    longer = extension and dates.longer.get((deadline.kind, extension.article))
    if not extension or not longer:
        return deadline
    due, on = length_after(deadline.due_on, longer.length, calendar), longer.approved_on
    approval = f"；{on.year}年{on.month}月{on.day}日经{extension.approver}批准延长{longer.length.words}"
    new = _ending(deadline.kind, deadline.start_on, due, f"{deadline.rule}{approval}", deadline.article)
    article = deadline.article if extension.article in deadline.article else f"{deadline.article}；{extension.article}"
    return replace(new, article=article, provisional=due.provisional or deadline.provisional)


def _assignment(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    due = days_after(dates.filed_on, figures.assignment_days, calendar)
    rule = f"立案后{figures.assignment_days}日内确定承办人"
    return _ending(DeadlineKind.ASSIGNMENT, dates.filed_on, due, rule, f"{_HANDLING_RULE}第二条")


def _notice(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline | None:
    if dates.assigned_on is None:
        return None
    due = days_after(dates.assigned_on, figures.notice_days, calendar)
    rule = f"承办人收到案件材料后{figures.notice_days}日内向被执行人发出执行通知书"
    return _ending(DeadlineKind.EXECUTION_NOTICE, dates.assigned_on, due, rule, f"{_HANDLING_RULE}第四条")


def _notice_outer(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline | None:
    rule = f"收到申请执行书后{figures.notice_outer_days}日内发出执行通知"
    article = f"{_INTERPRETATION}第四百八十条"
    return _days_from_receipt(
        DeadlineKind.EXECUTION_NOTICE_OUTER, dates, figures.notice_outer_days, calendar, (rule, article)
    )


def _days_from_receipt(
    kind: DeadlineKind, dates: CaseDates, days: int, calendar: CourtCalendar, words: tuple[str, str]
) -> Deadline | None:
    start = dates.beginning(kind)
    return None if start is None else _ending(kind, start, days_after(start, days, calendar), *words)


def _court_limit(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    months = figures.court_limit_months
    due = months_after(dates.filed_on, months, calendar)
    rule = f"立案之日起{months}个月未执结的，合议庭说明理由，报庭长审批延期"
    return _ending(DeadlineKind.COURT_LIMIT, dates.filed_on, due, rule, COURT_LIMIT_RULE)


def _reminder(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    """Counted backwards from the court's own limit as it stands, extended or not, and never shifted.

    It rings when its day begins, so that the whole week remains.
    """
    ahead = figures.reminder_days
    plain = _court_limit(dates, figures, calendar)
    limit = _within(_prolonged(plain, dates, calendar), plain, dates, figures, calendar)
    day = days_before(limit.due_on, ahead)
    return Deadline(
        DeadlineKind.COURT_LIMIT_REMINDER,
        limit.due_on,
        day,
        start_of_day(day),
        f"{figures.court_limit_months}个月期限届满前{ahead}日提醒承办人，明确期限和工作要求",
        f"{COURT_RULE}：期限到期前一周网上提醒",
        limit.provisional,
    )


def _statutory(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline:
    months = figures.non_litigation_months if dates.non_litigation else figures.statutory_months
    due = months_after(dates.filed_on, months, calendar)
    name = "非诉执行案件" if dates.non_litigation else "执行案件"
    rule = f"{name}在立案之日起{months}个月内执结，延长须经院长或者副院长批准"
    return _ending(DeadlineKind.STATUTORY_LIMIT, dates.filed_on, due, rule, f"{_HANDLING_RULE}第一条")


def _upper_court(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline | None:
    if dates.received_on is None:
        return None
    months = figures.upper_court_months
    due = months_after(dates.received_on, months, calendar)
    rule = f"自收到申请执行书之日起超过{months}个月未执行的，申请执行人可以向上一级人民法院申请执行"
    article = f"{_CPL}第二百三十七条"
    return _ending(DeadlineKind.UPPER_COURT, dates.received_on, due, rule, article)


def _preservation(dates: CaseDates, figures: Figures, calendar: CourtCalendar) -> Deadline | None:
    if dates.kind.urgent:
        return None if dates.received_on is None else _preservation_at_once(dates.received_on)
    days = figures.preservation_days
    rule = f"裁定采取保全措施的，{days}日内开始执行（自收到保全申请之日起算；须提供担保的，自提供担保之日起算）"
    article = f"{_PRESERVATION_RULE}第四条"
    return _days_from_receipt(DeadlineKind.PRESERVATION_BEGIN, dates, days, calendar, (rule, article))


def _preservation_at_once(start: date) -> Deadline:
    """Of the receipt only the day is known: the hours count from its beginning, so that nothing rings too late.

    A duty in hours never moves to a working day.
    """
    rule = f"情况紧急的，{URGENT_HOURS}小时内作出裁定，裁定采取保全措施的立即开始执行（自接受申请之日零时起算，不顺延）"
    article = f"{_CPL}第一百零三条；{_PRESERVATION_RULE}第四条"
    day = start + timedelta(hours=URGENT_HOURS) - ONE_DAY
    return Deadline(DeadlineKind.PRESERVATION_BEGIN, start, day, end_of_day(day), rule, article, provisional=False)


def _objection(dates: CaseDates, _figures: Figures, calendar: CourtCalendar) -> Deadline | None:
    return _review(DeadlineKind.OBJECTION_DECISION, dates, calendar)


def _reconsideration(dates: CaseDates, _figures: Figures, calendar: CourtCalendar) -> Deadline | None:
    return _review(DeadlineKind.RECONSIDERATION_DECISION, dates, calendar)


def _review(kind: DeadlineKind, dates: CaseDates, calendar: CourtCalendar) -> Deadline | None:
    review = dates.kind.review
    start = dates.received_on if review is None or review.from_receipt else dates.filed_on
    if review is None or start is None:
        return None
    due = length_after(start, review.length, calendar)
    return _ending(kind, start, due, _review_words(review), review.article)


def _review_words(review: Review) -> str:
    words, more = f"{review.opening}{review.length.words}内审查完毕，作出裁定", review.extension
    return f"{words}；有特殊情况的，经{more.approver}批准可以延长，最长{more.most.words}" if more else words


def _ending(kind: DeadlineKind, start: date, due: Due, rule: str, article: str) -> Deadline:
    """A period of days ends with its last day."""
    moved = "（末日逢休息日，已顺延）" if due.shifted else ""
    return Deadline(kind, start, due.day, end_of_day(due.day), f"{rule}{moved}", article, due.provisional)


_RULES: Mapping[DeadlineKind, Callable[[CaseDates, Figures, CourtCalendar], Deadline | None]] = {
    DeadlineKind.ASSIGNMENT: _assignment,
    DeadlineKind.EXECUTION_NOTICE: _notice,
    DeadlineKind.EXECUTION_NOTICE_OUTER: _notice_outer,
    DeadlineKind.COURT_LIMIT_REMINDER: _reminder,
    DeadlineKind.COURT_LIMIT: _court_limit,
    DeadlineKind.STATUTORY_LIMIT: _statutory,
    DeadlineKind.UPPER_COURT: _upper_court,
    DeadlineKind.PRESERVATION_BEGIN: _preservation,
    DeadlineKind.OBJECTION_DECISION: _objection,
    DeadlineKind.RECONSIDERATION_DECISION: _reconsideration,
}
WITHOUT_URGENCY = frozenset({DeadlineKind.COURT_LIMIT_REMINDER, DeadlineKind.UPPER_COURT})
"""No limit of the court's: a reminder, and the day from which the applicant has another way."""


@dataclass(frozen=True)
class Running:
    """A clock that runs, as it rests; `rang` when it has run out and said so."""

    kind: DeadlineKind
    due_at: datetime
    provisional: bool
    rang: bool


def is_red(kind: DeadlineKind, due_at: datetime, now: datetime, *, provisional: bool) -> bool:
    """Whether a running clock makes its case late: one that is only provisional never does."""
    return due_at < now and not provisional and kind not in WITHOUT_URGENCY


def nearest(running: Iterable[Running]) -> Running | None:
    """The limit by which lists sort; one that ran out provisionally waits for its calendar and urges nobody."""
    urging = (each for each in running if each.kind not in WITHOUT_URGENCY and not (each.provisional and each.rang))
    return min(urging, key=lambda each: each.due_at, default=None)


def waits_for(due_on: date, provisional: bool) -> str | None:  # noqa: FBT001 - a row's column
    """What a provisional clock waits for, in words; None when it is certain."""
    return f"暂定，待{due_on.year}年放假安排公布后确定" if provisional else None
