"""What is held, recalled, released, and which cases are to be looked at again at a time."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import all_, func, literal, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import cases, parties


async def set_case(conn: AsyncConnection, case_id: UUID, **values: datetime | None) -> None:
    """Until when the case is held, since when it is recalled, when it is to be settled again."""
    await conn.execute(update(cases).where(cases.c.case_id == case_id).values(values))


async def release(conn: AsyncConnection, case_id: UUID) -> None:
    """Neither the case nor any of its parties is held or recalled any longer."""
    await set_case(conn, case_id, hold_until=None, recalled_at=None)
    await conn.execute(update(parties).where(parties.c.case_id == case_id).values(hold_until=None))


async def claim_due(conn: AsyncConnection, now: datetime) -> UUID | None:
    """The case that has been due the longest, its row locked; rows that others hold are skipped."""
    query = select(cases.c.case_id).where(cases.c.settle_at <= now).order_by(cases.c.settle_at).limit(1)
    case_id: UUID | None = (await conn.execute(query.with_for_update(skip_locked=True))).scalar_one_or_none()
    return case_id


async def set_misfiled(conn: AsyncConnection, party_id: UUID, at: datetime) -> bool:
    """The party never belonged to the case; False when that was known."""
    here = (parties.c.party_id == party_id) & parties.c.misfiled_at.is_(None)
    return (await conn.execute(update(parties).where(here).values(misfiled_at=at))).rowcount == 1


async def own_again(conn: AsyncConnection, party_id: UUID, address_id: UUID) -> None:
    """Whoever holds this address is the party after all."""
    values = {"disowned": func.array_remove(parties.c.disowned, literal(address_id))}
    await conn.execute(update(parties).where(parties.c.party_id == party_id).values(values))


async def disown(conn: AsyncConnection, party_id: UUID, address_id: UUID) -> bool:
    """Whoever holds this address is not the party; False when that was known."""
    new = literal(address_id) != all_(parties.c.disowned)
    values = {"disowned": func.array_append(parties.c.disowned, literal(address_id))}
    return (await conn.execute(update(parties).where(parties.c.party_id == party_id, new).values(values))).rowcount == 1
