"""Tables and queries of the sandbox. Addresses and texts rest sealed; keyed hashes find the addresses."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    bindparam,
    func,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.sandbox.domain.sms_rules import ADDRESS, same_address
from shared.clock import start_of_day
from shared.db.sealed import Hashed, SealedTable

METADATA = MetaData()
_INSTANT = DateTime(timezone=True)
_ORDER_LOCK = 7301

boxes = Table(
    "boxes",
    METADATA,
    Column("box_id", BigInteger, Identity(always=True), primary_key=True),
    Column("channel", Text, nullable=False),
    Column("address_index", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("messages", Integer, nullable=False, server_default=text("0")),
    Column("last_id", BigInteger, nullable=False, server_default=text("0"), index=True),
    UniqueConstraint("channel", "address_index"),
)
"""A phone or a mailbox. `address` is sealed about `address_index`."""
Index("boxes_newest", boxes.c.channel, boxes.c.last_id)

messages = Table(
    "messages",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("message_id", Uuid, nullable=False, unique=True),
    Column("box_id", ForeignKey("boxes.box_id"), nullable=False),
    Column("summary", Text, nullable=False),
    Column("raw", Text),
    Column("received_at", _INSTANT, nullable=False),
    Column("taken_at", _INSTANT, nullable=False),
    Column("template_code", Text),
    Column("out_id", Text),
    Column("biz_id", Text),
    Column("segments", Integer),
    Column("status", Text),
    Column("err_code", Text),
    Column("reported_at", _INSTANT),
)
"""`received_at` is the product's time, `taken_at` the machine's, which the carrier goes by. Sealed: summary, raw."""
Index("messages_of_box", messages.c.box_id, messages.c.id)

templates = Table(
    "templates",
    METADATA,
    Column("code", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("state", Integer, nullable=False),
)

receipts = Table(
    "receipts",
    METADATA,
    Column("receipt_id", BigInteger, Identity(always=True), primary_key=True),
    Column("message_id", ForeignKey("messages.message_id"), nullable=False),
    Column("dated_at", _INSTANT, nullable=False),
    Column("delivered", Boolean, nullable=False),
    Column("err_code", Text, nullable=False),
    Column("due_at", _INSTANT),
    Column("tries", Integer, nullable=False, server_default=text("0")),
    Column("posted_at", _INSTANT),
)
"""Receipts to post, by the machine's time. Nothing is due of one that was posted or given up."""
Index("receipts_due", receipts.c.due_at, postgresql_where=receipts.c.due_at.is_not(None))

clock = Table(
    "clock",
    METADATA,
    Column("only", Integer, primary_key=True),
    Column("offset_seconds", BigInteger, nullable=False),
)

SEALED = (
    SealedTable(
        boxes,
        {"address": "{address_index}"},
        {"address_index": Hashed(ADDRESS, lambda opened: same_address(opened["address"]))},
    ),
    SealedTable(messages, {"summary": "{message_id}", "raw": "{message_id}/raw"}),
)


async def known_boxes(conn: AsyncConnection, channel: str, address_indexes: Sequence[str]) -> dict[str, int]:
    """The ids of those boxes that are there, by address index.

    First takes the lock that makes the order of ids the order of commits.
    """
    await conn.execute(select(func.pg_advisory_xact_lock(_ORDER_LOCK)))
    query = select(boxes.c.address_index, boxes.c.box_id).where(boxes.c.channel == channel)
    found = await conn.execute(query.where(boxes.c.address_index.in_(address_indexes)))
    return {row.address_index: row.box_id for row in found}


