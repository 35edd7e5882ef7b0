"""Tables and queries of asset_tips. Who sent a tip rests in a table of its own, and every look at it is kept."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Row,
    Table,
    Text,
    Uuid,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.access import ALL, May, append_only
from shared.db.arrays import Columns, arrays, unnested
from shared.db.aside import Stream
from shared.db.lists import Part, Sorting
from shared.db.sealed import SealedTable

METADATA = MetaData()
_INSTANT = DateTime(timezone=True)

tips = Table(
    "tips",
    METADATA,
    Column("tip_id", Uuid, primary_key=True),
    Column("tip_number", Text, nullable=False, unique=True),
    Column("receipt_index", Text, nullable=False, unique=True),
    Column("ground", Text, nullable=False),
    Column("case_number", Text),
    Column("body", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("arrived_at", _INSTANT, nullable=False),
    Column("taken_at", _INSTANT),
    Column("taken_by", Uuid),
    Column("accepted_at", _INSTANT),
    Column("acted_at", _INSTANT),
    Column("dismissed_at", _INSTANT),
    Column("told_at", _INSTANT),
    CheckConstraint("ground IN ('property', 'whereabouts', 'new_property', 'urgent')", name="tips_ground"),
    CheckConstraint("channel = 'web'", name="tips_channel"),
    CheckConstraint("arrived_at BETWEEN '2000-01-01Z' AND '2999-12-31Z'", name="tips_arrived"),
)
Index("tips_untold", tips.c.arrived_at, postgresql_where=tips.c.told_at.is_(None))

senders = Table(
    "senders",
    METADATA,
    Column("tip_id", ForeignKey("tips.tip_id"), primary_key=True),
    Column("contact", Text, nullable=False),
)

looks = Table(
    "looks",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("tip_id", ForeignKey("tips.tip_id"), nullable=False),
    Column("staff_id", Uuid, nullable=False),
    Column("staff_name", Text, nullable=False, server_default=""),
    Column("reason", Text, nullable=False),
    Column("looked_at", _INSTANT, nullable=False),
    info=append_only("reason"),
)

submissions = Table(
    "submissions",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("source", Text, nullable=False),
    Column("at", _INSTANT, nullable=False),
)
Index("submissions_of_source", submissions.c.source, submissions.c.at)
Index("submissions_by_age", submissions.c.at)

UNTOLD = Stream("tips", tips, tips.c.tip_id, tips.c.told_at.is_(None), tips.c.arrived_at)
"""Tips of which the desk has not been told."""
SEALED = (
    SealedTable(tips, {"body": "{tip_id}"}),
    SealedTable(senders, {"contact": "{tip_id}/contact"}),
    SealedTable(looks, {"reason": "{tip_id}/look"}),
)
_STATUS = ("tip_number", "arrived_at", "taken_at", "accepted_at", "acted_at", "dismissed_at")
PUBLIC = (
    May(
        tips,
        select=("tip_id", "receipt_index", *_STATUS),
        insert=("tip_id", "tip_number", "receipt_index", "ground", "case_number", "body", "channel", "arrived_at"),
    ),
    May(senders, insert=("tip_id", "contact")),
    May(submissions, select=ALL, insert=("source", "at"), update=("at",), delete=True),
)
"""The public pages take tips and tell where one stands; they read neither what it says nor who sent it."""

_NOW = func.now()
_AHEAD = timedelta(minutes=1)
"""How far a submission may lie ahead: no transaction that waits in line is as old. Beyond, somebody made it up."""
_KEPT: Columns = {"tip_id": Uuid, "body": Text, "contact": Text}


async def add(conn: AsyncConnection, row: dict[str, Any]) -> bool:
    """A new tip; False when another one has its number."""
    added = upsert(tips).values(row).on_conflict_do_nothing(index_elements=["tip_number"]).returning(tips.c.tip_id)
    return (await conn.execute(added)).one_or_none() is not None


async def add_sender(conn: AsyncConnection, tip_id: UUID, contact: str) -> None:
    """Who sent a tip, sealed."""
    await conn.execute(insert(senders), {"tip_id": tip_id, "contact": contact})


async def by_receipt(conn: AsyncConnection, receipt_indexes: Collection[str]) -> Row[Any] | None:
    """The tip whose receipt this is, under whichever key it was hashed."""
    query = select(*(tips.c[name] for name in _STATUS)).where(tips.c.receipt_index.in_(receipt_indexes))
    return (await conn.execute(query)).one_or_none()


async def untold(conn: AsyncConnection, tip_ids: Collection[UUID]) -> list[Row[Any]]:
    """These tips with the sender's contact, oldest first."""
    query = select(tips, senders.c.contact).outerjoin(senders).where(tips.c.tip_id.in_(tip_ids))
    return list(await conn.execute(query.order_by(tips.c.arrived_at)))


