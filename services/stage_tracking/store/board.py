"""Lists of cases by urgency."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.store.tables import cases
from shared.db.case_numbers import holds_number
from shared.db.lists import Part, Sorting


@dataclass(frozen=True)
class Filter:
    """Which cases. `soon` ends the span that counts as soon; `unassigned` asks for cases without a judge."""

    now: datetime
    soon: datetime
    state: str | None = None
    period: str | None = None
    judge_id: UUID | None = None
    number: str | None = None


def _late(now: datetime) -> ColumnElement[bool]:
    """A limit that is only provisional makes no case late."""
    return (cases.c.next_due_at < now) & ~cases.c.next_provisional


def _filtered(query: Select[Any], wanted: Filter) -> Select[Any]:
    due = cases.c.next_due_at
    states = {
        "late": _late(wanted.now),
        "soon": due.between(wanted.now, wanted.soon),
        "unassigned": cases.c.judge_id.is_(None),
    }
    if wanted.state is not None:
        query = query.where(states[wanted.state])
    if wanted.period is not None:
        query = query.where(cases.c.period == wanted.period)
    if wanted.judge_id is not None:
        query = query.where(cases.c.judge_id == wanted.judge_id)
    if wanted.number:
        query = query.where(holds_number(cases.c.number, wanted.number))
    return query


SORTING = Sorting(
    {
        "due": cases.c.next_due_at,
        "number": cases.c.number,
        "filed": cases.c.filed_on,
        "judge": cases.c.judge_name,
        "period": cases.c.period,
    },
    cases.c.case_id,
    "due",
)


async def page(conn: AsyncConnection, wanted: Filter, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Cases, most urgent first unless asked otherwise, and where the list goes on."""
    return await SORTING.part(conn, _filtered(select(cases), wanted), part)


async def counts(conn: AsyncConnection, wanted: Filter) -> Row[Any]:
    """How many cases are late, soon due, without a judge, and there at all."""
    due = cases.c.next_due_at
    columns: list[Any] = [
        func.count().filter(_late(wanted.now)).label("late"),
        func.count().filter(due.between(wanted.now, wanted.soon)).label("soon"),
        func.count().filter(cases.c.judge_id.is_(None)).label("unassigned"),
        func.count().label("open"),
    ]
    query = select(*columns).where(cases.c.closed_on.is_(None))
    if wanted.judge_id is not None:
        query = query.where(cases.c.judge_id == wanted.judge_id)
    row: Row[Any] = (await conn.execute(query)).one()
    return row


async def judges(conn: AsyncConnection) -> list[Row[Any]]:
    """Every judge who has a case, by name."""
    named = func.max(cases.c.judge_name).label("judge_name")
    query = select(cases.c.judge_id, named).where(cases.c.judge_id.is_not(None)).group_by(cases.c.judge_id)
    return list(await conn.execute(query.order_by("judge_name")))
