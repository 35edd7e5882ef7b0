"""Sign-ins taken back: every service's own projection of what the staff service tells, for as long as it matters."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.staff import AccessRevoked
from shared.db.portions import PORTION, delete_in_portions
from shared.db.tables import revocations
from shared.db.transaction import Database

KEPT = timedelta(days=1)
"""No token lives that long."""
_NEVER = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Revoked:
    """What is taken back: of whom all that is older than an instant, and single sessions."""

    members: dict[UUID, datetime] = field(default_factory=dict)
    sessions: frozenset[UUID] = frozenset()

    def covers(self, staff_id: UUID, session: UUID | None, born: datetime) -> bool:
        """Whether what a member was given then, in that session, is taken back."""
        return session in self.sessions or born < self.members.get(staff_id, _NEVER)


async def instant(conn: AsyncConnection) -> datetime:
    """The database's clock now: of all processes one, by which tokens are older or younger than what took them back."""
    now: datetime = (await conn.execute(select(func.clock_timestamp()))).scalar_one()
    return now


async def note(conn: AsyncConnection, event: AccessRevoked) -> None:
    """Keep what was taken back."""
    await conn.execute(upsert(revocations).values(event.model_dump()).on_conflict_do_nothing())


async def standing(db: Database) -> Revoked:
    """All that is taken back and could still be shown to somebody."""
    async with db.read() as conn:
        return await taken_back(conn)


async def taken_back(conn: AsyncConnection) -> Revoked:
    """The same, as this transaction sees it."""
    columns = revocations.c.staff_id, revocations.c.session, revocations.c.not_before
    recent = revocations.c.not_before > func.now() - KEPT
    rows = (await conn.execute(select(*columns).where(recent).order_by(revocations.c.not_before))).all()
    members = {row.staff_id: row.not_before for row in rows if row.session is None}
    return Revoked(members, frozenset(row.session for row in rows if row.session is not None))


async def forget(db: Database) -> None:
    """Delete what no token is old enough for."""
    old = select(revocations.c.revocation_id).where(revocations.c.not_before < func.now() - KEPT).limit(PORTION)
    await delete_in_portions(db, delete(revocations).where(revocations.c.revocation_id.in_(old)))
