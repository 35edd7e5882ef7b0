"""Periods and milestones."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.domain.stages import Plan
from services.stage_tracking.store.rows import PlannedMilestone, as_milestone
from services.stage_tracking.store.tables import LEDGER, milestones, periods
from shared.contracts.stages import Milestone, Period
from shared.ledger.chain import Entry


async def open_period(conn: AsyncConnection, case_id: UUID, period: Period, on: date) -> None:
    """Close the period that is open, and open this one."""
    here = (periods.c.case_id == case_id) & periods.c.closed_on.is_(None)
    await conn.execute(update(periods).where(here).values(closed_on=on))
    await conn.execute(insert(periods).values(case_id=case_id, period=period, opened_on=on))


async def periods_of(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """The periods that a case has entered, in order."""
    rows = list(await conn.execute(select(periods).where(periods.c.case_id == case_id)))
    return sorted(rows, key=lambda row: list(Period).index(Period(row.period)))


async def plan(
    conn: AsyncConnection, case_id: UUID, planned: Mapping[Milestone, Plan], owners: Mapping[Milestone, str]
) -> None:
    """Note when each milestone is planned; one that was reached keeps its plan."""
    rows = [
        {
            "case_id": case_id,
            "milestone": milestone,
            "owner_role": owners[milestone],
            "planned_on": plan.on,
            "provisional": plan.provisional,
        }
        for milestone, plan in planned.items()
    ]
    row = upsert(milestones)
    changed = {name: row.excluded[name] for name in ("planned_on", "provisional")}
    unreached = milestones.c.actual_on.is_(None)
    await conn.execute(
        row.on_conflict_do_update(index_elements=["case_id", "milestone"], set_=changed, where=unreached), rows
    )


async def reach(conn: AsyncConnection, case_id: UUID, milestone: Milestone, on: date) -> bool:
    """The milestone was reached on a day; False when it had been before."""
    here = (milestones.c.case_id == case_id) & (milestones.c.milestone == milestone)
    done = await conn.execute(update(milestones).where(here, milestones.c.actual_on.is_(None)).values(actual_on=on))
    return done.rowcount == 1


async def set_service(conn: AsyncConnection, case_id: UUID, on: date | None) -> None:
    """Service was reached by the notices on that day, or is not."""
    here = (milestones.c.case_id == case_id) & (milestones.c.milestone == Milestone.SERVICE)
    values = {"actual_on": on, "by_notices": on is not None}
    await conn.execute(update(milestones).where(here).values(values))


async def milestone(conn: AsyncConnection, case_id: UUID, which: Milestone) -> PlannedMilestone | None:
    """One of the case's milestones; None when a case of its kind has none."""
    here = (milestones.c.case_id == case_id) & (milestones.c.milestone == which)
    row = (await conn.execute(select(milestones).where(here))).one_or_none()
    return None if row is None else as_milestone(row)


async def milestones_of(conn: AsyncConnection, case_ids: Sequence[UUID]) -> dict[UUID, list[PlannedMilestone]]:
    """The milestones of each case, in order."""
    order = {milestone: index for index, milestone in enumerate(Milestone)}
    found: dict[UUID, list[PlannedMilestone]] = {case_id: [] for case_id in case_ids}
    rows = await conn.execute(select(milestones).where(milestones.c.case_id.in_(case_ids)))
    for row in sorted(map(as_milestone, rows), key=lambda row: order[row.milestone]):
        found[row.case_id].append(row)
    return found


async def newest_entries(conn: AsyncConnection, case_id: UUID, kinds: Sequence[str], limit: int) -> list[Entry]:
    """The newest log entries of some kinds, newest first."""
    columns = LEDGER.entries.c
    here = (columns.chain_id == str(case_id)) & columns.kind.in_(kinds)
    rows = await conn.execute(select(LEDGER.entries).where(here).order_by(columns.position.desc()).limit(limit))
    return [Entry(r.chain_id, r.position, r.at, r.kind, r.body, r.previous, r.digest) for r in rows]
