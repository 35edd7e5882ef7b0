"""Tasks, and the members of staff who own them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Row,
    Select,
    Text,
    Update,
    Uuid,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.tasks import OF_CLOCKS, Task, TaskKind
from services.stage_tracking.store.tables import cases, members, tasks
from shared.contracts.case_kinds import DeadlineKind
from shared.db.arrays import Columns, arrays, unnested
from shared.db.case_numbers import holds_number
from shared.db.lists import Part, Sorting
from shared.db.transaction import new_id

_OPEN = tasks.c.done_at.is_(None)
_LISTED = (
    *(tasks.c[name] for name in ("id", "case_id", "kind", "subject", "title", "detail", "owner_staff", "owner_role")),
    *(tasks.c[name] for name in ("due_at", "opened_at", "done_at")),
    cases.c.number,
    cases.c.silent,
    func.coalesce(members.c.name, cases.c.judge_name).label("owner_name"),
)


_CLOSE = (
    update(tasks)
    .where(tasks.c.case_id == bindparam("in_case"), tasks.c.kind == bindparam("of_kind"))
    .where(tasks.c.subject == bindparam("about"), _OPEN)
    .values(done_at=bindparam("at"))
)


_OPENED: Columns = {
    **dict.fromkeys(("id", "case_id", "owner_staff"), Uuid),
    **dict.fromkeys(("kind", "subject", "title", "detail", "owner_role"), Text),
    **dict.fromkeys(("due_at", "opened_at"), DateTime(timezone=True)),
}
_OPENING = upsert(tasks).from_select(list(_OPENED), select(unnested(_OPENED)))
_ONCE: Any = {"index_elements": ["case_id", "kind", "subject"], "index_where": _OPEN}
_OPEN_ALL = _OPENING.on_conflict_do_nothing(**_ONCE)
_FOLLOWING = ("title", "detail", "owner_staff", "owner_role", "due_at")
_KEEP_ALL = _OPENING.on_conflict_do_update(**_ONCE, set_={name: _OPENING.excluded[name] for name in _FOLLOWING})
_ABOUT: Columns = {"case_id": Uuid, "kind": Text, "subject": Text}


def _close_each() -> Update:
    given = unnested(_ABOUT)
    here = [tasks.c[name] == given.c[name] for name in _ABOUT]
    return update(tasks).where(*here, _OPEN).values(done_at=bindparam("at"))


_CLOSE_EACH = _close_each()
RULE = case((tasks.c.kind.in_(OF_CLOCKS), tasks.c.kind + ":" + tasks.c.subject), else_=tasks.c.kind).label("rule")


def _listing() -> Select[Any]:
    joined = tasks.join(cases, cases.c.case_id == tasks.c.case_id).outerjoin(
        members, members.c.staff_id == tasks.c.owner_staff
    )
    return select(*_LISTED, RULE).select_from(joined)


class About(NamedTuple):
    """Which task: an open one is the only one of its kind and subject in its case."""

    case_id: UUID
    kind: TaskKind
    subject: str


class Opening(NamedTuple):
    """A task of a case, with its detail sealed."""

    case_id: UUID
    task: Task
    detail: str


async def open_all(conn: AsyncConnection, openings: Sequence[Opening], now: datetime) -> None:
    """Open tasks; one that is open already stays as it is."""
    if openings:
        await conn.execute(_OPEN_ALL, _arrays(openings, now))


async def keep_all(conn: AsyncConnection, openings: Sequence[Opening], now: datetime) -> None:
    """These tasks stand: one that is open already follows, in its words, its owner and its day."""
    if openings:
        await conn.execute(_KEEP_ALL, _arrays(openings, now))


def _arrays(openings: Sequence[Opening], now: datetime) -> dict[str, Any]:
    rows = [
        {
            "id": new_id(),
            "case_id": case_id,
            "kind": task.kind,
            "subject": task.subject,
            "title": task.title,
            "detail": detail,
            "owner_staff": task.owner.staff_id,
            "owner_role": task.owner.role,
            "due_at": task.due_at,
            "opened_at": now,
        }
        for case_id, task, detail in openings
    ]
    return arrays(_OPENED, rows)


async def close(conn: AsyncConnection, case_id: UUID, kind: TaskKind, subject: str, at: datetime) -> None:
    """The awaited event came: the task is done, by nobody's hand."""
    await conn.execute(_CLOSE, {"in_case": case_id, "of_kind": kind, "about": subject, "at": at})


async def close_all(conn: AsyncConnection, case_id: UUID, kinds: Collection[TaskKind], at: datetime) -> None:
    """Every open task of these kinds is done, by nobody's hand."""
    here = (tasks.c.case_id == case_id) & tasks.c.kind.in_(kinds)
    await conn.execute(update(tasks).where(here, _OPEN).values(done_at=at))


async def close_each(conn: AsyncConnection, known: Sequence[About], at: datetime) -> None:
    """The awaited came: these tasks are done, by nobody's hand."""
    if known:
        await conn.execute(_CLOSE_EACH, {**arrays(_ABOUT, [about._asdict() for about in known]), "at": at})


async def keep_days(conn: AsyncConnection, case_id: UUID, days: Mapping[tuple[TaskKind, str], datetime | None]) -> None:
    """Until when some open tasks, by kind and subject, are to be done now."""
    which = tuple_(tasks.c.kind, tasks.c.subject)
    due_at = case(*((which == each, cast(at, tasks.c.due_at.type)) for each, at in days.items()))
    here = (tasks.c.case_id == case_id) & which.in_(list(days)) & tasks.c.due_at.is_distinct_from(due_at)
    await conn.execute(update(tasks).where(here, _OPEN).values(due_at=due_at))


