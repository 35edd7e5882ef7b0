"""The court's own data: every change that was asked for, and what became of it."""

from dataclasses import asdict
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain.court import CourtChange
from services.staff.store.tables import court_changes
from shared.contracts.staff import ChangeState, CourtData
from shared.db.lists import Part, Sorting


async def lock_court(conn: AsyncConnection, court: str) -> None:
    """Changes of one court's data stand in line until the transaction ends."""
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(f"court:{court}", 0))))


async def confirmed_data(conn: AsyncConnection, court: str) -> CourtData | None:
    """What was confirmed last; None while nothing was."""
    query = select(court_changes.c.proposed).where(_in_state(court, ChangeState.CONFIRMED))
    query = query.order_by(court_changes.c.decided_at.desc(), court_changes.c.id.desc()).limit(1)
    found = (await conn.execute(query)).scalar_one_or_none()
    return None if found is None else CourtData.model_validate(found)


async def changed_by(conn: AsyncConnection, court: str) -> UUID | None:
    """Who proposed what was confirmed last; None while nothing was."""
    query = select(court_changes.c.proposed_by).where(_in_state(court, ChangeState.CONFIRMED))
    query = query.order_by(court_changes.c.decided_at.desc(), court_changes.c.id.desc()).limit(1)
    found: UUID | None = (await conn.execute(query)).scalar()
    return found


async def pending_change(conn: AsyncConnection, court: str) -> CourtChange | None:
    """The change that waits for a second person."""
    row = (await conn.execute(select(court_changes).where(_in_state(court, ChangeState.PROPOSED)))).one_or_none()
    return None if row is None else _change(row)


async def court_change(conn: AsyncConnection, change_id: UUID) -> CourtChange | None:
    """One change."""
    row = (await conn.execute(select(court_changes).where(court_changes.c.id == change_id))).one_or_none()
    return None if row is None else _change(row)


SORTING = Sorting(
    {"at": court_changes.c.proposed_at, "state": court_changes.c.state, "by": court_changes.c.proposer},
    court_changes.c.id,
    "-at",
)


async def court_change_page(
    conn: AsyncConnection, court: str, state: str, part: Part
) -> tuple[list[CourtChange], str | None]:
    """Changes, newest first unless asked otherwise, and where the list goes on."""
    query = select(court_changes).where(court_changes.c.court == court)
    if state:
        query = query.where(court_changes.c.state == state)
    rows, following = await SORTING.part(conn, query, part)
    return [_change(row) for row in rows], following


async def put_court_change(conn: AsyncConnection, change: CourtChange) -> None:
    """Keep a change, new or decided."""
    data = {"before": change.before.model_dump(), "proposed": change.proposed.model_dump()}
    values = {**asdict(change), **data, "state": change.state.value}
    statement = upsert(court_changes).values(values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["id"], set_=values))


def _in_state(court: str, state: ChangeState) -> ColumnElement[bool]:
    return and_(court_changes.c.court == court, court_changes.c.state == state.value)


def _change(row: Row[Any]) -> CourtChange:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name
    data = {name: CourtData.model_validate(values.pop(name)) for name in ("before", "proposed")}
    return CourtChange(**{**values, **data, "state": ChangeState(values["state"])})
