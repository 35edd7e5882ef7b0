"""Readings at the party's page with their sealed evidence, and whence staff were signed in, by keyed hashes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import printings, readings, staff_marks
from shared.db.aside import Stream

KEPT = timedelta(days=30)
"""For how long a place where staff were signed in casts doubt on a reading."""


SEEN = ("reading_id", "notice_id", "party_id", "visit", "read_at", "evidence")
"""What the public pages say of a reading. That it counts is for the inner network to find."""


@dataclass(frozen=True)
class Reading:
    """A document was opened: by which visit, with sealed evidence, and what it was found to be."""

    reading_id: UUID
    notice_id: UUID
    party_id: UUID
    visit: UUID
    read_at: datetime
    evidence: str
    state: str
    doubt: str | None
    decided_by: UUID | None
    decided_at: datetime | None
    remark: str | None


class StaffMark(NamedTuple):
    """Under the keyed hash of a place: who of the staff was signed in there, and when last."""

    mark: str
    staff_id: UUID
    name: str
    seen_at: datetime


def as_reading(row: Row[Any]) -> Reading:
    """A row that has all columns of `readings`."""
    return Reading(**{name: row._mapping[name] for name in Reading.__dataclass_fields__})  # noqa: SLF001


async def add(conn: AsyncConnection, row: dict[str, Any]) -> bool:
    """A document was opened; False when this visit opened it before."""
    statement = upsert(readings).values(row).on_conflict_do_nothing(constraint="readings_notice_id_visit_key")
    return (await conn.execute(statement.returning(readings.c.reading_id))).one_or_none() is not None


async def opened_by(conn: AsyncConnection, party_id: UUID) -> set[UUID]:
    """The notices that were opened at this party's page."""
    query = select(readings.c.notice_id).where(readings.c.party_id == party_id).distinct()
    return set((await conn.execute(query)).scalars())


UNWEIGHED = Stream("readings", readings, readings.c.reading_id, readings.c.state == "new", readings.c.reading_id)
"""Readings that nobody has weighed."""


async def lock(conn: AsyncConnection, reading_id: UUID) -> Reading | None:
    """One reading, locked."""
    query = select(readings).where(readings.c.reading_id == reading_id).with_for_update()
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else as_reading(row)


async def change(conn: AsyncConnection, reading_id: UUID, values: dict[str, Any]) -> None:
    """What a reading was found to be."""
    await conn.execute(update(readings).where(readings.c.reading_id == reading_id).values(values))


async def of_notice(conn: AsyncConnection, notice_id: UUID) -> list[Reading]:
    """All readings of a notice, in order."""
    query = select(readings).where(readings.c.notice_id == notice_id)
    return [as_reading(row) for row in await conn.execute(query.order_by(readings.c.read_at))]


async def see_staff(conn: AsyncConnection, marks: Collection[str], row: dict[str, Any]) -> None:
    """A member of staff was signed in at these places; their rows are locked in one order."""
    if not marks:
        return
    statement = upsert(staff_marks).values([{"mark": mark, **row} for mark in sorted(marks)])
    known = statement.excluded.seen_at > staff_marks.c.seen_at
    later = {"seen_at": statement.excluded.seen_at, "name": statement.excluded.name}
    again = statement.on_conflict_do_update(index_elements=["mark", "staff_id"], set_=later, where=known)
    await conn.execute(again)


async def staff_at(conn: AsyncConnection, marks: Sequence[str], since: datetime) -> list[StaffMark]:
    """Which members of staff were signed in at these places, and when last."""
    query = select(*(staff_marks.c[name] for name in StaffMark._fields))
    query = query.where(staff_marks.c.mark.in_(marks), staff_marks.c.seen_at >= since)
    return [StaffMark(*row) for row in await conn.execute(query.order_by(staff_marks.c.seen_at.desc()))]


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
