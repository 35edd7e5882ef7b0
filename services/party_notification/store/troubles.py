"""What lies before a person: deliveries of unknown fate, doubtful readings, what may have come twice, odd receipts."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.domain.contacts import WAITING as IN_DOUBT
from services.party_notification.store.contacts import Doubt, as_doubt
from services.party_notification.store.readings import Reading, as_reading
from services.party_notification.store.tables import (
    addresses,
    cases,
    contact_doubts,
    deliveries,
    faulty_receipts,
    messages,
    notices,
    parties,
    readings,
)
from shared.db.case_numbers import holds_number
from shared.db.lists import Part, Sorting
from shared.db.reach import Reach


@dataclass(frozen=True)
class Wanted:
    """Which of them: a part of the case number, one channel's; of which cases at all."""

    number: str = ""
    channel: str = ""
    reach: Reach | None = None


EVERY = Wanted()


def _of_case(query: Select[Any], wanted: Wanted) -> Select[Any]:
    if wanted.reach is not None:
        query = query.where(wanted.reach.over(cases, "case_number"))
    return query.where(holds_number(cases.c.case_number, wanted.number)) if wanted.number else query


WAITING = Sorting(
    {"planned": deliveries.c.planned_at, "number": cases.c.case_number, "channel": deliveries.c.channel},
    deliveries.c.delivery_id,
    "planned",
)
_WAITS = deliveries.c.step == "person"


async def waiting(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Deliveries that a person must decide on, oldest first unless asked otherwise."""
    query = select(deliveries, messages.c.case_id, messages.c.party_id, cases.c.case_number, messages.c.address)
    query = query.join(messages, messages.c.message_id == deliveries.c.message_id)
    query = _of_case(query.join(cases, cases.c.case_id == messages.c.case_id).where(_WAITS), wanted)
    if wanted.channel:
        query = query.where(deliveries.c.channel == wanted.channel)
    return await WAITING.part(conn, query, part)


DOUBTFUL = Sorting(
    {"read": readings.c.read_at, "number": cases.c.case_number, "role": notices.c.role}, readings.c.reading_id, "read"
)
_DOUBTFUL = readings.c.state == "doubtful"


@dataclass(frozen=True)
class Doubtful:
    """A reading that waits for a person, with the notice that was opened."""

    reading: Reading
    kind: str
    role: str
    case_id: UUID
    case_number: str


async def doubtful(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Doubtful], str | None]:
    """Readings that wait for a person, oldest first unless asked otherwise."""
    query = select(readings, notices.c.kind, notices.c.role, notices.c.case_id, cases.c.case_number)
    query = query.join(notices, notices.c.notice_id == readings.c.notice_id)
    query = query.join(cases, cases.c.case_id == notices.c.case_id).where(_DOUBTFUL)
    rows, following = await DOUBTFUL.part(conn, _of_case(query, wanted), part)
    return [Doubtful(as_reading(row), row.kind, row.role, row.case_id, row.case_number) for row in rows], following


DISOWNED = Sorting(
    {"since": contact_doubts.c.disowned_at, "number": cases.c.case_number, "channel": contact_doubts.c.channel},
    contact_doubts.c.doubt_id,
    "since",
)
_DISOWNED = contact_doubts.c.state.in_(IN_DOUBT)


@dataclass(frozen=True)
class Disowned:
    """A contact on which a person can decide, with whose it is and its sealed address."""

    doubt: Doubt
    role: str
    case_number: str
    address: str


async def disowned(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Disowned], str | None]:
    """Disowned contacts on which a person can decide, oldest first unless asked otherwise."""
    query = select(contact_doubts, cases.c.case_number, parties.c.role, addresses.c.address)
    query = query.join(cases, cases.c.case_id == contact_doubts.c.case_id)
    query = query.join(parties, parties.c.party_id == contact_doubts.c.party_id)
    query = query.join(addresses, addresses.c.address_id == contact_doubts.c.address_id).where(_DISOWNED)
    if wanted.channel:
        query = query.where(contact_doubts.c.channel == wanted.channel)
    rows, following = await DISOWNED.part(conn, _of_case(query, wanted), part)
    return [Disowned(as_doubt(row), row.role, row.case_number, row.address) for row in rows], following


TWICE = Sorting(
    {"created": messages.c.created_at, "number": cases.c.case_number, "channel": messages.c.channel},
    messages.c.message_id,
    "-created",
)
_TWICE_COLUMNS = ("message_id", "case_id", "channel", "created_at", "address")


async def twice(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Messages that may have arrived more than once, newest first unless asked otherwise."""
    query: Select[Any] = select(*(messages.c[name] for name in _TWICE_COLUMNS), cases.c.case_number)
    query = _of_case(query.join(cases, cases.c.case_id == messages.c.case_id).where(messages.c.possibly_twice), wanted)
    if wanted.channel:
        query = query.where(messages.c.channel == wanted.channel)
    return await TWICE.part(conn, query, part)


FAULTY = Sorting(
    {"arrived": faulty_receipts.c.arrived_at, "fault": faulty_receipts.c.fault}, faulty_receipts.c.mark, "-arrived"
)


async def faulty(conn: AsyncConnection, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Receipts that could not be read, newest first unless asked otherwise."""
    return await FAULTY.part(conn, select(faulty_receipts), part)


async def counts(conn: AsyncConnection, reach: Reach | None) -> Row[Any]:
    """How many there are of each."""
    of_messages = messages.join(cases, cases.c.case_id == messages.c.case_id)
    of_deliveries = of_messages.join(deliveries, deliveries.c.message_id == messages.c.message_id)
    of_notices = notices.join(cases, cases.c.case_id == notices.c.case_id)
    of_readings = of_notices.join(readings, readings.c.notice_id == notices.c.notice_id)
    of_contacts = contact_doubts.join(cases, cases.c.case_id == contact_doubts.c.case_id)
    wanted, number = Wanted(reach=reach), select(func.count())
    of = {
        "waiting": _of_case(number.select_from(of_deliveries).where(_WAITS), wanted),
        "readings": _of_case(number.select_from(of_readings).where(_DOUBTFUL), wanted),
        "disowned": _of_case(number.select_from(of_contacts).where(_DISOWNED), wanted),
        "twice": _of_case(number.select_from(of_messages).where(messages.c.possibly_twice), wanted),
        "receipts": number.select_from(faulty_receipts),
    }
    row: Row[Any] = (
        await conn.execute(select(*(query.scalar_subquery().label(name) for name, query in of.items())))
    ).one()
    return row
