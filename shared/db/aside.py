"""What came in and could not be taken: set apart by its stream and its key, with the reason, until it can be.

The row itself stays where it came in; here stands only that it is passed over, and until when.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Row, Table, Text, cast, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.tables import replays, set_aside

FIRST_WAIT = timedelta(minutes=1)
LONGEST_WAIT = timedelta(days=1)
"""Between two tries of what was set aside: each is twice as long as the one before, up to this."""
_NOW = func.clock_timestamp()
_DOUBLINGS = 11


@dataclass(frozen=True)
class Stream:
    """What comes in by the rows of one table, oldest first. `waits`: those that nobody has taken yet."""

    name: str
    """As the operators read it; it never changes, as what was set aside goes by it."""
    table: Table
    key: Column[Any]
    waits: ColumnElement[bool]
    oldest: ColumnElement[Any]


def _of(stream: Stream) -> Any:
    here = (set_aside.c.stream == stream.name) & (set_aside.c.item == cast(stream.key, Text))
    return exists().where(here).correlate(stream.table)


async def claim(conn: AsyncConnection, stream: Stream, most: int) -> list[Row[Any]]:
    """The oldest that wait, locked: their `key`, and whether they were set `aside` before.

    Only keys are read: a row that this process cannot even read keeps no other from it.
    """
    later = _of(stream).where(set_aside.c.retry_at > _NOW)
    query = select(stream.key.label("key"), _of(stream).label("aside")).where(stream.waits, ~later)
    query = query.order_by(stream.oldest).limit(most)
    return list(await conn.execute(query.with_for_update(skip_locked=True, of=stream.table)))


async def put(conn: AsyncConnection, stream: str, item: str, reason: str) -> bool:
    """It could not be taken; True when somebody is to be told of it.

    That is so once for each, and once a minute for a stream: what comes meanwhile is told of when it fails again.
    """
    again = FIRST_WAIT * func.power(2, func.least(set_aside.c.tries, _DOUBLINGS))
    values = {
        "reason": reason,
        "tries": set_aside.c.tries + 1,
        "retry_at": _NOW + func.least(again, LONGEST_WAIT),
    }
    row = {"stream": stream, "item": item, "reason": reason, "retry_at": _NOW + FIRST_WAIT}
    await conn.execute(
        upsert(set_aside).values(row).on_conflict_do_update(index_elements=["stream", "item"], set_=values)
    )
    told = select(set_aside.c.item).where(set_aside.c.stream == stream, set_aside.c.reported_at > _NOW - FIRST_WAIT)
    here = (set_aside.c.stream == stream) & (set_aside.c.item == item) & set_aside.c.reported_at.is_(None)
    note = update(set_aside).where(here, ~told.exists()).values(reported_at=_NOW)
    return (await conn.execute(note.returning(set_aside.c.item))).one_or_none() is not None


async def take_back(conn: AsyncConnection, stream: str, items: Collection[str]) -> None:
    """These were taken after all."""
    if items:
        await conn.execute(delete(set_aside).where(set_aside.c.stream == stream, set_aside.c.item.in_(items)))


async def listed(conn: AsyncConnection) -> list[Row[Any]]:
    """All that is set aside, oldest first."""
    columns = (set_aside.c.stream, set_aside.c.item, set_aside.c.reason, set_aside.c.tries, set_aside.c.since)
    return list(await conn.execute(select(*columns).order_by(set_aside.c.since)))


async def hasten(conn: AsyncConnection, stream: str, item: str, by: UUID) -> bool:
    """Try it again at once; False when it is not set aside. Who asked is kept."""
    here = (set_aside.c.stream == stream) & (set_aside.c.item == item)
    again = update(set_aside).where(here).values(retry_at=_NOW, reported_at=None).returning(set_aside.c.reason)
    row = (await conn.execute(again)).one_or_none()
    if row is not None:
        await conn.execute(insert(replays).values(topic=stream, key=item, asked_by=by, reason=row.reason))
    return row is not None
