"""Deadlines: the newest version of each kind runs; older ones are kept, superseded."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.deadlines import Deadline
from services.stage_tracking.store.rows import Clock, DueClock, Past, as_clock
from services.stage_tracking.store.tables import cases, deadlines
from shared.contracts.case_kinds import DeadlineKind
from shared.db.transaction import new_id

_CURRENT = deadlines.c.superseded_at.is_(None)
_CURRENT_OF = (
    select(deadlines).where(deadlines.c.case_id == bindparam("case_id"), _CURRENT).order_by(deadlines.c.due_at)
)
_RUNNING = _CURRENT & deadlines.c.met_at.is_(None)


async def current(conn: AsyncConnection, case_id: UUID) -> list[Clock]:
    """The newest version of each clock of a case, by due instant."""
    return [as_clock(row) for row in await conn.execute(_CURRENT_OF, {"case_id": case_id})]


async def put(conn: AsyncConnection, case_id: UUID, added: Sequence[tuple[Deadline, Mapping[str, Any]]]) -> None:
    """New versions of clocks, each with its number, its calendar, when it rang, and whether its day was told."""
    fields = Deadline.__dataclass_fields__
    rows = [
        {"id": new_id(), "case_id": case_id, **version, **{field: getattr(deadline, field) for field in fields}}
        for deadline, version in added
    ]
    await conn.execute(insert(deadlines), rows)


async def past(conn: AsyncConnection, case_id: UUID, kinds: Collection[DeadlineKind]) -> dict[str, Past]:
    """All that these clocks ever were in the case, what was withdrawn among them."""
    here = (deadlines.c.case_id == case_id) & deadlines.c.kind.in_(kinds)
    ever = (func.max(deadlines.c.version).label("version"), func.bool_or(deadlines.c.told).label("told"))
    found = await conn.execute(select(deadlines.c.kind, *ever).where(here).group_by(deadlines.c.kind))
    return {row.kind: Past(row.version, row.told) for row in found}


async def set_told(conn: AsyncConnection, ids: Sequence[UUID]) -> None:
    """The parties were told these days."""
    if ids:
        await conn.execute(update(deadlines).where(deadlines.c.id.in_(ids)).values(told=True))


async def supersede(conn: AsyncConnection, ids: Sequence[UUID], at: datetime) -> None:
    """Newer versions take their places."""
    if ids:
        await conn.execute(update(deadlines).where(deadlines.c.id.in_(ids)).values(superseded_at=at))


async def confirm(conn: AsyncConnection, case_id: UUID, calendar_until: date) -> None:
    """The clocks that run were computed with a calendar announced up to that day."""
    here = (deadlines.c.case_id == case_id) & _RUNNING
    await conn.execute(update(deadlines).where(here).values(calendar_until=calendar_until))


async def meet(conn: AsyncConnection, deadline_id: UUID, at: datetime) -> None:
    """What the clock waited for was done."""
    await conn.execute(update(deadlines).where(deadlines.c.id == deadline_id).values(met_at=at))


async def claim_due(conn: AsyncConnection, now: datetime, after: tuple[datetime, UUID] | None) -> DueClock | None:
    """The longest overdue clock that has not rung, its row and its case's locked; rows that others hold are skipped.

    `after`: due instant and id of the last one that could not ring; those up to it are left alone.
    Both locks are taken at once and without waiting, so this can stand in nobody's way.
    """
    columns = (deadlines, cases.c.number, cases.c.judge_id)
    query = select(*columns).join(cases, cases.c.case_id == deadlines.c.case_id)
    query = query.where(_RUNNING, deadlines.c.fired_at.is_(None), deadlines.c.due_at <= now)
    if after is not None:
        query = query.where(tuple_(deadlines.c.due_at, deadlines.c.id) > after)
    query = query.order_by(deadlines.c.due_at, deadlines.c.id).limit(1)
    row = (await conn.execute(query.with_for_update(of=[deadlines, cases], skip_locked=True))).one_or_none()
    return None if row is None else DueClock(row.id, row.case_id, row.due_at, row.number, row.judge_id, row)


async def fire(conn: AsyncConnection, deadline_id: UUID, at: datetime) -> None:
    """The clock rings; it rings once."""
    await conn.execute(update(deadlines).where(deadlines.c.id == deadline_id).values(fired_at=at))


async def outdated(conn: AsyncConnection, calendar_until: date) -> list[UUID]:
    """Cases with running clocks that were computed before the calendar up to that day was announced."""
    query = select(deadlines.c.case_id).where(_RUNNING, deadlines.c.calendar_until < calendar_until)
    return list((await conn.execute(query.distinct().order_by(deadlines.c.case_id))).scalars())
