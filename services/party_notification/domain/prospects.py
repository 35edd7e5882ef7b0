"""What a party is told to expect: what they have to do, what the court does next, and until when. Pure.

Only clocks that mean something to a party are told: the court's reminders to itself never are. Days are in
Asia/Shanghai; a day past the announced holidays is provisional.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType

from services.party_notification.domain.notices import CourtFacts, Kind, Role
from shared.calendar.periods import days_after
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.contracts.case_kinds import CaseKind
from shared.contracts.cases import PartyRole

_ASSIGNMENT = "assignment"
_UPPER_COURT = "upper_court_six_months"
_NOTICE = frozenset({"execution_notice", "execution_notice_outer"})
_LIMITS: Mapping[str, str] = MappingProxyType(
    {
        "court_limit": "本院办案期限",
        "statutory_limit": "法定办案期限",
        "preservation_begin": "开始执行保全",
        "objection_decision": "审查期限",
        "reconsideration_decision": "审查期限",
    }
)

_OVER = "期限已满。已经履行的，请把凭证交给承办法官；尚未履行的，请立即履行。"
_WORK: Mapping[Role, Mapping[str, str]] = MappingProxyType(
    {
        Role.APPLICANT: {
            "investigation": "法官正在查询、核实被执行人的财产。",
            "compulsory": "法官正在依法执行查明的财产。",
            "closure": "法官正在核对执行款项，办理结案手续。",
        },
        Role.RESPONDENT: {
            "investigation": "法官正在核实履行情况和财产状况。",
            "compulsory": "尚未履行的，本院依法强制执行。",
            "closure": "法官正在核对履行情况，办理结案手续。",
        },
    }
)


@dataclass(frozen=True)
class Clock:
    """A deadline of the case as stage tracking told of it; `met_at` is when the deed stopped it."""

    kind: str
    due_at: datetime
    provisional: bool
    met_at: datetime | None


@dataclass(frozen=True)
class Prospect:
    """Something to come, in words. `due_on` is its last day; `note` says how that day was found."""

    text: str
    due_on: date | None = None
    provisional: bool = False
    note: str = ""
    late: bool = False


CLOSED = Prospect("本案已经结案。对结案有疑问，请联系承办法官。")


def court_next(kind: CaseKind, role: Role, period: str | None, clocks: Sequence[Clock], now: datetime) -> Prospect:
    """What the court does next in an open case: the step whose clock runs, else the work of the present period."""
    if not kind.enforces:
        return Prospect(kind.work, note=kind.limit)
    assigning = _running(clocks, {_ASSIGNMENT}, now)
    if assigning is not None:
        return _by(assigning, "本院确定承办法官。")
    noticing = _running(clocks, _NOTICE, now) if role is Role.APPLICANT else None
    if noticing is not None:
        return _by(noticing, "本院向被执行人发出执行通知书。")
    return Prospect(_WORK[role].get(period or "", "本案已经立案，即将进入执行查证期。"))


def time_limit(clocks: Sequence[Clock], now: datetime) -> Prospect | None:
    """The next limit of an open case; when all are past, the last one, late. None when none is known.

    What is only provisional is never late: it waits for its calendar.
    """
    limit = _running(clocks, set(_LIMITS), now)
    if limit is not None:
        return _by(limit, _LIMITS[limit.kind])
    past = [clock for clock in clocks if clock.kind in _LIMITS and clock.met_at is None]
    if not past:
        return None
    last = max(past, key=lambda clock: clock.due_at)
    return Prospect(_LIMITS[last.kind], court_date(last.due_at), last.provisional, late=not last.provisional)


def may_go_up(role: Role, clocks: Sequence[Clock], now: datetime) -> date | None:
    """Since when the applicant may ask the upper court to enforce (CPL 237, from the receipt); None: not yet."""
    past = [clock for clock in clocks if clock.kind == _UPPER_COURT and clock.met_at is None and clock.due_at < now]
    certain = [court_date(clock.due_at) for clock in past if not clock.provisional]
    return min(certain, default=None) if role is Role.APPLICANT else None


def _running(clocks: Sequence[Clock], kinds: Iterable[str], now: datetime) -> Clock | None:
    wanted = set(kinds)
    open_ones = [clock for clock in clocks if clock.kind in wanted and clock.met_at is None and clock.due_at > now]
    return min(open_ones, key=lambda clock: clock.due_at, default=None)


def _by(clock: Clock, text: str) -> Prospect:
    return Prospect(text, court_date(clock.due_at), clock.provisional)


def own_next(
    kind: CaseKind, role: Role, served_on: date | None, court: CourtFacts, calendar: CourtCalendar, today: date
) -> Prospect | None:
    """What the party has to do after their main document, counted from the day on which it was served; None: nothing.

    A day past the announced holidays is not certain: nothing is late by it.
    """
    main_notice = kind.main_notice(PartyRole(role))
    if not kind.enforces or main_notice is None:
        return None
    main = Kind(main_notice).label
    days = court.clue_days if role is Role.APPLICANT else court.perform_days
    duty = _duty(kind, role, court)
    if served_on is None:
        return Prospect(f"收到{main}后{days}日内，{duty}。")
    due = days_after(served_on, days, calendar)
    over = due.day < today and not due.provisional
    if over and role is Role.APPLICANT:
        # Nothing is owed and nothing is late: a clue is welcome at any time.
        ended = f"集中提供财产线索的期限已于{due.day.year}年{due.day.month}月{due.day.day}日届满。"
        return Prospect(f"{ended}以后知道新的财产线索，仍然可以随时提供给承办法官。")
    # The day comes from our own record of service: the party may prove another (JI 135).
    note = f"{main}{served_on.month}月{served_on.day}日送达，从次日起算{days}日"
    text = _OVER if over else f"请{duty}。"
    return Prospect(text, due.day, due.provisional, note, late=over)


def _duty(kind: CaseKind, role: Role, court: CourtFacts) -> str:
    if role is Role.APPLICANT:
        return "填写《财产调查表》，提供被执行人的财产线索，并用《收款账户确认书》告知收款账户"
    if not kind.orders_report:
        return "履行义务"
    if court.perform_days == court.report_days:
        return "履行义务，并如实报告财产"
    return f"履行义务；{court.report_days}日内如实报告财产"
