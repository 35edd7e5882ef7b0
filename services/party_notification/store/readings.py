"""Readings at the party's page with their sealed evidence, and whence staff were signed in, by keyed hashes."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import cases, notices, printings, readings, staff_marks

KEPT = timedelta(days=30)
"""For how long a place where staff were signed in casts doubt on a reading."""


SEEN = ("reading_id", "notice_id", "party_id", "visit", "read_at", "evidence")
"""What the public pages say of a reading. That it counts is for the inner network to find."""


async def add(conn: AsyncConnection, row: dict[str, Any]) -> bool:
    """A document was opened; False when this visit opened it before."""
    statement = upsert(readings).values(row).on_conflict_do_nothing(constraint="readings_notice_id_visit_key")
    return (await conn.execute(statement.returning(readings.c.reading_id))).one_or_none() is not None


async def opened_by(conn: AsyncConnection, party_id: UUID) -> set[UUID]:
    """The notices that were opened at this party's page."""
    query = select(readings.c.notice_id).where(readings.c.party_id == party_id).distinct()
    return set((await conn.execute(query)).scalars())


async def claim_new(conn: AsyncConnection) -> Row[Any] | None:
    """The oldest reading that nobody has weighed, locked."""
    query = select(readings).where(readings.c.state == "new").order_by(readings.c.reading_id).limit(1)
    return (await conn.execute(query.with_for_update(skip_locked=True))).one_or_none()


async def lock(conn: AsyncConnection, reading_id: UUID) -> Row[Any] | None:
    """One reading, locked."""
    return (
        await conn.execute(select(readings).where(readings.c.reading_id == reading_id).with_for_update())
    ).one_or_none()


async def change(conn: AsyncConnection, reading_id: UUID, values: dict[str, Any]) -> None:
    """What a reading was found to be."""
    await conn.execute(update(readings).where(readings.c.reading_id == reading_id).values(values))


async def of_notice(conn: AsyncConnection, notice_id: UUID) -> list[Row[Any]]:
    """All readings of a notice, in order."""
    query = select(readings).where(readings.c.notice_id == notice_id)
    return list(await conn.execute(query.order_by(readings.c.read_at)))


def _with_case() -> Select[Any]:
    query = select(readings, notices.c.kind, notices.c.role, notices.c.case_id, cases.c.case_number)
    query = query.join(notices, notices.c.notice_id == readings.c.notice_id)
    return query.join(cases, cases.c.case_id == notices.c.case_id)


async def see_staff(conn: AsyncConnection, marks: Collection[str], row: dict[str, Any]) -> None:
    """A member of staff was signed in at these places; their rows are locked in one order."""
    if not marks:
        return
    statement = upsert(staff_marks).values([{"mark": mark, **row} for mark in sorted(marks)])
    known = statement.excluded.seen_at > staff_marks.c.seen_at
    later = {"seen_at": statement.excluded.seen_at, "name": statement.excluded.name}
    again = statement.on_conflict_do_update(index_elements=["mark", "staff_id"], set_=later, where=known)
    await conn.execute(again)


async def staff_at(conn: AsyncConnection, marks: Sequence[str], since: datetime) -> list[Row[Any]]:
    """Which members of staff were signed in at these places, and when last."""
    query = select(staff_marks).where(staff_marks.c.mark.in_(marks), staff_marks.c.seen_at >= since)
    return list(await conn.execute(query.order_by(staff_marks.c.seen_at.desc())))


async def forget_staff(conn: AsyncConnection, before: datetime) -> None:
    """Places where nobody was signed in lately are forgotten."""
    await conn.execute(delete(staff_marks).where(staff_marks.c.seen_at < before))


async def add_printing(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """Somebody printed the letters of an entry."""
    await conn.execute(insert(printings), row)


async def printings_of(conn: AsyncConnection, paper_ids: Collection[UUID]) -> dict[UUID, list[Row[Any]]]:
    """Who printed the letters of these entries, newest first."""
    query = select(printings).where(printings.c.paper_id.in_(paper_ids)).order_by(printings.c.printed_at.desc())
    found: dict[UUID, list[Row[Any]]] = {}
    for row in await conn.execute(query):
        found.setdefault(row.paper_id, []).append(row)
    return found