async def keep_told(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """The desk is told of these (`tip_id`); text and contact rest as given (`body`, `contact`)."""
    given = unnested(_KEPT)
    told = update(tips).where(tips.c.tip_id == given.c.tip_id).values(body=given.c.body, told_at=_NOW)
    await conn.execute(told, arrays(_KEPT, rows))
    known = update(senders).where(senders.c.tip_id == given.c.tip_id, given.c.contact.is_not(None))
    await conn.execute(known.values(contact=given.c.contact), arrays(_KEPT, rows))


async def set_moment(conn: AsyncConnection, tip_id: UUID, moment: str, at: datetime) -> None:
    """The desk reached a moment with this tip; an item of the desk that is no tip changes nothing here."""
    await conn.execute(update(tips).where(tips.c.tip_id == tip_id).values({moment: at}))


async def set_taker(conn: AsyncConnection, tip_id: UUID, staff_id: UUID) -> None:
    """Who of the desk is on it."""
    await conn.execute(update(tips).where(tips.c.tip_id == tip_id).values(taken_by=staff_id))


async def taken_by(conn: AsyncConnection, tip_id: UUID) -> UUID | None:
    """Who of the desk is on it."""
    query = select(tips.c.taken_by).where(tips.c.tip_id == tip_id)
    found: UUID | None = (await conn.execute(query)).scalar_one_or_none()
    return found


async def number_of(conn: AsyncConnection, tip_id: UUID) -> str | None:
    """The number of a tip; None when there is no such tip."""
    return (await conn.execute(select(tips.c.tip_number).where(tips.c.tip_id == tip_id))).scalar_one_or_none()


async def sender_of(conn: AsyncConnection, tip_id: UUID) -> str | None:
    """The sealed contact of whoever sent the tip."""
    return (await conn.execute(select(senders.c.contact).where(senders.c.tip_id == tip_id))).scalar_one_or_none()


LOOKS = Sorting({"at": looks.c.looked_at, "number": tips.c.tip_number, "by": looks.c.staff_name}, looks.c.id, "-at")


async def looked(conn: AsyncConnection, text: str, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Looks at who sent tips, newest first unless asked otherwise, and where the list goes on.

    `text`: a part of the tip's number. Not the name of who looked: names stand in no address.
    """
    query = select(looks, tips.c.tip_number).join(tips)
    if text:
        query = query.where(tips.c.tip_number.icontains(text, autoescape=True))
    return await LOOKS.part(conn, query, part)


async def claim_submission(conn: AsyncConnection, source: str, most: int, within: timedelta) -> float:
    """Count one submission of a source: 0, or, when it had its `most`, the seconds to wait; by the database's time.

    Submissions of one source stand in line until the transaction ends, whichever process takes them.
    """
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(source, 0))))
    counted = submissions.c.at.between(_NOW - within, _NOW + _AHEAD)
    old = select(submissions.c.id).where(~counted).limit(1000)
    await conn.execute(delete(submissions).where(submissions.c.id.in_(old.with_for_update(skip_locked=True))))
    left = select(func.extract("epoch", submissions.c.at + within - _NOW))
    left = left.where(submissions.c.source == source, counted)
    full = (await conn.execute(left.order_by(submissions.c.at.desc()).offset(most - 1).limit(1))).scalar_one_or_none()
    if full is None:
        await conn.execute(insert(submissions).values(source=source, at=_NOW))
    return 0.0 if full is None else max(1.0, float(full))


async def note_look(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """Somebody looks at who sent a tip."""
    await conn.execute(insert(looks), row)
