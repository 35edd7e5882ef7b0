"""Tasks, and the members of staff who own them."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, and_, any_, bindparam, exists, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.cursor import Cursor
from services.stage_tracking.domain.tasks import Task, TaskKind
from services.stage_tracking.store.tables import cases, members, tasks
from shared.contracts.case_kinds import DeadlineKind
from shared.db.transaction import new_id

_OPEN = tasks.c.done_at.is_(None)
_LISTED = (
    *(tasks.c[name] for name in ("id", "case_id", "kind", "title", "detail", "owner_staff", "owner_role")),
    *(tasks.c[name] for name in ("due_at", "opened_at", "done_at")),
    cases.c.number,
    func.coalesce(members.c.name, cases.c.judge_name).label("owner_name"),
)


_CLOSE = (
    update(tasks)
    .where(tasks.c.case_id == bindparam("in_case"), tasks.c.kind == bindparam("of_kind"))
    .where(tasks.c.subject == bindparam("about"), _OPEN)
    .values(done_at=bindparam("at"))
)


def _listing() -> Select[Any]:
    joined = tasks.join(cases, cases.c.case_id == tasks.c.case_id).outerjoin(
        members, members.c.staff_id == tasks.c.owner_staff
    )
    return select(*_LISTED).select_from(joined)


async def open_task(conn: AsyncConnection, case_id: UUID, task: Task, sealed_detail: str, now: datetime) -> bool:
    """Open the task; False when the same one is open already."""
    row = upsert(tasks).values(
        id=new_id(),
        case_id=case_id,
        kind=task.kind,
        subject=task.subject,
        title=task.title,
        detail=sealed_detail,
        owner_staff=task.owner.staff_id,
        owner_role=task.owner.role,
        due_at=task.due_at,
        opened_at=now,
    )
    once = row.on_conflict_do_nothing(index_elements=["case_id", "kind", "subject"], index_where=_OPEN)
    return (await conn.execute(once.returning(tasks.c.id))).one_or_none() is not None


async def close(conn: AsyncConnection, case_id: UUID, kind: TaskKind, subject: str, at: datetime) -> None:
    """The awaited event came: the task is done, by nobody's hand."""
    await conn.execute(_CLOSE, {"in_case": case_id, "of_kind": kind, "about": subject, "at": at})


async def close_all(conn: AsyncConnection, case_id: UUID, kind: TaskKind, at: datetime) -> None:
    """Every open task of this kind is done, by nobody's hand."""
    here = (tasks.c.case_id == case_id) & (tasks.c.kind == kind)
    await conn.execute(update(tasks).where(here, _OPEN).values(done_at=at))


async def close_of_clock(conn: AsyncConnection, case_id: UUID, kind: DeadlineKind, at: datetime) -> None:
    """What a clock's ringing had asked for is done with: the clock does not belong there."""
    rung = tasks.c.kind.in_((TaskKind.REMINDER, TaskKind.OVERDUE_REASONS))
    here = (tasks.c.case_id == case_id) & rung & (tasks.c.subject == kind)
    await conn.execute(update(tasks).where(here, _OPEN).values(done_at=at))


async def close_of_party(conn: AsyncConnection, case_id: UUID, party_id: UUID, at: datetime) -> int:
    """The party's own tasks are done, by nobody's hand; how many. Their subject begins with the party's id."""
    here = (tasks.c.case_id == case_id) & tasks.c.subject.startswith(f"{party_id}/", autoescape=True)
    return (await conn.execute(update(tasks).where(here, _OPEN).values(done_at=at))).rowcount


async def hand_over(conn: AsyncConnection, case_id: UUID, old: UUID, new: UUID) -> int:
    """The former judge's open tasks in the case are the new one's; how many."""
    here = (tasks.c.case_id == case_id) & (tasks.c.owner_staff == old)
    return (await conn.execute(update(tasks).where(here, _OPEN).values(owner_staff=new))).rowcount


async def lock(conn: AsyncConnection, task_id: UUID) -> Row[Any] | None:
    """The task, locked."""
    return (await conn.execute(select(tasks).where(tasks.c.id == task_id).with_for_update())).one_or_none()


async def get(conn: AsyncConnection, task_id: UUID) -> Row[Any]:
    """One task as it is listed."""
    row: Row[Any] = (await conn.execute(_listing().where(tasks.c.id == task_id))).one()
    return row


async def finish(conn: AsyncConnection, task_id: UUID, by: UUID, at: datetime) -> None:
    """Done, by this person."""
    await conn.execute(update(tasks).where(tasks.c.id == task_id).values(done_at=at, done_by=by))


async def of_case(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """The open tasks of a case, most urgent first."""
    query = _listing().where(tasks.c.case_id == case_id, _OPEN)
    return list(await conn.execute(query.order_by(tasks.c.due_at.asc().nulls_last(), tasks.c.id)))


def owned_by(staff_id: UUID, roles: Iterable[str]) -> ColumnElement[bool]:
    """Tasks of this person, or of a role that they have."""
    return or_(tasks.c.owner_staff == staff_id, tasks.c.owner_role.in_(list(roles)))


def unowned() -> ColumnElement[bool]:
    """Tasks whose owner can do nothing: a person who has left, or a role that nobody active holds."""
    staff = members.alias("staff")
    left = exists().where(staff.c.staff_id == tasks.c.owner_staff, staff.c.active.is_(False))
    held = exists().where(staff.c.active, tasks.c.owner_role == any_(staff.c.roles))
    return or_(left, and_(tasks.c.owner_role.is_not(None), ~held)).self_group()


async def page(conn: AsyncConnection, whose: ColumnElement[bool], cursor: Cursor | None, limit: int) -> list[Row[Any]]:
    """Up to `limit` open tasks beyond the cursor, most urgent first, undated last."""
    query = _listing().where(whose, _OPEN)
    if cursor is not None:
        query = query.where(beyond(tasks.c.due_at, tasks.c.id, cursor))
    return list(await conn.execute(query.order_by(tasks.c.due_at.asc().nulls_last(), tasks.c.id).limit(limit)))


def beyond(due_at: Any, row_id: Any, cursor: Cursor) -> ColumnElement[bool]:
    """Rows that follow the cursor in the order (due instant, none last; id)."""
    if cursor.due_at is None:
        return and_(due_at.is_(None), row_id > cursor.row_id)
    later = or_(due_at > cursor.due_at, and_(due_at == cursor.due_at, row_id > cursor.row_id))
    return or_(due_at.is_(None), later)


async def counts(conn: AsyncConnection, whose: ColumnElement[bool], now: datetime, soon: datetime) -> Row[Any]:
    """How many open tasks are late, soon due, and there at all."""
    columns: list[Any] = [
        func.count().filter(tasks.c.due_at < now).label("late"),
        func.count().filter(tasks.c.due_at.between(now, soon)).label("soon"),
        func.count().label("open"),
    ]
    row: Row[Any] = (await conn.execute(select(*columns).where(whose, _OPEN))).one()
    return row


async def put_member(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """A member of staff as they now are."""
    statement = upsert(members).values(row)
    changed = {name: statement.excluded[name] for name in ("name", "roles", "active")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=changed))


async def peek(conn: AsyncConnection, task_id: UUID) -> UUID | None:
    """The case of a task."""
    return (await conn.execute(select(tasks.c.case_id).where(tasks.c.id == task_id))).scalar_one_or_none()
