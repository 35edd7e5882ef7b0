"""Approved extensions of limits: each once, for the law that allows it."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.deadlines import Longer
from services.stage_tracking.store import cases
from services.stage_tracking.store.rows import Case
from services.stage_tracking.store.tables import extensions
from shared.calendar.periods import Length, Unit
from shared.contracts.case_kinds import DeadlineKind


async def of_case(conn: AsyncConnection, case: Case) -> dict[tuple[DeadlineKind, str], Longer]:
    """The case's extensions, by clock and by the article that allows each."""
    if not case.extended:
        return {}
    rows = await conn.execute(select(extensions).where(extensions.c.case_id == case.case_id))
    return {
        (DeadlineKind(row.kind), row.article): Longer(Length(row.amount, Unit(row.unit)), row.article, row.approved_on)
        for row in rows
    }


async def put(conn: AsyncConnection, case_id: UUID, kind: DeadlineKind, new: Longer, by: UUID, at: datetime) -> bool:
    """Keep an extension; False when this clock has one by this article already."""
    values = {
        "case_id": case_id,
        "kind": kind,
        "article": new.article,
        "amount": new.length.count,
        "unit": new.length.unit,
        "approved_on": new.approved_on,
        "recorded_by": by,
        "recorded_at": at,
    }
    once = upsert(extensions).values(values).on_conflict_do_nothing().returning(extensions.c.case_id)
    if (await conn.execute(once)).one_or_none() is None:
        return False
    await cases.change(conn, case_id, extended=True)
    return True
