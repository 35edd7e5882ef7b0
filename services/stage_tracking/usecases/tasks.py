"""Tasks: whose they are, and finishing one by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.tasks import OF_CLOCKS, Rule, TaskKind, owner_title
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import tasks
from services.stage_tracking.store.tasks import Wanted
from services.stage_tracking.usecases.journal import write
from shared.db.lists import Part
from shared.db.readable import text_of
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from shared.http.auth import Caller

SOON = timedelta(days=7)
"""How near a clock's end is called soon."""
MOST_TOGETHER = 200


@dataclass(frozen=True)
class TaskView:
    """A task as its owner reads it; the owner is a person or a role, `owner_name` says which in words."""

    id: UUID
    case_id: UUID
    case_number: str
    kind: TaskKind
    title: str
    detail: str
    owner_staff: UUID | None
    owner_role: str | None
    owner_name: str
    due_at: datetime | None
    opened_at: datetime
    done_at: datetime | None
    rule: Rule


def view(kit: StageKit, row: Row[Any]) -> TaskView:
    """The row of a task with its detail opened."""
    name = owner_title(row.owner_role) if row.owner_role else (row.owner_name or "承办法官")
    return TaskView(
        id=row.id,
        case_id=row.case_id,
        case_number=row.number,
        kind=TaskKind(row.kind),
        title=row.title,
        detail=text_of(kit.keyring, row.detail, str(row.case_id)),
        owner_staff=row.owner_staff,
        owner_role=row.owner_role,
        owner_name=name,
        due_at=row.due_at,
        opened_at=row.opened_at,
        done_at=row.done_at,
        rule=Rule.read(row.rule) or Rule(TaskKind(row.kind)),
    )


def mine(kit: StageKit, caller: Caller, **filters: Any) -> Wanted:
    """The caller's own tasks and those of their roles, as of now."""
    now = kit.clock.now()
    return Wanted(tasks.owned_by(caller.staff_id, caller.roles), now, now + SOON, **filters)


async def task_page(kit: StageKit, wanted: Wanted, part: Part) -> tuple[list[TaskView], str | None]:
    """Open tasks, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, after = await tasks.page(conn, wanted, part)
    return [view(kit, row) for row in rows], after


def owns(caller: Caller, owner_staff: UUID | None, owner_role: str | None) -> bool:
    """Whether the task is the caller's."""
    return owner_staff == caller.staff_id if owner_staff is not None else owner_role in caller.roles


async def finish(kit: StageKit, caller: Caller, task_id: UUID, note: str | None) -> TaskView:
    """Finish a task by hand, with a log entry; repeating it changes nothing.

    Raises NotFound, Forbidden (another's task), Conflict (it closes by itself) and Invalid (a note is due).
    """
    async with kit.db.begin() as tx:
        await _finish_all(kit, tx, caller, [task_id], note)
        return view(kit, await tasks.get(tx.conn, task_id))


async def finish_together(kit: StageKit, caller: Caller, task_ids: Sequence[UUID], note: str) -> int:
    """Finish several tasks of one rule for one reason, all or none: each case's log keeps it. How many were open.

    Raises as `finish`, and Invalid when none or too many are chosen, or when they are of several rules.
    """
    if not 0 < len(set(task_ids)) <= MOST_TOGETHER:
        raise Invalid([Fault("task", f"请选择事项，一次最多{MOST_TOGETHER}件。")])
    async with kit.db.begin() as tx:
        return await _finish_all(kit, tx, caller, task_ids, note)


async def _finish_all(
    kit: StageKit, tx: Transaction, caller: Caller, task_ids: Sequence[UUID], note: str | None
) -> int:
    found = await tasks.lock_all(tx.conn, set(task_ids))
    if len(found) < len(set(task_ids)):
        raise NotFound("task_not_found", "没有这个待办事项，请刷新页面后重试。")
    if not all(owns(caller, task.owner_staff, task.owner_role) for task in found):
        raise Forbidden("not_own_task", "这个事项由他人负责，请由负责人办理。")
    if len({(task.kind, task.subject if task.kind in OF_CLOCKS else "") for task in found}) > 1:
        raise Invalid([Fault("task", "一次只能办理同一类事项，请按事项筛选后再选。")])
    left = [task for task in found if task.done_at is None]
    for task in left:
        _refuse(TaskKind(task.kind), note)
        text = f"{task.title}。{note or '已办理完毕。'}"
        entry = Note(EntryKind.TASK_DONE, text, by=caller.staff_id, by_name=caller.name, plain={"task": task.kind})
        await write(kit, tx, task.case_id, entry)
    await tasks.finish_all(tx.conn, [task.id for task in left], caller.staff_id, tx.now)
    return len(left)


def _refuse(kind: TaskKind, note: str | None) -> None:
    if kind.closes_itself:
        raise Conflict("task_closes_itself", "这个事项在相关信息登记后自动完成，不能手工登记。")
    if kind.needs_note and not note:
        raise Invalid([Fault("note", "请写明理由或办理结果。")])
