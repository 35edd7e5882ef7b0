"""Tables and queries of duty_desk."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    MetaData,
    Row,
    Table,
    Text,
    Uuid,
    case,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

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
    Column("taken_by", Uuid),
    Column("taken_by_name", Text),
    Column("accepted_at", _INSTANT),
    Column("accepted_by_name", Text),
    Column("acted_at", _INSTANT),
    Column("acted_by_name", Text),
    Column("deed", Text),
    Column("dismissed_at", _INSTANT),
    Column("dismissed_because", Text),
    Column("closed_at", _INSTANT),
)
Index("items_open", items.c.arrived_at, postgresql_where=items.c.closed_at.is_(None))

clocks = Table(
    "clocks",
    METADATA,
    Column("item_id", ForeignKey("items.item_id"), primary_key=True),
    Column("clock", Text, primary_key=True),
    Column("due_at", _INSTANT, nullable=False),
    Column("stopped_at", _INSTANT),
    Column("rang_at", _INSTANT),
)
Index("clocks_running", clocks.c.due_at, postgresql_where=clocks.c.stopped_at.is_(None) & clocks.c.rang_at.is_(None))

cases = Table(
    "cases",
    METADATA,
    Column("case_id", Uuid, primary_key=True),
    Column("case_number", Text, nullable=False, unique=True),
)


async def add_item(conn: AsyncConnection, row: dict[str, Any], triage_due: datetime) -> None:
    """A new item with its triage clock running."""
    await conn.execute(insert(items), row)
    await start_clock(conn, row["item_id"], "triage", triage_due)


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


async def claim_due(conn: AsyncConnection, now: datetime) -> Row[Any] | None:
    """Lock one clock that ran out and has not rung."""
    query = select(clocks, items.c.source).join(items, items.c.item_id == clocks.c.item_id)
    query = query.where(clocks.c.due_at <= now, clocks.c.stopped_at.is_(None), clocks.c.rang_at.is_(None))
    query = query.order_by(clocks.c.due_at).limit(1).with_for_update(skip_locked=True, of=clocks)
    return (await conn.execute(query)).one_or_none()


async def ring(conn: AsyncConnection, item_id: UUID, clock: str, at: datetime) -> None:
    """The clock has rung, once."""
    here = (clocks.c.item_id == item_id) & (clocks.c.clock == clock)
    await conn.execute(update(clocks).where(here).values(rang_at=at))


async def queue(conn: AsyncConnection, limit: int) -> list[Row[Any]]:
    """Open items by the time left to act: a running clock first, then what waits for its evidence to be judged."""
    running = select(clocks.c.item_id, clocks.c.clock, clocks.c.due_at, clocks.c.rang_at)
    running_clock = running.where(clocks.c.stopped_at.is_(None)).subquery()
    query = select(items, running_clock.c.clock, running_clock.c.due_at, running_clock.c.rang_at)
    query = query.join(running_clock, running_clock.c.item_id == items.c.item_id, isouter=True)
    query = query.where(items.c.closed_at.is_(None))
    no_clock = case((running_clock.c.due_at.is_(None), 1), else_=0)
    return list(await conn.execute(query.order_by(no_clock, running_clock.c.due_at, items.c.arrived_at).limit(limit)))


async def get_item(conn: AsyncConnection, item_id: UUID) -> Row[Any] | None:
    """One item with the clock that runs for it, if any."""
    running = (clocks.c.item_id == items.c.item_id) & clocks.c.stopped_at.is_(None)
    query = select(items, clocks.c.clock, clocks.c.due_at, clocks.c.rang_at).join(clocks, running, isouter=True)
    return (await conn.execute(query.where(items.c.item_id == item_id))).one_or_none()


async def closed_items(conn: AsyncConnection, limit: int) -> list[Row[Any]]:
    """What was done lately, newest first."""
    query = select(items).where(items.c.closed_at.is_not(None))
    return list(await conn.execute(query.order_by(items.c.closed_at.desc()).limit(limit)))


async def mark(conn: AsyncConnection) -> tuple[Any, ...]:
    """A mark that changes whenever the queue does."""
    open_items = select(func.count(), func.max(items.c.arrived_at), func.max(items.c.taken_at)).where(
        items.c.closed_at.is_(None)
    )
    moved = select(func.count(items.c.accepted_at), func.count(items.c.closed_at), func.count(items.c.taken_at))
    rang = select(func.count(clocks.c.rang_at))
    parts = [(await conn.execute(query)).one() for query in (open_items, moved, rang)]
    return tuple(value for row in parts for value in row)


async def put_case(conn: AsyncConnection, case_id: UUID, case_number: str) -> None:
    """A case that an item may be linked to."""
    row = upsert(cases).values(case_id=case_id, case_number=case_number)
    await conn.execute(row.on_conflict_do_nothing())


async def find_case(conn: AsyncConnection, case_number: str) -> Row[Any] | None:
    """The case with this number."""
    return (await conn.execute(select(cases).where(cases.c.case_number == case_number))).one_or_none()
