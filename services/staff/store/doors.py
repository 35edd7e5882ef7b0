"""Sessions, and the devices that have signed in before. Both are kept as hashes of random secrets."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain.doors import DEVICE, REFRESH
from services.staff.store.tables import NOW, known_devices, members, sessions

_KEEP = timedelta(days=1)


@dataclass(frozen=True)
class Session:
    """A session that is good: whose, its id, and when a second factor was given in it."""

    staff_id: UUID
    id: UUID
    factor_at: datetime | None


async def open_session(conn: AsyncConnection, staff_id: UUID, token_hash: bytes, factor_at: datetime | None) -> UUID:
    """Keep the hash of a secret that renews a sign-in; the session's id."""
    values = {"token_hash": token_hash, "staff_id": staff_id, "expires_at": NOW + REFRESH, "factor_at": factor_at}
    found: UUID = (await conn.execute(insert(sessions).values(values).returning(sessions.c.id))).scalar_one()
    return found


async def owner(conn: AsyncConnection, token_hash: bytes) -> UUID | None:
    """Whose session this secret renews, or renewed."""
    query = select(sessions.c.staff_id).where(sessions.c.token_hash == token_hash)
    found: UUID | None = (await conn.execute(query)).scalar()
    return found


async def session_of(conn: AsyncConnection, token_hash: bytes) -> Session | None:
    """The session of an active member that this secret renews, while it is good."""
    good = (sessions.c.token_hash == token_hash) & sessions.c.revoked_at.is_(None) & (sessions.c.expires_at > NOW)
    query = select(members.c.id, sessions.c.id, sessions.c.factor_at).join(sessions)
    row = (await conn.execute(query.where(good, members.c.active))).one_or_none()
    return None if row is None else Session(*row)


async def note_factor(conn: AsyncConnection, session: UUID, factor_at: datetime) -> None:
    """The second factor was given anew in a session."""
    await conn.execute(update(sessions).where(sessions.c.id == session).values(factor_at=factor_at))


async def revoke(conn: AsyncConnection, token_hash: bytes) -> tuple[UUID, UUID] | None:
    """End one session; whose it was, and its id."""
    here = (sessions.c.token_hash == token_hash) & sessions.c.revoked_at.is_(None)
    statement = update(sessions).where(here).values(revoked_at=NOW).returning(sessions.c.staff_id, sessions.c.id)
    row = (await conn.execute(statement)).one_or_none()
    return None if row is None else (row[0], row[1])


async def revoke_all(conn: AsyncConnection, staff_id: UUID) -> None:
    """End every session of a member."""
    here = (sessions.c.staff_id == staff_id) & sessions.c.revoked_at.is_(None)
    await conn.execute(update(sessions).where(here).values(revoked_at=NOW))


async def knows(conn: AsyncConnection, staff_id: UUID, token_hash: bytes) -> bool:
    """Whether the member has signed in with this device before."""
    here = (known_devices.c.token_hash == token_hash) & (known_devices.c.staff_id == staff_id)
    fresh = known_devices.c.last_at > NOW - DEVICE
    return (await conn.execute(select(known_devices.c.staff_id).where(here, fresh))).one_or_none() is not None


async def remember(conn: AsyncConnection, staff_id: UUID, token_hash: bytes) -> None:
    """The member signs in with this device."""
    row = {"token_hash": token_hash, "staff_id": staff_id}
    statement = upsert(known_devices).values(row)
    await conn.execute(
        statement.on_conflict_do_update(index_elements=["token_hash", "staff_id"], set_={"last_at": NOW})
    )


async def forget_devices(conn: AsyncConnection, staff_id: UUID) -> None:
    """No device is known to be theirs any more."""
    await conn.execute(delete(known_devices).where(known_devices.c.staff_id == staff_id))


async def forget_old(conn: AsyncConnection) -> None:
    """Drop what no longer matters to anybody: sessions that ran out, devices not seen for long."""
    await conn.execute(delete(sessions).where(sessions.c.expires_at < NOW - _KEEP))
    await conn.execute(delete(known_devices).where(known_devices.c.last_at < NOW - DEVICE))
