"""Tables and queries of duty_desk."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Row,
    Table,
    Text,
    Uuid,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.access import append_only
from shared.db.case_numbers import holds_number, is_number
from shared.db.lists import Part, Sorting
from shared.db.sealed import SealedTable
from shared.ledger.days import SealedDay

METADATA = MetaData()
_INSTANT = DateTime(timezone=True)

items = Table(
    "items",
    METADATA,
    Column("item_id", Uuid, primary_key=True),
    Column("source", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("ground", Text),
    Column("body", Text, nullable=False),
    Column("claimed_case_number", Text),
    Column("case_id", Uuid),
    Column("case_number", Text),
    Column("arrived_at", _INSTANT, nullable=False),
    Column("taken_at", _INSTANT),
    Column("taken_by_name", Text),
    Column("accepted_at", _INSTANT),
    Column("accepted_by_name", Text),
    Column("acted_at", _INSTANT),
    Column("in_time", Boolean),
    Column("closed_by_name", Text),
    Column("deed", Text),
    Column("dismissed_at", _INSTANT),
    Column("dismissed_because", Text),
    Column("closed_at", _INSTANT),
    Column("trouble", Text),
    Column("times", Integer, nullable=False, server_default="1"),
    Column("last_at", _INSTANT),
)
"""`trouble`: the mark of what a trouble says; `times` and `last_at`: how often it was told, and when last."""
SEALED = (SealedTable(items, dict.fromkeys(("body", "deed", "dismissed_because"), "{item_id}")),)
_LYING = items.c.taken_at.is_(None) & items.c.closed_at.is_(None)
Index("items_trouble", items.c.trouble, unique=True, postgresql_where=_LYING)
Index("items_open", items.c.arrived_at, postgresql_where=items.c.closed_at.is_(None))
Index("items_closed", items.c.closed_at, items.c.item_id, postgresql_where=items.c.closed_at.is_not(None))

clocks = Table(
    "clocks",
    METADATA,
    Column("item_id", ForeignKey("items.item_id"), primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("due_at", _INSTANT, nullable=False),
    Column("stopped_at", _INSTANT),
    Column("rang_at", _INSTANT),
)
Index("clocks_one", clocks.c.item_id, unique=True, postgresql_where=clocks.c.stopped_at.is_(None))
Index("clocks_running", clocks.c.due_at, postgresql_where=clocks.c.stopped_at.is_(None) & clocks.c.rang_at.is_(None))

revisions = Table(
    "revisions",
    METADATA,
    Column("only", Integer, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)
"""One row that counts the changes of the queue, so that a glance at it tells whether to look again."""

cases = Table(
    "cases",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("case_number", Text, nullable=False, unique=True),
)

log_days = Table(
    "log_days",
    METADATA,
    Column("day", Date, primary_key=True),
    Column("text", Text, nullable=False),
    Column("signature", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    info=append_only(),
)
"""The days of the case log as they were first told: whoever rewrites the log does not reach them."""


async def renew_mark(conn: AsyncConnection, mark: str, former: Collection[str]) -> None:
    """A trouble that lies on the desk under a mark of before the keys changed has this one from now on."""
    same = items.alias()
    lying = select(same.c.item_id).where(same.c.taken_at.is_(None), same.c.closed_at.is_(None))
    there = lying.where(same.c.trouble == mark).exists()
    first = lying.where(same.c.trouble.in_(former)).order_by(same.c.item_id).limit(1).scalar_subquery()
    await conn.execute(update(items).where(items.c.item_id == first, ~there).values(trouble=mark))


async def add_item(conn: AsyncConnection, row: dict[str, Any]) -> bool:
    """A new item; False when its trouble lies on the desk already, which then counts one more.

    Once somebody has taken it, the next is an item of its own: who closes the first has not seen it.
    """
    statement = upsert(items).values(row)
    again = {"times": items.c.times + 1, "last_at": statement.excluded.arrived_at}
    statement = statement.on_conflict_do_update(index_elements=["trouble"], index_where=_LYING, set_=again)
    lying: UUID = (await conn.execute(statement.returning(items.c.item_id))).scalar_one()
    return bool(lying == row["item_id"])


async def lock_item(conn: AsyncConnection, item_id: UUID) -> Row[Any] | None:
    """An item, locked."""
    return (await conn.execute(select(items).where(items.c.item_id == item_id).with_for_update())).one_or_none()


async def change_item(conn: AsyncConnection, item_id: UUID, values: dict[str, Any]) -> None:
    """Move an item on."""
    await conn.execute(update(items).where(items.c.item_id == item_id).values(values))


async def start_clock(conn: AsyncConnection, item_id: UUID, clock: str, due_at: datetime) -> None:
    """A clock runs from now to `due_at`."""
    await conn.execute(insert(clocks), {"item_id": item_id, "clock": clock, "due_at": due_at})


async def stop_clocks(conn: AsyncConnection, item_id: UUID, at: datetime) -> None:
    """Whatever runs for the item stops."""
    here = (clocks.c.item_id == item_id) & clocks.c.stopped_at.is_(None)
    await conn.execute(update(clocks).where(here).values(stopped_at=at))


async def running_due(conn: AsyncConnection, item_id: UUID) -> datetime:
    """When the clock that runs for an open item runs out. Raises NoResultFound: one always runs."""
    here = (clocks.c.item_id == item_id) & clocks.c.stopped_at.is_(None)
    due_at: datetime = (await conn.execute(select(clocks.c.due_at).where(here))).scalar_one()
    return due_at


async def claim_due(conn: AsyncConnection, now: datetime, after: tuple[datetime, UUID] | None) -> Row[Any] | None:
    """Lock one clock that ran out and has not rung; `after`: behind that due instant and item."""
    query = select(clocks, items.c.source).join(items, items.c.item_id == clocks.c.item_id)
    query = query.where(clocks.c.due_at <= now, clocks.c.stopped_at.is_(None), clocks.c.rang_at.is_(None))
    if after is not None:
        query = query.where(tuple_(clocks.c.due_at, clocks.c.item_id) > after)
    query = query.order_by(clocks.c.due_at, clocks.c.item_id).limit(1).with_for_update(skip_locked=True, of=clocks)
    return (await conn.execute(query)).one_or_none()


async def ring(conn: AsyncConnection, item_id: UUID, clock: str, at: datetime) -> None:
    """The clock has rung, once."""
    here = (clocks.c.item_id == item_id) & (clocks.c.clock == clock)
    await conn.execute(update(clocks).where(here).values(rang_at=at))


async def changed(conn: AsyncConnection) -> None:
    """The queue is another one. The last statement of its transaction: whoever holds this row waits for nobody."""
    row = upsert(revisions).values(only=1, revision=1)
    again = {"revision": revisions.c.revision + 1}
    await conn.execute(row.on_conflict_do_update(index_elements=["only"], set_=again))


async def revision(conn: AsyncConnection) -> int:
    """How often the queue has changed; it never goes back, and a change is counted when it is there to be seen."""
    return (await conn.execute(select(revisions.c.revision))).scalar_one_or_none() or 0


_RUNNING = (clocks.c.item_id == items.c.item_id) & clocks.c.stopped_at.is_(None)
_WITH_CLOCK = select(items, clocks.c.clock, clocks.c.due_at, clocks.c.rang_at).join(clocks, _RUNNING, isouter=True)


async def queue(conn: AsyncConnection, limit: int) -> list[Row[Any]]:
    """Open items by the time left to act."""
    query = _WITH_CLOCK.where(items.c.closed_at.is_(None))
    return list(await conn.execute(query.order_by(clocks.c.due_at, items.c.arrived_at, items.c.item_id).limit(limit)))


async def count_open(conn: AsyncConnection, now: datetime) -> list[Row[Any]]:
    """How many items are open under each clock, and how many of them late."""
    late = func.count().filter(clocks.c.due_at < now)
    query = select(clocks.c.clock, func.count().label("open"), late.label("late")).select_from(items)
    query = query.join(clocks, _RUNNING, isouter=True).where(items.c.closed_at.is_(None))
    return list(await conn.execute(query.group_by(clocks.c.clock)))


async def get_item(conn: AsyncConnection, item_id: UUID) -> Row[Any] | None:
    """One item with the clock that runs for it, if any."""
    return (await conn.execute(_WITH_CLOCK.where(items.c.item_id == item_id))).one_or_none()


@dataclass(frozen=True)
class Closed:
    """Which closed items: of a source, how they ended (`in_time`, `late`, `dismissed`), a part of the case number."""

    source: str = ""
    ending: str = ""
    number: str = ""


CLOSED = Sorting(
    {"at": items.c.closed_at, "number": items.c.case_number, "by": items.c.closed_by_name}, items.c.item_id, "-at"
)
_ENDINGS = {
    "in_time": items.c.in_time.is_(True),
    "late": items.c.in_time.is_(False),
    "dismissed": items.c.in_time.is_(None),
}


async def closed_items(conn: AsyncConnection, wanted: Closed, part: Part) -> tuple[list[Row[Any]], str | None]:
    """What was done, newest first unless asked otherwise, and where the list goes on."""
    query = select(items).where(items.c.closed_at.is_not(None))
    if wanted.source:
        query = query.where(items.c.source == wanted.source)
    if wanted.ending:
        query = query.where(_ENDINGS[wanted.ending])
    if wanted.number:
        query = query.where(holds_number(items.c.case_number, wanted.number))
    return await CLOSED.part(conn, query, part)


async def put_case(conn: AsyncConnection, case_id: UUID, case_number: str) -> None:
    """A case that an item may be linked to."""
    row = upsert(cases).values(case_id=case_id, case_number=case_number)
    await conn.execute(row.on_conflict_do_nothing())


async def find_case(conn: AsyncConnection, typed: str) -> Row[Any] | None:
    """The case with this number, however it was typed."""
    return (await conn.execute(select(cases).where(is_number(cases.c.case_number, typed)).limit(1))).one_or_none()


async def keep_log_day(conn: AsyncConnection, told: SealedDay) -> None:
    """Keep a day of the case log as it was first told."""
    row = upsert(log_days).values(day=told.day, text=told.text, signature=told.signature, key_id=told.key_id)
    await conn.execute(row.on_conflict_do_nothing())


async def known_log_days(conn: AsyncConnection, days: Sequence[date]) -> dict[date, SealedDay]:
    """Those of these days that were told, as they were first told."""
    rows = await conn.execute(select(log_days).where(log_days.c.day.in_(days)))
    return {row.day: SealedDay(row.day, row.text, row.signature, row.key_id) for row in rows}
