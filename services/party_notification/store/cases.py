"""The projection of cases and parties, as the notices need it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Text, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.addresses import DISOWNED_INDEXES
from services.party_notification.store.tables import cases, clocks, parties, periods, progress
from shared.contracts.cases import CaseAssigned, CaseFacts, Officer
from shared.contracts.stages import DeadlineSet, ProgressPublished
from shared.db.case_numbers import is_number
from shared.db.reach import Reach

_PARTY = select(parties, DISOWNED_INDEXES)


async def put_case(conn: AsyncConnection, case_id: UUID, court: str, facts: CaseFacts) -> None:
    """Insert the case, or bring its facts up to date."""
    values = {"court": court} | {name: value for name, value in facts if name in cases.c}
    row = insert(cases).values(case_id=case_id, **values)
    await conn.execute(row.on_conflict_do_update(index_elements=["case_id"], set_=values))


async def assign(conn: AsyncConnection, event: CaseAssigned) -> None:
    """Who handles the case now."""
    values = {
        "judge_id": event.judge.staff_id,
        "judge_name": event.judge.name,
        "judge_phone": event.judge.phone,
        "clerk_name": event.clerk_name,
        "panel": event.panel,
        "department": event.department,
        "assigned_at": event.assigned_at,
        **_handled_by(event.judge, event.clerk_name),
    }
    await conn.execute(update(cases).where(cases.c.case_id == event.case_id).values(values))


def _handled_by(judge: Officer, *others: str | None) -> dict[str, Any]:
    """These beside all who handled the case before."""
    now = [str(judge.staff_id), judge.name, *filter(None, others)]
    every = func.unnest(cases.c.handled_by + literal(now, ARRAY(Text))).column_valued("handler")
    return {"handled_by": func.array(select(every).distinct().scalar_subquery())}


async def close(conn: AsyncConnection, case_id: UUID, on: date) -> bool:
    """The case was closed on that day; False when it is not known."""
    done = await conn.execute(update(cases).where(cases.c.case_id == case_id).values(closed_on=on))
    return done.rowcount == 1


async def set_judge(conn: AsyncConnection, case_id: UUID, judge: Officer) -> None:
    """The judge's name and landline as they now are."""
    values = {"judge_id": judge.staff_id, "judge_name": judge.name, "judge_phone": judge.phone, **_handled_by(judge)}
    await conn.execute(update(cases).where(cases.c.case_id == case_id).values(values))


async def lock_case(conn: AsyncConnection, case_id: UUID) -> Row[Any] | None:
    """The case, its row locked, so that two causes never plan at the same moment."""
    query = select(cases).where(cases.c.case_id == case_id).with_for_update()
    return (await conn.execute(query)).one_or_none()


async def get_case(conn: AsyncConnection, case_id: UUID) -> Row[Any] | None:
    """The case."""
    return (await conn.execute(select(cases).where(cases.c.case_id == case_id))).one_or_none()


async def find_case(conn: AsyncConnection, number: str) -> Row[Any] | None:
    """The case with this number."""
    return (await conn.execute(select(cases).where(is_number(cases.c.case_number, number)))).one_or_none()


async def is_within(conn: AsyncConnection, case_id: UUID, reach: Reach | None) -> bool:
    """Whether the case is one of those that somebody reads."""
    if reach is None:
        return True
    query = select(cases.c.case_id).where(cases.c.case_id == case_id, reach.over(cases, "case_number"))
    return (await conn.execute(query)).one_or_none() is not None


async def briefs_of(conn: AsyncConnection, case_ids: Sequence[UUID]) -> dict[UUID, Row[Any, Any, Any]]:
    """The numbers of these cases, and since when their notices are recalled."""
    query = select(cases.c.case_id, cases.c.case_number, cases.c.recalled_at).where(cases.c.case_id.in_(case_ids))
    return {row.case_id: row for row in await conn.execute(query)}


@dataclass(frozen=True)
class NewParty:
    """A party as it is written down; the identity is sealed, and so is the query code."""

    party_id: UUID
    case_id: UUID
    role: str
    consents: bool
    address_confirmed_on: date | None
    minor: bool
    identity: str
    silent: bool
    hold_until: datetime | None
    added_at: datetime
    code: str
    door_due: bool
    contacts_due: bool = True


_FIXED = {"party_id", "case_id", "code", "silent", "added_at", "hold_until"}


async def put_parties(conn: AsyncConnection, new: Sequence[NewParty]) -> None:
    """Insert parties; of one that is there already, only the particulars change, never the query code."""
    if not new:
        return
    statement = insert(parties).values([vars(each) for each in new])
    changed = {name: statement.excluded[name] for name in NewParty.__dataclass_fields__ if name not in _FIXED}
    await conn.execute(statement.on_conflict_do_update(index_elements=["party_id"], set_=changed))


