"""Queries on those who are given cases as the topic `staff` told of them, and on how many open cases each has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_intake.store.tables import cases, judges, presiding
from shared.powers import Power


@dataclass(frozen=True)
class Judge:
    """Somebody to whom cases are given. `powers`: those whose cases they handle; `open_cases` where it was asked."""

    staff_id: UUID
    court: str
    name: str
    phone: str
    department: str
    panel: str | None
    active: bool
    powers: list[str]
    open_cases: int = 0


def _as_judge(row: Row[Any]) -> Judge:
    return Judge(**row._mapping)  # noqa: SLF001 - SQLAlchemy's own name


async def lock_open_cases(conn: AsyncConnection, staff_id: UUID) -> list[UUID]:
    """The judge's open cases, locked until the transaction ends."""
    query = select(cases.c.id).where(cases.c.open, cases.c.judge_id == staff_id).order_by(cases.c.id)
    return list((await conn.execute(query.with_for_update())).scalars())


async def get_judge(conn: AsyncConnection, staff_id: UUID) -> Row[Any] | None:
    """The judge as known so far, also one who gets no further case, locked."""
    return (await conn.execute(select(judges).where(judges.c.staff_id == staff_id).with_for_update())).one_or_none()


async def put_judge(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """The judge as they now are."""
    statement = upsert(judges).values(values)
    await conn.execute(statement.on_conflict_do_update(index_elements=["staff_id"], set_=dict(values)))


async def retire_judge(conn: AsyncConnection, staff_id: UUID) -> None:
    """A member who handles no cases any more gets no further one."""
    await conn.execute(update(judges).where(judges.c.staff_id == staff_id).values(active=False))


async def lock_judges(conn: AsyncConnection, court: str, power: Power) -> list[Judge]:
    """Who may get a case of this power by the rule, locked: whoever counts their cases next waits for us."""
    able = (judges.c.court == court, judges.c.active, judges.c.panel.is_not(None), judges.c.powers.contains([power]))
    query = select(judges).where(*able).order_by(judges.c.staff_id).with_for_update()
    return [_as_judge(row) for row in await conn.execute(query)]


async def lock_judge(conn: AsyncConnection, court: str, staff_id: UUID) -> Judge | None:
    """One member at work who is given cases, of whatever power, locked."""
    able = (judges.c.court == court, judges.c.active, judges.c.staff_id == staff_id)
    row = (await conn.execute(select(judges).where(*able).with_for_update())).one_or_none()
    return None if row is None else _as_judge(row)


async def open_cases(conn: AsyncConnection) -> dict[UUID, int]:
    """Open cases by judge; judges without one are not in it."""
    query = select(cases.c.judge_id, func.count().label("number")).where(cases.c.open, cases.c.judge_id.is_not(None))
    return {row.judge_id: row.number for row in await conn.execute(query.group_by(cases.c.judge_id))}


async def list_judges(conn: AsyncConnection, court: str, power: Power) -> list[Judge]:
    """Who may get a case of this power, with the number of their open cases."""
    number = select(func.count()).where(cases.c.open, cases.c.judge_id == judges.c.staff_id).scalar_subquery()
    able = (judges.c.court == court, judges.c.active, judges.c.powers.contains([power]))
    query = select(judges, number.label("open_cases")).where(*able)
    return [_as_judge(row) for row in await conn.execute(query.order_by(judges.c.name, judges.c.staff_id))]


async def lock_waiting_case(conn: AsyncConnection, after: UUID | None) -> Row[Any] | None:
    """The oldest case beyond this one that waits for a judge by the rule, locked; what others hold is passed over."""
    query = select(cases).where(cases.c.awaits_rule).order_by(cases.c.id).limit(1)
    if after is not None:
        query = query.where(cases.c.id > after)
    return (await conn.execute(query.with_for_update(skip_locked=True))).one_or_none()


async def set_presiding(conn: AsyncConnection, staff_id: UUID, panel: str | None) -> None:
    """The member presides over this panel, or over none."""
    await conn.execute(delete(presiding).where(presiding.c.staff_id == staff_id))
    if panel is not None:
        await conn.execute(upsert(presiding).values(staff_id=staff_id, panel=panel))


async def presiding_over(conn: AsyncConnection, panel: str | None) -> frozenset[UUID]:
    """Who presides over this panel."""
    rows = await conn.execute(select(presiding.c.staff_id).where(presiding.c.panel == panel))
    return frozenset(rows.scalars())