async def close_rung(
    conn: AsyncConnection, case_id: UUID, standing: Collection[tuple[TaskKind, DeadlineKind]], at: datetime
) -> None:
    """What ringing clocks had asked for is done with, but for what still stands."""
    which = tuple_(tasks.c.kind, tasks.c.subject)
    here = (tasks.c.case_id == case_id) & tasks.c.kind.in_(OF_CLOCKS) & which.not_in(list(standing))
    await conn.execute(update(tasks).where(here, _OPEN).values(done_at=at))


async def close_of_party(conn: AsyncConnection, case_id: UUID, party_id: UUID, at: datetime) -> int:
    """The party's own tasks are done, by nobody's hand; how many. Their subject begins with the party's id."""
    here = (tasks.c.case_id == case_id) & tasks.c.subject.startswith(f"{party_id}/", autoescape=True)
    return (await conn.execute(update(tasks).where(here, _OPEN).values(done_at=at))).rowcount


async def hand_over(conn: AsyncConnection, case_id: UUID, old: UUID, new: UUID) -> int:
    """The former judge's open tasks in the case are the new one's; how many."""
    here = (tasks.c.case_id == case_id) & (tasks.c.owner_staff == old)
    return (await conn.execute(update(tasks).where(here, _OPEN).values(owner_staff=new))).rowcount


async def get(conn: AsyncConnection, task_id: UUID) -> Row[Any]:
    """One task as it is listed."""
    row: Row[Any] = (await conn.execute(_listing().where(tasks.c.id == task_id))).one()
    return row


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


SORTING = Sorting(
    {"due": tasks.c.due_at, "number": cases.c.number, "rule": RULE, "opened": tasks.c.opened_at}, tasks.c.id, "due"
)


@dataclass(frozen=True)
class Wanted:
    """Which open tasks. `whose`: of whom; `soon` ends the span that counts as soon; `stock`: of cases carried over."""

    whose: ColumnElement[bool]
    now: datetime
    soon: datetime
    state: str | None = None
    rule: str | None = None
    number: str = ""
    stock: bool | None = None

    @property
    def conditions(self) -> list[ColumnElement[bool]]:
        """What each of them fulfils; tasks are joined with their cases."""
        states = {
            "late": tasks.c.due_at < self.now,
            "soon": tasks.c.due_at.between(self.now, self.soon),
            "undated": tasks.c.due_at.is_(None),
        }
        found = [self.whose, _OPEN]
        if self.state is not None:
            found.append(states[self.state])
        if self.rule is not None:
            found.append(RULE.element == self.rule)
        if self.number:
            found.append(holds_number(cases.c.number, self.number))
        if self.stock is not None:
            found.append(cases.c.silent.is_(self.stock))
        return found


async def page(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Open tasks, most urgent first and undated last unless asked otherwise; where they go on."""
    return await SORTING.part(conn, _listing().where(*wanted.conditions), part)


async def grouped(conn: AsyncConnection, wanted: Wanted, by: str, limit: int) -> list[Row[Any]]:
    """How many there are by `rule` or by `case`: those that end first on top."""
    what: dict[str, list[ColumnElement[Any]]] = {"rule": [RULE], "case": [cases.c.case_id, cases.c.number]}
    columns = [
        func.count().label("open"),
        func.count().filter(tasks.c.due_at < wanted.now).label("late"),
        func.min(tasks.c.due_at).label("first_due"),
    ]
    joined = tasks.join(cases, cases.c.case_id == tasks.c.case_id)
    query = select(*what[by], *columns).select_from(joined).where(*wanted.conditions)
    keys = [RULE.element] if by == "rule" else what[by]
    query = query.group_by(*keys).order_by(func.min(tasks.c.due_at).asc().nulls_last(), *keys)
    return list(await conn.execute(query.limit(limit)))


async def counts(conn: AsyncConnection, wanted: Wanted) -> Row[Any]:
    """How many open tasks are late, soon due, and there at all; and how many belong to cases carried over."""
    columns: list[Any] = [
        func.count().filter(tasks.c.due_at < wanted.now).label("late"),
        func.count().filter(tasks.c.due_at.between(wanted.now, wanted.soon)).label("soon"),
        func.count().label("open"),
    ]
    joined = tasks.join(cases, cases.c.case_id == tasks.c.case_id)
    row: Row[Any] = (await conn.execute(select(*columns).select_from(joined).where(*wanted.conditions))).one()
    return row


async def lock_all(conn: AsyncConnection, task_ids: Collection[UUID]) -> list[Row[Any]]:
    """Some tasks, their cases locked before them, both in one order."""
    here = tasks.c.id.in_(task_ids)
    of_cases = select(tasks.c.case_id).where(here)
    await conn.execute(
        select(cases.c.case_id).where(cases.c.case_id.in_(of_cases)).order_by(cases.c.case_id).with_for_update()
    )
    return list(await conn.execute(select(tasks).where(here).order_by(tasks.c.id).with_for_update()))


async def finish_all(conn: AsyncConnection, task_ids: Collection[UUID], by: UUID, at: datetime) -> None:
    """Done, by this person."""
    await conn.execute(update(tasks).where(tasks.c.id.in_(task_ids)).values(done_at=at, done_by=by))


async def put_member(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """A member of staff as they now are."""
    statement = upsert(members).values(row)
    changed = {name: statement.excluded[name] for name in ("name", "roles", "active")}
    await conn.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=changed))
