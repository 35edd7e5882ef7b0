"""Second factors: secrets that telephones share, sealed, and what is kept of recovery codes."""

from collections.abc import Collection
from dataclasses import fields
from uuid import UUID

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain.factor import ENROLMENT, Factor
from services.staff.store.tables import NOW, enrolment_codes, factors, recovery_codes

_FACTOR = select(*(factors.c[field.name] for field in fields(Factor)))


async def of(conn: AsyncConnection, staff_id: UUID) -> Factor | None:
    """A member's, if they have one."""
    row = (await conn.execute(_FACTOR.where(factors.c.staff_id == staff_id))).one_or_none()
    return None if row is None else Factor(*row)


async def locked(conn: AsyncConnection, staff_id: UUID) -> Factor | None:
    """The same, held until the transaction ends: of two that give one code at once, the second finds it taken."""
    row = (await conn.execute(_FACTOR.where(factors.c.staff_id == staff_id).with_for_update())).one_or_none()
    return None if row is None else Factor(*row)


async def having(conn: AsyncConnection, staff_ids: Collection[UUID]) -> set[UUID]:
    """Which of these members have one."""
    query = select(factors.c.staff_id).where(factors.c.staff_id.in_(staff_ids))
    return set((await conn.execute(query)).scalars())


async def put(conn: AsyncConnection, staff_id: UUID, secret: str, step: int) -> None:
    """Give a member one, in place of what they had, with no recovery codes yet."""
    values = {"secret": secret, "last_step": step, "enrolled_at": NOW}
    statement = upsert(factors).values(staff_id=staff_id, **values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=values))
    await conn.execute(delete(recovery_codes).where(recovery_codes.c.staff_id == staff_id))


async def advance(conn: AsyncConnection, staff_id: UUID, step: int) -> None:
    """A code of this step was given: neither it nor an older one is good again."""
    await conn.execute(update(factors).where(factors.c.staff_id == staff_id).values(last_step=step))


async def drop(conn: AsyncConnection, staff_id: UUID) -> bool:
    """Take it away with its recovery codes; False when there was none."""
    return (await conn.execute(delete(factors).where(factors.c.staff_id == staff_id))).rowcount > 0


async def put_recovery(conn: AsyncConnection, staff_id: UUID, marks: Collection[bytes]) -> None:
    """Keep what is kept of recovery codes."""
    await conn.execute(insert(recovery_codes), [{"staff_id": staff_id, "mark": mark} for mark in marks])


async def use_recovery(conn: AsyncConnection, staff_id: UUID, mark: bytes) -> bool:
    """Use a recovery code up; False when there is no such one, or no longer."""
    here = (recovery_codes.c.staff_id == staff_id) & (recovery_codes.c.mark == mark)
    return (await conn.execute(delete(recovery_codes).where(here))).rowcount > 0


async def recovery_left(conn: AsyncConnection, staff_id: UUID) -> int:
    """How many recovery codes are not used up."""
    query = select(func.count()).where(recovery_codes.c.staff_id == staff_id)
    left: int = (await conn.execute(query)).scalar_one()
    return left


async def put_enrolment(conn: AsyncConnection, staff_id: UUID, mark: bytes) -> None:
    """Keep what is kept of a code for the first enrolment; one that was handed out before is good no more."""
    statement = upsert(enrolment_codes).values(staff_id=staff_id, mark=mark)
    await conn.execute(
        statement.on_conflict_do_update(index_elements=["staff_id"], set_={"mark": mark, "made_at": NOW})
    )


async def use_enrolment(conn: AsyncConnection, staff_id: UUID, mark: bytes) -> bool:
    """Use such a code up; False when there is none like it, or it is too old."""
    here = (enrolment_codes.c.staff_id == staff_id) & (enrolment_codes.c.mark == mark)
    fresh = enrolment_codes.c.made_at > NOW - ENROLMENT
    return (await conn.execute(delete(enrolment_codes).where(here, fresh))).rowcount > 0
