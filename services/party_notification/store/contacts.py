"""Where parties are registered, and the addresses of which somebody said that they are not the party's."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ColumnElement, Row, delete, exists, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.domain.contacts import DoubtState, HeldBecause
from services.party_notification.store.tables import (
    NOW,
    addresses,
    contact_doubts,
    deliveries,
    message_notices,
    messages,
    notices,
    paper,
    paper_notices,
    parties,
    party_contacts,
)
from services.party_notification.store.withdrawing import CORRECTION, DISOWNED, LEFT


@dataclass(frozen=True)
class Doubt:
    """Somebody said that an address is not the party's, and what became of it. `remark`: sealed."""

    doubt_id: UUID
    party_id: UUID
    case_id: UUID
    address_id: UUID
    channel: Literal["sms", "mail"]
    disowned_at: datetime
    state: DoubtState
    held_because: HeldBecause | None = None
    decided_by: UUID | None = None
    decided_at: datetime | None = None
    remark: str | None = None


def as_doubt(row: Row[Any]) -> Doubt:
    """A row that has all columns of `contact_doubts`."""
    values = {name: row._mapping[name] for name in Doubt.__dataclass_fields__}  # noqa: SLF001
    held = values["held_because"]
    values |= {"state": DoubtState(values["state"]), "held_because": None if held is None else HeldBecause(held)}
    return Doubt(**values)


AN_HOUR = timedelta(hours=1)
_AS_BEFORE = (DoubtState.OPEN, DoubtState.REPLACED)


async def due(conn: AsyncConnection) -> UUID | None:
    """A party of whom it is not listed where it is registered."""
    query = select(parties.c.party_id).where(parties.c.contacts_due).order_by(parties.c.party_id).limit(1)
    found: UUID | None = (await conn.execute(query)).scalar_one_or_none()
    return found


async def is_due(conn: AsyncConnection, party_id: UUID) -> bool:
    """Whether it is not listed yet where the party is registered: since an upgrade, or for the moment of a change."""
    unlisted = select(parties.c.party_id).where(parties.c.party_id == party_id, parties.c.contacts_due)
    return bool((await conn.execute(select(exists(unlisted)))).scalar_one()) or await are_unmarked(conn, party_id)


async def are_unmarked(conn: AsyncConnection, party_id: UUID) -> bool:
    """Whether an address to which the party was written cannot be found by its end yet: since an upgrade."""
    theirs = select(messages.c.address_id).where(messages.c.party_id == party_id)
    unmarked = select(addresses.c.address_id).where(addresses.c.address_id.in_(theirs), addresses.c.end_index.is_(None))
    return bool((await conn.execute(select(exists(unmarked)))).scalar_one())


async def register(conn: AsyncConnection, party_id: UUID, address_ids: Collection[UUID]) -> None:
    """Where the party is registered now, and nowhere else."""
    others = party_contacts.c.address_id.not_in(address_ids)
    await conn.execute(delete(party_contacts).where(party_contacts.c.party_id == party_id, others))
    rows = [{"party_id": party_id, "address_id": each} for each in address_ids]
    if rows:
        await conn.execute(upsert(party_contacts).on_conflict_do_nothing(), rows)
    await conn.execute(update(parties).where(parties.c.party_id == party_id).values(contacts_due=False))


def _of(party_id: UUID, address_id: UUID) -> ColumnElement[bool]:
    return (contact_doubts.c.party_id == party_id) & (contact_doubts.c.address_id == address_id)


async def known_states(conn: AsyncConnection, party_id: UUID, address_id: UUID) -> set[DoubtState]:
    """What became of this address's former disownings."""
    query = select(contact_doubts.c.state).where(_of(party_id, address_id))
    return {DoubtState(state) for state in (await conn.execute(query)).scalars()}


async def noted_lately(conn: AsyncConnection, *, held: bool = False) -> int:
    """How many were noted within the last hour of machine time; with `held` those that wait for a person."""
    query = select(func.count()).where(contact_doubts.c.noted_at > NOW - AN_HOUR)
    if held:
        query = query.where(contact_doubts.c.held_because.is_not(None))
    return int((await conn.execute(query)).scalar_one())


async def add(conn: AsyncConnection, doubt: Doubt) -> None:
    """Somebody disowned an address."""
    await conn.execute(insert(contact_doubts).values(vars(doubt)))


async def get(conn: AsyncConnection, doubt_id: UUID, *, lock: bool = False) -> Doubt | None:
    """One of them."""
    query = select(contact_doubts).where(contact_doubts.c.doubt_id == doubt_id)
    row = (await conn.execute(query.with_for_update() if lock else query)).one_or_none()
    return None if row is None else as_doubt(row)


async def change(conn: AsyncConnection, doubt_id: UUID, values: dict[str, Any]) -> None:
    """What became of it."""
    await conn.execute(update(contact_doubts).where(contact_doubts.c.doubt_id == doubt_id).values(values))


async def suppressed(conn: AsyncConnection, party_id: UUID) -> list[Doubt]:
    """The disowned addresses of a party to which nothing goes, locked; those that are registered first."""
    query = select(contact_doubts).where(contact_doubts.c.party_id == party_id, contact_doubts.c.state.in_(_AS_BEFORE))
    query = query.order_by(contact_doubts.c.state, contact_doubts.c.doubt_id).with_for_update()
    return [as_doubt(row) for row in await conn.execute(query)]


async def address_of(conn: AsyncConnection, address_id: UUID) -> str:
    """The address, sealed about its id."""
    query = select(addresses.c.address).where(addresses.c.address_id == address_id)
    return str((await conn.execute(query)).scalar_one())


async def held_back(conn: AsyncConnection, doubt: Doubt) -> list[UUID]:
    """Notices of which nothing left on this channel because the address was disowned, and that nobody got otherwise.

    One that a mail served is told of by SMS all the same: it may lie unseen.
    """
    told = exists().where(
        message_notices.c.notice_id == notices.c.notice_id,
        messages.c.message_id == message_notices.c.message_id,
        messages.c.channel == doubt.channel,
        deliveries.c.message_id == messages.c.message_id,
        deliveries.c.state.in_(LEFT) | deliveries.c.step.in_(("send", "doubt")),
    )
    dropped = exists().where(
        message_notices.c.notice_id == notices.c.notice_id,
        messages.c.message_id == message_notices.c.message_id,
        messages.c.address_id == doubt.address_id,
        messages.c.withdrawn == DISOWNED,
    )
    posted = exists().where(
        paper_notices.c.notice_id == notices.c.notice_id,
        paper.c.paper_id == paper_notices.c.paper_id,
        paper.c.state.in_(("posted", "served")),
    )
    here = (notices.c.party_id == doubt.party_id) & (notices.c.state == "issued") & (notices.c.kind != CORRECTION)
    query = select(notices.c.notice_id).where(
        here, func.coalesce(notices.c.served_by, "mail") == "mail", ~told, ~posted
    )
    query = query.where(dropped | (notices.c.issued_at >= doubt.disowned_at))
    return list((await conn.execute(query.order_by(notices.c.notice_id))).scalars())
