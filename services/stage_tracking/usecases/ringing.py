"""Clocks that have run out ring: once each, with an event, a log entry and a task for whoever must act."""

from collections.abc import Sequence
from uuid import UUID

from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.stages import MILESTONE_TITLES
from services.stage_tracking.domain.tasks import Rung, asked_by, rung_task
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, deadlines, tasks
from services.stage_tracking.store.rows import Clock, DueClock
from services.stage_tracking.usecases.asking import open_task
from services.stage_tracking.usecases.clocks import note_nearest, reached_milestones
from services.stage_tracking.usecases.journal import write
from shared.clock import end_of_day
from shared.contracts.case_kinds import DeadlineKind, kind_of
from shared.contracts.stages import DeadlineRang
from shared.db.transaction import Transaction, made_at
from shared.runtime.claims import work_through
from shared.telemetry import metrics
from shared.web.formats import cn_date

_FIRED_LATE = metrics.gauge(
    "deadline_fired_late_seconds", "How long after it fell due, or was set, the latest clock rang.", ("service",)
)


async def fire_due(kit: StageKit) -> int:
    """Ring every clock that has run out, a transaction each; how many rang. At start-up this finds the overdue ones.

    Raises ExceptionGroup for those that cannot ring; they hold up no other.
    """

    async def claim(tx: Transaction, stuck: DueClock | None) -> DueClock | None:
        return await deadlines.claim_due(tx.conn, tx.now, None if stuck is None else (stuck.due_at, stuck.id))

    async def ring(tx: Transaction, due: DueClock) -> None:
        await _ring(kit, tx, due)
        since = max(due.due_at, made_at(due.id))
        _FIRED_LATE.labels(kit.service).set(max(0.0, (tx.now - since).total_seconds()))

    def about(due: DueClock) -> dict[str, object]:
        return {"deadline_id": due.id, "case_id": due.case_id}

    return await work_through(kit.db, claim, ring, about, kit.settings.fire_at_most)


async def _ring(kit: StageKit, tx: Transaction, due: DueClock) -> None:
    row = due.clock
    kind = row.kind
    await deadlines.fire(tx.conn, row.id, tx.now)
    await tx.emit(DeadlineRang(case_id=row.case_id, kind=kind, version=row.version, due_at=row.due_at))
    # A reminder is computed backwards from the limit of which it speaks.
    limit = row.start_on if kind is DeadlineKind.COURT_LIMIT_REMINDER else row.due_on
    mark = "（暂定，待该年放假安排公布）" if row.provisional else ""
    text = f"{kind.label}：期限{cn_date(limit)}{mark}。{row.rule}。依据：{row.article}"
    await write(kit, tx, row.case_id, Note(EntryKind.RANG, text, plain={"deadline": kind, "version": row.version}))
    reached = await reached_milestones(tx, row.case_id)
    planned = kind_of(due.number).milestones
    outstanding = "、".join(MILESTONE_TITLES[each] for each in planned if each not in reached) or "无"
    task = rung_task(Rung(kind, cn_date(limit), end_of_day(limit), row.provisional, outstanding), due.judge_id)
    current = await deadlines.current(tx.conn, row.case_id)
    standing = asked_by(each.standing(done=False) for each in current)
    await tasks.close_rung(tx.conn, row.case_id, {each for each in standing if each[1] is not kind}, tx.now)
    await open_task(kit, tx, row.case_id, task)
    if row.provisional:
        await _urge_no_more(tx, row.case_id, [each for each in current if each.met_at is None])


async def _urge_no_more(tx: Transaction, case_id: UUID, running: Sequence[Clock]) -> None:
    """Lists sort the case by its next limit: this one waits for its calendar."""
    case = await cases.lock(tx.conn, case_id)
    if case is not None:
        await note_nearest(tx, case, running)
