"""The projection of cases and their parties; the case's row is the lock that every act takes first."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.store.rows import Case, as_case
from services.stage_tracking.store.tables import case_powers, cases, parties
from shared.contracts.case_number import reference
from shared.contracts.cases import PartyFacts, PartyRole
from shared.db.case_numbers import is_number
from shared.db.reach import Reach
from shared.errors import Conflict
from shared.powers import Power

_LOCK = select(cases).where(cases.c.case_id == bindparam("case_id")).with_for_update()


async def put(conn: AsyncConnection, row: dict[str, Any]) -> None:
    """A new case."""
    await conn.execute(insert(cases).values(row))


async def change(conn: AsyncConnection, case_id: UUID, **values: Any) -> None:
    """Bring some columns up to date."""
    await conn.execute(update(cases).where(cases.c.case_id == case_id).values(values))


async def lock(conn: AsyncConnection, case_id: UUID) -> Case | None:
    """The case, its row locked until the transaction ends."""
    row = (await conn.execute(_LOCK, {"case_id": case_id})).one_or_none()
    return None if row is None else as_case(row)


async def lock_not_asked(conn: AsyncConnection, limit: int) -> list[Case]:
    """Cases whose missing facts nobody was asked for yet, and never will be again: locked."""
    here = select(cases.c.case_id).where(~cases.c.facts_asked).order_by(cases.c.case_id).limit(limit)
    mine = cases.c.case_id.in_(here.with_for_update(skip_locked=True))
    found = await conn.execute(update(cases).where(mine).values(facts_asked=True).returning(cases))
    return sorted(map(as_case, found), key=lambda case: case.case_id)


async def find(conn: AsyncConnection, key: str) -> Case | None:
    """The case with this id or number; brackets of either width find it."""
    here = reference(key)
    found = cases.c.case_id == here if isinstance(here, UUID) else is_number(cases.c.number, here)
    query = select(cases).where(found).order_by(cases.c.filed_on.desc()).limit(1)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else as_case(row)


async def is_within(conn: AsyncConnection, case_id: UUID, reach: Reach | None) -> bool:
    """Whether the case is one of those that somebody reads."""
    if reach is None:
        return True
    query = select(cases.c.case_id).where(cases.c.case_id == case_id, reach.over(cases, "number"))
    return (await conn.execute(query)).one_or_none() is not None


async def belonging_to(conn: AsyncConnection, number: str) -> list[Case]:
    """The cases whose main case has this number, newest first."""
    query = select(cases).where(is_number(cases.c.main_case, number))
    query = query.order_by(cases.c.filed_on.desc(), cases.c.number).limit(50)
    return [as_case(row) for row in await conn.execute(query)]


async def put_parties(conn: AsyncConnection, case_id: UUID, found: Sequence[PartyFacts]) -> None:
    """Parties, or their roles brought up to date."""
    if not found:
        return
    row = upsert(parties).values([{"party_id": each.party_id, "case_id": case_id, "role": each.role} for each in found])
    await conn.execute(row.on_conflict_do_update(index_elements=["party_id"], set_={"role": row.excluded.role}))


async def parties_of(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """The parties of a case, without those filed by mistake."""
    here = (parties.c.case_id == case_id) & parties.c.misfiled_at.is_(None)
    return list(await conn.execute(select(parties).where(here)))


async def set_misfiled(conn: AsyncConnection, party_id: UUID, at: datetime) -> Row[Any] | None:
    """The party never belonged to the case: its row; None when it is not known, or was known to be so."""
    here = (parties.c.party_id == party_id) & parties.c.misfiled_at.is_(None)
    changed = update(parties).where(here).values(misfiled_at=at).returning(parties)
    row: Row[Any] | None = (await conn.execute(changed)).one_or_none()
    return row


async def role_of(conn: AsyncConnection, party_id: UUID) -> str | None:
    """On which side the party stands; None when it is not known."""
    query = select(parties.c.role).where(parties.c.party_id == party_id)
    role: str | None = (await conn.execute(query)).scalar_one_or_none()
    return role


async def is_misfiled(conn: AsyncConnection, party_id: UUID) -> bool:
    """Whether the party was filed by mistake."""
    query = select(parties.c.misfiled_at).where(parties.c.party_id == party_id)
    return (await conn.execute(query)).scalar_one_or_none() is not None


def respondents(rows: list[Row[Any]]) -> list[Row[Any]]:
    """Those on whom execution notices are served."""
    return [row for row in rows if row.role == PartyRole.RESPONDENT]


async def hold_power(conn: AsyncConnection, case: Case, staff_id: UUID, power: Power, at: datetime) -> None:
    """Note that they exercise this power in a case.

    Raises Conflict when they hold another one there, in its main case or in one that belongs to it.
    """
    near = (cases.c.case_id == case.case_id) | is_number(cases.c.main_case, case.number)
    if case.main_case is not None:
        near |= is_number(cases.c.number, case.main_case)
    held = select(case_powers.c.power).join(cases, cases.c.case_id == case_powers.c.case_id)
    other = held.where(case_powers.c.staff_id == staff_id, case_powers.c.power != power, near).limit(1)
    if (await conn.execute(other)).one_or_none() is not None:
        reason = "同一人员在同一执行案件及其异议、复议等案件中，不得兼有执行实施、执行裁决、财产变现中的两项权力。"
        raise Conflict("power_held", reason)
    row = upsert(case_powers).values(case_id=case.case_id, staff_id=staff_id, power=power, since=at)
    await conn.execute(row.on_conflict_do_nothing())
