"""Which limits may be made longer, by how much, and when that comes too late. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.stage_tracking.domain.acts import ExtendLimit
from services.stage_tracking.domain.deadlines import Longer
from shared.calendar.periods import Length, length_after
from shared.calendar.workdays import CourtCalendar
from shared.contracts.case_kinds import REVIEWS, WITHIN, CaseKind, DeadlineKind
from shared.contracts.confidential import telling
from shared.contracts.reviews import Extension
from shared.errors import Conflict, Fault
from shared.web.formats import cn_date


@dataclass(frozen=True)
class Limit:
    """A clock as it stands, and whether its deed is done."""

    kind: DeadlineKind
    start_on: date
    due_on: date
    met: bool


Extended = Mapping[tuple[DeadlineKind, str], Longer]


def extendable(kind: CaseKind, limits: Sequence[Limit], extended: Extended) -> dict[DeadlineKind, Extension]:
    """The limits that could be made longer now, and by what law."""
    ends = {limit.kind: limit.due_on for limit in limits}
    outer = {inner: ends[bound] for inner, bound in WITHIN.items() if bound in ends}
    room = [limit for limit in limits if not limit.met and limit.due_on < outer.get(limit.kind, date.max)]
    found = {limit.kind: kind.extension_of(limit.kind) for limit in room}
    return {clock: law for clock, law in found.items() if law and (clock, law.article) not in extended}


def most_units(limit: Limit, law: Extension, outer: Limit | None, calendar: CourtCalendar) -> int:
    """By how many units the limit can be made longer: the last of them may at most reach the end of the outer one."""
    if outer is None:
        return law.most.count
    ends = [
        length_after(limit.due_on, Length(count, law.most.unit), calendar).day for count in range(1, law.most.count)
    ]
    return sum(end < outer.due_on for end in (limit.due_on, *ends))


def refuse_extension(kind: CaseKind, clock: DeadlineKind, limit: Limit | None, extended: Extended) -> Extension:
    """By what law the limit may be made longer. Raises Conflict when it may not."""
    extension = kind.extension_of(clock)
    if extension is None:
        unsaid = clock in REVIEWS & kind.clocks and kind.awaits_ground
        advice = "本案没有登记审查事由，请先补填。" if unsaid else ""
        raise Conflict("limit_not_extendable", f"法律没有规定“{clock.label}”可以延长。{advice}")
    if limit is None:
        raise Conflict("limit_not_running", f"“{clock.label}”没有在计，不能延长。请先补填收到申请的日期。")
    if limit.met:
        raise Conflict("limit_over", f"“{clock.label}”已经办结，不能延长。")
    if (clock, extension.article) in extended:
        raise Conflict("limit_extended_already", f"“{clock.label}”已经延长过一次，不能再次延长。")
    return extension


def extension_faults(deed: ExtendLimit, limit: Limit, most: Length, today: date) -> list[Fault]:
    """More than can be given, an approval on an impossible day, or a reason that must not be told to the parties."""
    faults = []
    if telling(deed.reason):
        reason = "理由会写入发给当事人的告知书，不得提及举报、线索及其来源，请改写。"
        faults.append(Fault("extend.reason", reason))
    if not 1 <= deed.count <= most.count:
        least = Length(1, most.unit).words
        range_ = f"至少延长{least}，最多延长{most.words}。" if most.count else _no_room(limit)
        faults.append(Fault("extend.count", range_))
    if deed.approved_on > today:
        faults.append(Fault("extend.approved_on", "批准日期不能晚于今天。"))
    elif deed.approved_on < limit.start_on:
        faults.append(Fault("extend.approved_on", f"批准日期不能早于期限起算之日（{cn_date(limit.start_on)}）。"))
    elif deed.approved_on > limit.due_on:
        reason = f"期限已于{cn_date(limit.due_on)}届满，届满以后批准的延长不能登记；请说明超期理由。"
        faults.append(Fault("extend.approved_on", reason))
    return faults


def _no_room(limit: Limit) -> str:
    return f"“{limit.kind.label}”的延长不能超过“{WITHIN[limit.kind].label}”，现在不能延长；须先批准延长后者。"
