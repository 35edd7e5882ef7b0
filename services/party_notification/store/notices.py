"""Notices: what is owed, what waits, what was written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Date, DateTime, Row, Text, Update, Uuid, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import (
    cases,
    deliveries,
    message_notices,
    messages,
    notices,
    observations,
    reads,
)
from services.party_notification.store.withdrawing import CORRECTION, has_left
from shared.db.arrays import Columns, arrays, unnested
from shared.db.case_numbers import holds_number
from shared.db.lists import Part, Sorting
from shared.db.reach import Reach

_SERVING: Columns = {
    "notice_id": Uuid,
    "served_on": Date,
    "served_by": Text,
    "served_because": Text,
    "lapsed_at": DateTime(timezone=True),
}


def _mark_served() -> Update:
    given = unnested(_SERVING)
    changed = {name: given.c[name] for name in _SERVING if name != "notice_id"}
    return update(notices).where(notices.c.notice_id == given.c.notice_id).values(changed)


_MARK_SERVED = _mark_served()
_TO_SEND = notices.c.sent_at.is_(None) | notices.c.lapsed_at.is_not(None)


def _sent(at: datetime) -> dict[str, Any]:
    """The first sending stays on record, also when what it had sent came to nothing."""
    return {"sent_at": func.coalesce(notices.c.sent_at, at), "lapsed_at": None}


async def add(conn: AsyncConnection, row: dict[str, Any]) -> bool:
    """Insert a notice; False when this cause already owes this party this kind."""
    statement = upsert(notices).values(row).on_conflict_do_nothing(constraint="notices_cause_party_id_kind_key")
    return (await conn.execute(statement.returning(notices.c.notice_id))).one_or_none() is not None


async def add_all(conn: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """As `add`, of many at once; what a row does not name is null."""
    names = {name for row in rows for name in row}
    statement = upsert(notices).on_conflict_do_nothing(constraint="notices_cause_party_id_kind_key")
    if rows:
        await conn.execute(statement, [dict.fromkeys(names) | row for row in rows])


async def change(conn: AsyncConnection, notice_id: UUID, values: dict[str, Any]) -> None:
    """A notice that waited gets its letter, or another reason to wait."""
    await conn.execute(update(notices).where(notices.c.notice_id == notice_id).values(values))


async def waiting_of(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """The case's notices that wait for a field."""
    query = select(notices).where(notices.c.case_id == case_id, notices.c.state == "waiting")
    return list(await conn.execute(query.order_by(notices.c.notice_id)))


async def get(conn: AsyncConnection, notice_id: UUID) -> Row[Any] | None:
    """One notice."""
    return (await conn.execute(select(notices).where(notices.c.notice_id == notice_id))).one_or_none()


CHECKED = ("number", "party_id", "kind", "state", "issued_at", "sent_at")
"""What anybody may check of a notice: all that the public pages read of it."""


async def by_number(conn: AsyncConnection, number: str) -> Row[Any] | None:
    """What may be checked of the notice with this number."""
    query = select(*(notices.c[name] for name in CHECKED)).where(notices.c.number == number)
    return (await conn.execute(query)).one_or_none()


async def party_by_number(conn: AsyncConnection, number: str) -> UUID | None:
    """Whose notice has this number."""
    query = select(notices.c.party_id).where(notices.c.number == number)
    return (await conn.execute(query)).scalar_one_or_none()


async def written_to(conn: AsyncConnection, party_id: UUID) -> list[Row[Any]]:
    """What may be checked of the notices that were written to a party, newest first."""
    query = select(*(notices.c[name] for name in CHECKED)).where(notices.c.party_id == party_id)
    query = query.where(notices.c.issued_at.is_not(None))
    return list(await conn.execute(query.order_by(notices.c.issued_at.desc(), notices.c.number).limit(20)))


