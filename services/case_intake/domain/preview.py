"""What an import would do, before anybody confirms it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from services.case_intake.domain.limits import PastLimit, past_limits, uncounted
from services.case_intake.domain.rows import HIDDEN, Judged, RowFault
from services.case_intake.domain.sheet import Change, RowGroup
from services.case_intake.domain.weighing import Known, Messages, Weighed, messages, weigh
from shared.calendar.workdays import CourtCalendar
from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.cases import PartyRole

_NON_LITIGATION = "非诉"


@dataclass(frozen=True)
class LateCase:
    """A case that would come in with limits already past."""

    case_number: str
    filed_on: date
    limits: list[PastLimit]


@dataclass(frozen=True)
class Absent:
    """A party on file of which the rows of its case say nothing, while they bring a new one."""

    case_number: str
    role: PartyRole
    name: str


@dataclass(frozen=True)
class Ask:
    """A case whose cause sounds like 非诉执行, while nobody has said whether it is: the clerk is asked."""

    case_number: str
    cause: str


@dataclass
class Preview:
    """Cases by what would become of them; `refused` have no good row.

    `far`: case numbers far beyond their series that nobody has confirmed. `hidden`: lines left out because the file
    does not show them.
    `without_receipt`: how many would come in without the day on which the application was received, and `waiting`
    the clocks that do not run for it;
    `without_ground`: how many reviews without what they are about.
    """

    rows: int
    filed: int = 0
    completed: int = 0
    corrected: int = 0
    unchanged: int = 0
    refused: int = 0
    parties: int = 0
    messages: Messages = field(default_factory=Messages)
    late: list[LateCase] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    absent: list[Absent] = field(default_factory=list)
    asks: list[Ask] = field(default_factory=list)
    without_receipt: int = 0
    waiting: set[DeadlineKind] = field(default_factory=set)
    without_ground: int = 0
    faults: list[RowFault] = field(default_factory=list)
    far: list[str] = field(default_factory=list)
    hidden: list[int] = field(default_factory=list)

    @property
    def uncounted(self) -> tuple[DeadlineKind, ...]:
        """The clocks in `waiting`, in their own order."""
        return tuple(clock for clock in DeadlineKind if clock in self.waiting)

    @property
    def late_by_rule(self) -> dict[str, int]:
        """How many of the late cases have passed each limit."""
        return dict(Counter(limit.rule for case in self.late for limit in case.limits))


@dataclass(frozen=True)
class Circumstances:
    """On which day (Asia/Shanghai) the file comes, by which calendar, and whether nobody is to be told."""

    today: date
    calendar: CourtCalendar
    silent: bool


def preview(
    judged: Sequence[tuple[RowGroup, Judged]], known: Mapping[str, Known], now: Circumstances
) -> tuple[Preview, list[RowGroup]]:
    """What would be done; and the groups with the changes that are shown, for their confirmation."""
    seen = Preview(sum(len(group.rows) for group, _ in judged))
    groups = []
    for group, good in judged:
        number = group.case_number or ""
        if group.far:
            seen.far.append(number)
        weighed = weigh(good, known.get(number))
        _count(seen, number, weighed)
        if weighed.joining:
            seen.messages += messages(good.good[0].case, weighed, known.get(number), silent=now.silent)
        found = [fault for fault in weighed.faults if fault.reason != HIDDEN]
        seen.faults += [replace(fault, case_number=group.case_number) for fault in found]
        seen.hidden += [row.line for row in group.rows if row.hidden]
        if weighed.outcome == "filed":
            _note_late(seen, number, good, now)
        groups.append(group.model_copy(update={"approved": list(weighed.changes)}))
    seen.faults.sort(key=lambda fault: fault.line)
    seen.hidden.sort()
    return seen, groups


def _count(seen: Preview, number: str, weighed: Weighed) -> None:
    if number:
        setattr(seen, weighed.outcome, getattr(seen, weighed.outcome) + 1)
    seen.parties += len(weighed.joining)
    seen.changes += weighed.changes
    seen.absent += [Absent(number, party.role, party.identity.name) for party in weighed.absent]


def _note_late(seen: Preview, number: str, judged: Judged, now: Circumstances) -> None:
    case = judged.good[0].case
    limits = past_limits(case, now.today, now.calendar)
    waiting = uncounted(case)
    seen.without_receipt += bool(waiting)
    seen.waiting |= waiting
    if case.ground is None and case.kind.grounds:
        seen.without_ground += 1
    if case.non_litigation is None and _NON_LITIGATION in case.cause and case.kind.enforces:
        seen.asks.append(Ask(number, case.cause))
    if limits:
        seen.late.append(LateCase(number, case.filed_on, limits))
