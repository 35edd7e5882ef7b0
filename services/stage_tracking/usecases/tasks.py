"""Tasks: whose they are, and finishing one by hand."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row

from services.stage_tracking.domain.cursor import Cursor
from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.tasks import TaskKind, owner_title
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, tasks
from services.stage_tracking.usecases.journal import write
from shared.db.readable import text_of
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound
from shared.http.auth import Caller


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
    )


def mine(caller: Caller) -> ColumnElement[bool]:
    """The caller's own tasks and those of their roles."""
    return tasks.owned_by(caller.staff_id, caller.roles)


async def task_page(
    kit: StageKit, whose: ColumnElement[bool], cursor: Cursor | None, limit: int
) -> tuple[list[TaskView], Cursor | None]:
    """Open tasks by urgency, and where the list goes on."""
    async with kit.db.read() as conn:
        rows = await tasks.page(conn, whose, cursor, limit + 1)
    return [view(kit, row) for row in rows[:limit]], after(rows, limit, "id")


def after(rows: Sequence[Row[Any]], limit: int, row_id: str) -> Cursor | None:
    """The cursor behind the last of `limit` rows, when there are more."""
    if len(rows) <= limit:
        return None
    last = rows[limit - 1]
    due_at = last.due_at if row_id == "id" else last.next_due_at
    return Cursor(due_at, getattr(last, row_id))


def owns(caller: Caller, owner_staff: UUID | None, owner_role: str | None) -> bool:
    """Whether the task is the caller's."""
    return owner_staff == caller.staff_id if owner_staff is not None else owner_role in caller.roles


async def finish(kit: StageKit, caller: Caller, task_id: UUID, note: str | None) -> TaskView:
    """Finish a task by hand, with a log entry; repeating it changes nothing.

    Raises NotFound, Forbidden (another's task), Conflict (it closes by itself) and Invalid (a note is due).
    """
    async with kit.db.begin() as tx:
        task = await _locked(tx, task_id)
        if not owns(caller, task.owner_staff, task.owner_role):
            raise Forbidden("not_own_task", "这个事项由他人负责，请由负责人办结。")
        if task.done_at is None:
            _refuse(TaskKind(task.kind), note)
            await tasks.finish(tx.conn, task_id, caller.staff_id, tx.now)
            text = f"{task.title}。{note or '已办理完毕。'}"
            entry = Note(EntryKind.TASK_DONE, text, by=caller.staff_id, by_name=caller.name, plain={"task": task.kind})
            await write(kit, tx, task.case_id, entry)
        return view(kit, await tasks.get(tx.conn, task_id))


def _refuse(kind: TaskKind, note: str | None) -> None:
    if kind.closes_itself:
        raise Conflict("task_closes_itself", "这个事项在相关信息登记后自动办结，不能手工办结。")
    if kind.needs_note and not note:
        raise Invalid([Fault("note", "请写明理由或办理结果。")])


async def _locked(tx: Transaction, task_id: UUID) -> Row[Any]:
    """The task locked, its case before it, as everywhere."""
    known = await tasks.peek(tx.conn, task_id)
    if known is not None:
        await cases.lock(tx.conn, known)
        task = await tasks.lock(tx.conn, task_id)
        if task is not None:
            return task
    raise NotFound("task_not_found", "没有这个待办事项，请刷新页面后重试。")