async def put_boxes(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> dict[str, int]:
    """The boxes' ids by address index."""
    if not rows:
        return {}
    statement = upsert(boxes).values(list(rows))
    statement = statement.on_conflict_do_update(
        index_elements=["channel", "address_index"], set_={"address": statement.excluded.address}
    )
    found = await conn.execute(statement.returning(boxes.c.address_index, boxes.c.box_id))
    return {row.address_index: row.box_id for row in found}


async def add_messages(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Keep messages in this order, and note each box's newest."""
    statement = insert(messages).returning(messages.c.id, messages.c.box_id, sort_by_parameter_order=True)
    added = (await conn.execute(statement, list(rows))).all()
    newest = {row.box_id: row.id for row in added}
    counts = [{"box": box, "last": last, "n": sum(row.box_id == box for row in added)} for box, last in newest.items()]
    moved = update(boxes).where(boxes.c.box_id == bindparam("box"))
    await conn.execute(moved.values(last_id=bindparam("last"), messages=boxes.c.messages + bindparam("n")), counts)


def _messages() -> Select[Any]:
    return select(messages, boxes.c.channel, boxes.c.address, boxes.c.address_index).join(boxes)


async def list_messages(
    conn: AsyncConnection, after: int, limit: int, address_indexes: Sequence[str] | None
) -> list[Row[Any]]:
    """Messages after a cursor, oldest first; of one address, or of all."""
    query = _messages().where(messages.c.id > after).order_by(messages.c.id).limit(limit)
    if address_indexes is not None:
        query = query.where(boxes.c.address_index.in_(address_indexes))
    return list(await conn.execute(query))


async def list_box(conn: AsyncConnection, box_id: int, limit: int) -> list[Row[Any]]:
    """The newest messages of one box, newest first."""
    query = _messages().where(messages.c.box_id == box_id).order_by(messages.c.id.desc()).limit(limit)
    return list(await conn.execute(query))


async def get_message(conn: AsyncConnection, number: int) -> Row[Any] | None:
    """One message by its cursor."""
    found: Row[Any] | None = (await conn.execute(_messages().where(messages.c.id == number))).one_or_none()
    return found


async def list_boxes(conn: AsyncConnection, channel: str | None, limit: int) -> list[Row[Any]]:
    """The boxes with the newest messages, newest first; of one channel, or of both."""
    query = select(boxes).order_by(boxes.c.last_id.desc()).limit(limit)
    return list(await conn.execute(query if channel is None else query.where(boxes.c.channel == channel)))


async def get_box(conn: AsyncConnection, box_id: int) -> Row[Any] | None:
    """One box."""
    return (await conn.execute(select(boxes).where(boxes.c.box_id == box_id))).one_or_none()


async def find_box(conn: AsyncConnection, address_indexes: Sequence[str]) -> int | None:
    """The box of an address."""
    query = select(boxes.c.box_id).where(boxes.c.address_index.in_(address_indexes)).limit(1)
    return (await conn.execute(query)).scalar_one_or_none()


async def known_sms(
    conn: AsyncConnection, address_indexes: Sequence[str], day: date, biz_id: str | None
) -> list[Row[Any]]:
    """The SMS that the carrier took on a day (Asia/Shanghai, the machine's time) for one number."""
    begin, end = start_of_day(day), start_of_day(day + timedelta(days=1))
    query = _messages().where(boxes.c.channel == "sms", boxes.c.address_index.in_(address_indexes))
    query = query.where(messages.c.taken_at >= begin, messages.c.taken_at < end)
    if biz_id is not None:
        query = query.where(messages.c.biz_id == biz_id)
    return list(await conn.execute(query.order_by(messages.c.id)))


async def get_template(conn: AsyncConnection, code: str) -> Row[Any] | None:
    """A message template."""
    return (await conn.execute(select(templates).where(templates.c.code == code))).one_or_none()


async def add_template(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """Keep a template."""
    await conn.execute(insert(templates), row)


async def add_receipts(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Receipts to post."""
    if rows:
        await conn.execute(insert(receipts), list(rows))


async def claim_receipts(conn: AsyncConnection, now: datetime, limit: int) -> list[Row[Any]]:
    """Lock the receipts that are due, the longest due first, with their messages."""
    query = select(receipts, *_message_columns(), boxes.c.address, boxes.c.address_index)
    query = query.join(messages, messages.c.message_id == receipts.c.message_id).join(boxes)
    query = query.where(receipts.c.due_at <= now).order_by(receipts.c.due_at, receipts.c.receipt_id).limit(limit)
    return list(await conn.execute(query.with_for_update(skip_locked=True, of=receipts)))


def _message_columns() -> list[Column[Any]]:
    names = ("summary", "taken_at", "template_code", "out_id", "biz_id", "segments")
    return [messages.c[name] for name in names]


async def put_off(conn: AsyncConnection, receipt_id: int, tries: int, due_at: datetime | None) -> None:
    """A try begins; the next is due then, or never."""
    values = {"tries": tries, "due_at": due_at}
    await conn.execute(update(receipts).where(receipts.c.receipt_id == receipt_id).values(values))


async def posted(conn: AsyncConnection, receipt_ids: Sequence[int], at: datetime) -> None:
    """These were taken."""
    here = receipts.c.receipt_id.in_(receipt_ids)
    await conn.execute(update(receipts).where(here).values(posted_at=at, due_at=None))


async def report(conn: AsyncConnection, message_id: UUID, values: dict[str, Any]) -> None:
    """What the carrier knows of a message from now on, unless it knows something later."""
    here = messages.c.message_id == message_id
    older = messages.c.reported_at.is_(None) | (messages.c.reported_at <= values["reported_at"])
    await conn.execute(update(messages).where(here, older).values(values))


async def clock_offset(conn: AsyncConnection, *, lock: bool = False) -> int:
    """Seconds by which the product's clock runs ahead."""
    query = select(clock.c.offset_seconds)
    if lock:
        await conn.execute(upsert(clock).values(only=1, offset_seconds=0).on_conflict_do_nothing())
        query = query.with_for_update()
    return (await conn.execute(query)).scalar_one_or_none() or 0


async def set_clock_offset(conn: AsyncConnection, seconds: int) -> None:
    """Keep the offset."""
    await conn.execute(update(clock).values(offset_seconds=seconds))