async def parties_of(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """All parties of a case, applicants first."""
    query = _PARTY.where(parties.c.case_id == case_id).order_by(parties.c.role, parties.c.party_id)
    return list(await conn.execute(query))


async def get_party(conn: AsyncConnection, party_id: UUID) -> Row[Any] | None:
    """One party."""
    return (await conn.execute(_PARTY.where(parties.c.party_id == party_id))).one_or_none()


async def lock_party(conn: AsyncConnection, party_id: UUID) -> Row[Any]:
    """One party that is there, its row locked."""
    query = _PARTY.where(parties.c.party_id == party_id).with_for_update(of=parties)
    row: Row[Any] = (await conn.execute(query)).one()
    return row


async def put_progress(conn: AsyncConnection, event: ProgressPublished, cause: UUID) -> None:
    """An entry of the timeline; `cause` is the event that told of it."""
    row = {
        "case_id": event.case_id,
        "entry": event.entry,
        "at": event.at,
        "title": event.title,
        "text": event.text,
        "audience": ",".join(event.audience),
        "not_before": event.not_before,
        "notify": event.notify,
        "cause": cause,
    }
    await conn.execute(insert(progress).values(row).on_conflict_do_nothing())


async def get_progress(conn: AsyncConnection, case_id: UUID, entry: int) -> Row[Any]:
    """One entry of the timeline."""
    query = select(progress).where(progress.c.case_id == case_id, progress.c.entry == entry)
    return (await conn.execute(query)).one()


async def progress_to_tell(conn: AsyncConnection, case_id: UUID, now: datetime) -> list[Row[Any]]:
    """Entries that are to be told, not only shown, and may be by now; oldest first."""
    query = select(progress).where(progress.c.case_id == case_id, progress.c.notify)
    query = query.where(func.coalesce(progress.c.not_before <= now, True))
    return list(await conn.execute(query.order_by(progress.c.entry)))


async def progress_of(conn: AsyncConnection, case_id: UUID, role: str, now: datetime) -> list[Row[Any]]:
    """What parties of this role may read by now, newest first."""
    query = select(progress).where(progress.c.case_id == case_id).order_by(progress.c.at.desc())
    query = query.where(func.coalesce(progress.c.not_before <= now, True))
    return [row for row in await conn.execute(query) if role in row.audience.split(",")]


async def next_telling(conn: AsyncConnection, case_id: UUID, now: datetime) -> datetime | None:
    """When the next entry that is to be told may be."""
    query = select(func.min(progress.c.not_before)).where(progress.c.case_id == case_id, progress.c.notify)
    at: datetime | None = (await conn.execute(query.where(progress.c.not_before > now))).scalar_one()
    return at


async def next_publishing(conn: AsyncConnection, case_id: UUID, now: datetime) -> datetime | None:
    """When the next entry may be shown."""
    query = select(func.min(progress.c.not_before)).where(progress.c.case_id == case_id, progress.c.not_before > now)
    at: datetime | None = (await conn.execute(query)).scalar_one()
    return at


async def put_period(conn: AsyncConnection, case_id: UUID, period: str, opened_on: date) -> None:
    """The case entered a period."""
    row = insert(periods).values(case_id=case_id, period=period, opened_on=opened_on)
    await conn.execute(row.on_conflict_do_nothing())


async def periods_of(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """The periods entered, in order."""
    return list(await conn.execute(select(periods).where(periods.c.case_id == case_id).order_by(periods.c.opened_on)))


async def put_clock(conn: AsyncConnection, event: DeadlineSet) -> None:
    """A deadline as it now runs."""
    values = {"version": event.version, "due_at": event.due_at, "provisional": event.provisional, "met_at": None}
    row = insert(clocks).values(case_id=event.case_id, kind=event.kind, **values)
    await conn.execute(row.on_conflict_do_update(index_elements=["case_id", "kind"], set_=values))


async def stop_clock(conn: AsyncConnection, case_id: UUID, kind: str, at: datetime) -> None:
    """What the clock waited for was done."""
    here = (clocks.c.case_id == case_id) & (clocks.c.kind == kind)
    await conn.execute(update(clocks).where(here).values(met_at=at))


async def drop_clock(conn: AsyncConnection, case_id: UUID, kind: str) -> None:
    """The clock does not run in this case."""
    await conn.execute(delete(clocks).where((clocks.c.case_id == case_id) & (clocks.c.kind == kind)))


async def clock_of(conn: AsyncConnection, case_id: UUID, kind: str) -> Row[Any] | None:
    """One of the case's deadlines."""
    here = (clocks.c.case_id == case_id) & (clocks.c.kind == kind)
    return (await conn.execute(select(clocks).where(here))).one_or_none()


async def clocks_of(conn: AsyncConnection, case_id: UUID) -> list[Row[Any]]:
    """The case's deadlines, the earliest first."""
    return list(await conn.execute(select(clocks).where(clocks.c.case_id == case_id).order_by(clocks.c.due_at)))