async def of_case(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """All notices of a case, oldest first."""
    query = select(notices).where(notices.c.case_id == case_id)
    return list(await conn.execute(query.order_by(notices.c.created_at, notices.c.notice_id)))


async def shown_to(conn: AsyncConnection, party_id: UUID) -> list[Row[Any]]:
    """The written notices that a party may read, newest first: of a recalled case only what has left."""
    query = select(notices).join(cases, cases.c.case_id == notices.c.case_id)
    query = query.where(notices.c.party_id == party_id, notices.c.state == "issued")
    query = query.where(cases.c.recalled_at.is_(None) | has_left())
    return list(await conn.execute(query.order_by(notices.c.issued_at.desc(), notices.c.notice_id)))


@dataclass(frozen=True)
class Wanted:
    """Which notices: a state (or None for all), a kind, a part of the case number, one case's; within whose reach."""

    state: str | None = None
    number: str = ""
    case_id: UUID | None = None
    kind: str = ""
    reach: Reach | None = None


_SERVED = notices.c.served_on.is_not(None)
_ISSUED = notices.c.state == "issued"
_TO_SERVE = notices.c.kind != CORRECTION
_STATES = {
    "waiting": notices.c.state == "waiting",
    "issued": _ISSUED,
    "unserved": _ISSUED & ~_SERVED & _TO_SERVE,
    "served": _ISSUED & _SERVED,
    "withdrawn": notices.c.state == "withdrawn",
}


SORTING = Sorting(
    {
        "created": notices.c.created_at,
        "number": cases.c.case_number,
        "kind": notices.c.kind,
        "role": notices.c.role,
        "issued": notices.c.issued_at,
        "served": notices.c.served_on,
    },
    notices.c.notice_id,
    "-created",
)


async def listed(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Notices of all cases, newest first unless asked otherwise, and where the list goes on."""
    query = select(notices, cases.c.case_number).join(cases, cases.c.case_id == notices.c.case_id)
    if wanted.number:
        query = query.where(holds_number(cases.c.case_number, wanted.number))
    if wanted.case_id is not None:
        query = query.where(notices.c.case_id == wanted.case_id)
    if wanted.state is not None:
        query = query.where(_STATES[wanted.state])
    if wanted.kind:
        query = query.where(notices.c.kind == wanted.kind)
    if wanted.reach is not None:
        query = query.where(wanted.reach.over(cases, "case_number"))
    return await SORTING.part(conn, query, part)


async def counts(conn: AsyncConnection, reach: Reach | None) -> dict[str, int]:
    """How many notices there are in each state."""
    query = select(*(func.count().filter(where).label(state) for state, where in _STATES.items())).select_from(notices)
    if reach is not None:
        query = query.join(cases, cases.c.case_id == notices.c.case_id).where(reach.over(cases, "case_number"))
    return dict((await conn.execute(query)).mappings().one())


async def deliveries_of(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Every delivery of every message that carries one of these notices."""
    columns = (messages.c.content_sha256, messages.c.possibly_twice)
    query = select(message_notices.c.notice_id, deliveries, *columns)
    query = query.join(messages, messages.c.message_id == message_notices.c.message_id)
    query = query.join(deliveries, deliveries.c.message_id == messages.c.message_id)
    query = query.where(message_notices.c.notice_id.in_(notice_ids))
    return list(await conn.execute(query.order_by(deliveries.c.planned_at, deliveries.c.attempt)))


async def observations_of(conn: AsyncConnection, delivery_ids: Sequence[UUID]) -> list[Row[Any]]:
    """What was seen of these deliveries, in the order of seeing."""
    query = select(observations).where(observations.c.delivery_id.in_(delivery_ids))
    return list(await conn.execute(query.order_by(observations.c.id)))


async def messages_of(conn: AsyncConnection, notice_id: UUID) -> list[Row[Any]]:
    """The messages that carry a notice, with their sealed contents."""
    query = select(messages).join(message_notices, message_notices.c.message_id == messages.c.message_id)
    return list(await conn.execute(query.where(message_notices.c.notice_id == notice_id)))


async def carried(conn: AsyncConnection, message_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Which kinds of notices these messages carry."""
    query = select(message_notices.c.message_id, notices.c.notice_id, notices.c.kind)
    query = query.join(notices, notices.c.notice_id == message_notices.c.notice_id)
    return list(await conn.execute(query.where(message_notices.c.message_id.in_(message_ids)).order_by(notices.c.kind)))


async def mark_sent(conn: AsyncConnection, message_ids: Sequence[UUID], at: datetime) -> list[Row[Any]]:
    """The notices of messages that are sent for the first time, or anew, by them, each with its message."""
    here = (message_notices.c.notice_id == notices.c.notice_id) & _TO_SEND
    here &= message_notices.c.message_id.in_(message_ids)
    statement = update(notices).where(here).values(_sent(at))
    return list(await conn.execute(statement.returning(notices, message_notices.c.message_id)))


async def lock_issued(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Those of these notices that are written and stand, locked, as they are by now."""
    query = select(notices).where(notices.c.notice_id.in_(notice_ids), _ISSUED).order_by(notices.c.notice_id)
    return list(await conn.execute(query.with_for_update()))


async def mark_served(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """The notices' legal effect, or why there is none; each row has all of `_SERVING`."""
    if rows:
        await conn.execute(_MARK_SERVED, arrays(_SERVING, rows))


async def carried_by(conn: AsyncConnection, *message_ids: UUID) -> list[Row[Any]]:
    """The notices that messages carry, each once."""
    carried = select(message_notices.c.notice_id).where(message_notices.c.message_id.in_(message_ids))
    return list(await conn.execute(select(notices).where(notices.c.notice_id.in_(carried))))


async def mark_read(conn: AsyncConnection, notice_id: UUID, at: datetime) -> bool:
    """The party opened the document then; True when nothing as early was known."""
    statement = upsert(reads).values(notice_id=notice_id, first_read_at=at)
    earlier = statement.on_conflict_do_update(
        index_elements=["notice_id"], set_={"first_read_at": at}, where=reads.c.first_read_at > at
    )
    return (await conn.execute(earlier.returning(reads.c.notice_id))).one_or_none() is not None


async def read_of(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Which of these documents their parties have opened, and when first."""
    query = select(reads).where(reads.c.notice_id.in_(notice_ids))
    return {row.notice_id: row.first_read_at for row in await conn.execute(query)}


async def set_sent(conn: AsyncConnection, notice_id: UUID, at: datetime) -> bool:
    """The notice went out; True the first time, and when it goes out anew after its sending came to nothing."""
    here = (notices.c.notice_id == notice_id) & _TO_SEND
    return (await conn.execute(update(notices).where(here).values(_sent(at)))).rowcount == 1


async def seen_of(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Every observation on every delivery of these notices."""
    columns = (deliveries.c.channel, observations.c.seen, observations.c.product_time, observations.c.delivery_id)
    query = select(message_notices.c.notice_id, *columns)
    query = query.join(deliveries, deliveries.c.message_id == message_notices.c.message_id)
    query = query.join(observations, observations.c.delivery_id == deliveries.c.delivery_id)
    return list(await conn.execute(query.where(message_notices.c.notice_id.in_(notice_ids))))


async def reads_of(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> list[Row[Any]]:
    """When these notices were first read, as far as they were."""
    return list(await conn.execute(select(reads).where(reads.c.notice_id.in_(notice_ids))))
