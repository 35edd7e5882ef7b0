"""The clocks of a case, computed from what is known of it. Each change is a version, an event and a log entry."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from services.stage_tracking.domain.deadlines import (
    CaseDates,
    Deadline,
    Running,
    deadlines_of,
    is_red,
    nearest,
)
from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.stages import Plan, owners, plans
from services.stage_tracking.domain.stopping import Deeds, stopped
from services.stage_tracking.domain.stopping import undone as run_again
from services.stage_tracking.domain.tasks import BEFORE_IT_RINGS, TaskKind, asked_by
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, deadlines, extensions, stages, tasks
from services.stage_tracking.store.rows import Case, Clock, Past, PlannedMilestone
from services.stage_tracking.store.serving import party_standing
from services.stage_tracking.usecases.asking import keep_questions
from services.stage_tracking.usecases.journal import write
from services.stage_tracking.usecases.limits import ANEW, Cause, Change, tell_changes
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.contracts.case_kinds import CaseKind, DeadlineKind
from shared.contracts.stages import DeadlineMet, DeadlineSet, DeadlineWithdrawn, Milestone
from shared.db.transaction import Transaction
from shared.web.formats import cn_date

FIRE_SIGNAL = "deadlines"


@lru_cache
def court_calendar() -> CourtCalendar:
    """The calendars announced up to now, as installed."""
    return CourtCalendar()


async def keep_clocks(
    kit: StageKit,
    tx: Transaction,
    case_id: UUID,
    calendar: CourtCalendar | None = None,
    undone: datetime | None = None,
    cause: Cause = ANEW,
) -> None:
    """Bring the clocks in line with what is known of the case, whose row is locked, and with them all that follows.

    That is when milestones are planned, what is asked of whom, and what the parties know of limits. May be repeated.
    `undone`: when something had been done that came to nothing; clocks that it alone had stopped run again.
    """
    calendar = calendar or court_calendar()
    case = await cases.lock(tx.conn, case_id)
    if case is None:
        raise LookupError("the case's row was not locked before")
    assigned_on = None if case.assigned_at is None else court_date(case.assigned_at)
    kind, longer = case.kind, await extensions.of_case(tx.conn, case)
    dates = CaseDates(kind, case.filed_on, assigned_on, case.administrative, case.received_on, longer, case.secured_on)
    wanted = deadlines_of(dates, kit.settings.figures, calendar)
    milestones = (await stages.milestones_of(tx.conn, [case_id]))[case_id]
    reached = _reached(milestones)
    ended = await _ended(tx, case, reached)
    rows = await deadlines.current(tx.conn, case_id)
    again = set() if undone is None else run_again(_met(rows), ended, undone)
    standing = await _withdraw(kit, tx, case, rows, {deadline.kind for deadline in wanted})
    current = await _set_all(kit, tx, standing, wanted, Setting(case_id, calendar.known_until, again))
    await _plan(kit, tx, case, kind, current, milestones)
    await _stop_what_is_done(kit, tx, case, current, ended)
    if milestones:  # not in a case that has only just come in: nothing has rung yet
        await tasks.keep_days(tx.conn, case_id, urged_until(current))
        await _keep_rung(tx, case, current, ended)
    await keep_questions(kit, tx, case, reached, current)
    running = [row for row in current if row.met_at is None and row.kind not in ended]
    await note_nearest(tx, case, running)
    await tell_changes(kit, tx, case, Change(rows, current, running, cause))
    tx.wake(FIRE_SIGNAL)


async def _withdraw(
    kit: StageKit, tx: Transaction, case: Case, rows: Sequence[Clock], wanted: Collection[DeadlineKind]
) -> Sequence[Clock]:
    """Take back the running clocks that do not belong to the case, or to what is known of it; those that stand."""
    gone = [row for row in rows if row.kind not in wanted and row.met_at is None]
    if not gone:
        return rows
    await deadlines.supersede(tx.conn, [row.id for row in gone], tx.now)
    lines = []
    for row in gone:
        kind = row.kind
        await tx.emit(DeadlineWithdrawn(case_id=case.case_id, kind=kind))
        lines.append(f"{kind.label}：撤销（原定{cn_date(row.due_on)}），{_why_not(case, kind)}")
    await write(kit, tx, case.case_id, Note(EntryKind.CLOCKS, "\n".join(lines)))
    return [row for row in rows if row not in gone]


def _why_not(case: Case, kind: DeadlineKind) -> str:
    here = case.kind
    if kind in here.clocks:
        return "没有登记收到申请的日期，不能计算。"
    return f"本案是{here.title}，不适用这一期限。"


@dataclass(frozen=True)
class Setting:
    """In which case clocks are set, by a calendar announced until when, and which that were stopped run again."""

    case_id: UUID
    calendar_until: date
    again: Collection[DeadlineKind]


def _met(rows: Sequence[Clock]) -> dict[DeadlineKind, datetime]:
    return {row.kind: row.met_at for row in rows if row.met_at is not None}


async def _set_all(
    kit: StageKit, tx: Transaction, rows: Sequence[Clock], wanted: Sequence[Deadline], setting: Setting
) -> Sequence[Clock]:
    """Set what is new or differs; the clocks as they stand then."""
    case_id, calendar_until = setting.case_id, setting.calendar_until
    current = {row.kind: row for row in rows}
    changed = [deadline for deadline in wanted if _is_new(current.get(deadline.kind), deadline, setting)]
    past = await deadlines.past(tx.conn, case_id, [each.kind for each in changed]) if changed else {}
    replaced, added, lines = [], [], []
    for deadline in changed:
        old, again = current.get(deadline.kind), deadline.kind in setting.again
        before = past.get(deadline.kind, Past(0, told=False))
        version = before.version + 1
        if old is not None:
            replaced.append(old.id)
        rang_at = old.fired_at if old is not None and not again and _has_rung_for(old, deadline) else None
        new = {"version": version, "calendar_until": calendar_until, "fired_at": rang_at, "told": before.told}
        added.append((deadline, new))
        await tx.emit(_set_event(case_id, deadline, version))
        lines.append(_difference(old, deadline, version))
    if lines:
        await deadlines.supersede(tx.conn, replaced, tx.now)
        await deadlines.put(tx.conn, case_id, added)
        await write(kit, tx, case_id, Note(EntryKind.CLOCKS, "\n".join(lines)))
    if any(row.met_at is None and row.calendar_until != calendar_until for row in rows):
        await deadlines.confirm(tx.conn, case_id, calendar_until)
    return await deadlines.current(tx.conn, case_id) if lines else rows


def _is_new(old: Clock | None, deadline: Deadline, setting: Setting) -> bool:
    """One that was stopped stays so, unless it runs again."""
    if old is None or deadline.kind in setting.again:
        return True
    return old.met_at is None and not _same(old, deadline)


def _same(old: Clock, new: Deadline) -> bool:
    return all(getattr(old, name) == getattr(new, name) for name in ("due_at", "rule", "article", "provisional"))


def _has_rung_for(old: Clock, new: Deadline) -> bool:
    """Other words for the same instant are no reason to ring again; that a limit is certain by now is one."""
    return old.due_at == new.due_at and old.provisional == new.provisional


def _set_event(case_id: UUID, deadline: Deadline, version: int) -> DeadlineSet:
    return DeadlineSet(
        case_id=case_id,
        kind=deadline.kind,
        version=version,
        due_at=deadline.due_at,
        rule=deadline.rule,
        article=deadline.article,
        provisional=deadline.provisional,
    )


def _difference(old: Clock | None, new: Deadline, version: int) -> str:
    mark = "（节假日安排尚未公布，暂定）" if new.provisional else ""
    if old is None:
        anew = f"重新起算，第{version}版，" if version > 1 else ""
        return f"{new.kind.label}：{anew}{cn_date(new.due_on)}{mark}。{new.rule}。依据：{new.article}"
    if old.met_at is not None:
        over = f"原于{cn_date(old.met_at)}完成，现已不成立，期限继续计算"
        return f"{new.kind.label}：{over}，{cn_date(new.due_on)}届满{mark}，第{version}版。{new.rule}"
    if old.due_at == new.due_at:
        same = f"{new.kind.label}：期限不变，仍为{cn_date(new.due_on)}{mark}，第{version}版"
        return f"{same}。{new.rule}。依据：{new.article}"
    before = f"{cn_date(old.due_on)}{'（暂定）' if old.provisional else ''}"
    return f"{new.kind.label}：由{before}改为{cn_date(new.due_on)}{mark}，第{version}版。{new.rule}"


async def _plan(
    kit: StageKit,
    tx: Transaction,
    case: Case,
    kind: CaseKind,
    current: Sequence[Clock],
    known: Sequence[PlannedMilestone],
) -> None:
    due = {row.kind: Plan(row.due_on, row.provisional) for row in current}
    planned = plans(kind, due, case.filed_on, case.closed_on, kit.settings.figures)
    as_known = {row.milestone: row for row in known}
    changed = {each: plan for each, plan in planned.items() if each not in as_known or _moves(as_known[each], plan)}
    if changed:
        await stages.plan(tx.conn, case.case_id, changed, owners(kind))


def _moves(milestone: PlannedMilestone, plan: Plan) -> bool:
    """One that was reached keeps its plan."""
    return milestone.actual_on is None and Plan(milestone.planned_on, milestone.provisional) != plan


async def _ended(tx: Transaction, case: Case, reached: Mapping[Milestone, date]) -> Mapping[DeadlineKind, datetime]:
    """The clocks whose deeds are done by now, and when they were."""
    respondents = cases.respondents(await cases.parties_of(tx.conn, case.case_id))
    sent = [party_standing(row).notified_at(tx.now) for row in respondents]
    served, enforced = reached.get(Milestone.SERVICE), reached.get(Milestone.ENFORCEMENT)
    return stopped(Deeds(case.assigned_at, sent, served, case.closed_on, enforced), tx.now)


async def _stop_what_is_done(
    kit: StageKit,
    tx: Transaction,
    case: Case,
    current: Sequence[Clock],
    ended: Mapping[DeadlineKind, datetime],
) -> None:
    """Stop the clocks whose deeds are done."""
    lines = []
    for row in current:
        kind = row.kind
        if row.met_at is not None or kind not in ended:
            continue
        await deadlines.meet(tx.conn, row.id, ended[kind])
        await tx.emit(DeadlineMet(case_id=case.case_id, kind=kind, met_at=ended[kind]))
        late = "，已超期" if is_red(kind, row.due_at, ended[kind], provisional=row.provisional) else ""
        limit = f"{'暂定' if row.provisional else ''}期限{cn_date(row.due_on)}"
        lines.append(f"{kind.label}：{cn_date(ended[kind])}完成{late}（{limit}）")
    if lines:
        await write(kit, tx, case.case_id, Note(EntryKind.CLOCKS_STOPPED, "\n".join(lines)))


async def _keep_rung(
    tx: Transaction, case: Case, current: Sequence[Clock], ended: Mapping[DeadlineKind, datetime]
) -> None:
    """What ringing asked for stands with the version that rang; in a closed case nothing does."""
    standing = [row.standing(done=row.kind in ended) for row in current] if case.closed_on is None else []
    await tasks.close_rung(tx.conn, case.case_id, asked_by(standing), tx.now)


def urged_until(current: Sequence[Clock]) -> dict[tuple[TaskKind, str], datetime | None]:
    """Until when the tasks are to be done that are there before their clock rings; None while no day is certain."""
    certain = {row.kind: row.due_at for row in current if row.met_at is None and not row.provisional}
    return {(kind, subject): certain.get(clock) for (kind, subject), clock in BEFORE_IT_RINGS.items()}


async def note_nearest(tx: Transaction, case: Case, running: Sequence[Clock]) -> None:
    """Keep the case's nearest running limit, so that lists sort by it."""
    found = nearest(Running(row.kind, row.due_at, row.provisional, row.fired_at is not None) for row in running)
    due_at, kind, provisional = (found.due_at, found.kind, found.provisional) if found else (None, None, False)
    if (due_at, kind, provisional) != (case.next_due_at, case.next_kind, case.next_provisional):
        values = {"next_due_at": due_at, "next_kind": kind, "next_provisional": provisional}
        await cases.change(tx.conn, case.case_id, **values)


async def reached_milestones(tx: Transaction, case_id: UUID) -> dict[Milestone, date]:
    """The day of each milestone that the case has reached."""
    return _reached((await stages.milestones_of(tx.conn, [case_id]))[case_id])


def _reached(milestones: Sequence[PlannedMilestone]) -> dict[Milestone, date]:
    return {row.milestone: row.actual_on for row in milestones if row.actual_on is not None}
