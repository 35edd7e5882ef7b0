"""Queries on cases, their parties and the serials of their numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, and_, exists, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_intake.domain.filing import tells_somebody
from services.case_intake.store.tables import cases, judges, parties, serials
from shared.contracts.case_kinds import KINDS
from shared.contracts.cases import PartyRole
from shared.db.case_numbers import holds_number, is_number
from shared.db.lists import Part, Sorting
from shared.db.reach import Reach

Values = Mapping[str, Any]


async def next_serial(conn: AsyncConnection, court: str, kind: str, year: int) -> int:
    """Allot the next serial of a series; never twice. The series stays locked until the transaction ends."""
    return await _move(conn, {"court": court, "kind": kind, "year": year, "last": 1}, serials.c.last + 1)


async def last_serial(conn: AsyncConnection, court: str, kind: str, year: int) -> int:
    """The last serial of a series, 0 before the first. Locks as `next_serial`."""
    return await _move(conn, {"court": court, "kind": kind, "year": year, "last": 0}, serials.c.last)


async def use_serial(conn: AsyncConnection, court: str, kind: str, year: int, serial: int) -> None:
    """A number with this serial came from elsewhere: the series goes on behind it. Locks as `next_serial`."""
    values = {"court": court, "kind": kind, "year": year, "last": serial}
    await _move(conn, values, func.greatest(serials.c.last, serial))


async def last_serials(conn: AsyncConnection, court: str) -> dict[tuple[str, int], int]:
    """The last serial of every series, by kind and year."""
    rows = await conn.execute(select(serials).where(serials.c.court == court))
    return {(row.kind, row.year): row.last for row in rows}


async def is_on_file(conn: AsyncConnection, number: str) -> bool:
    """Whether a case has this number."""
    return bool((await conn.execute(select(exists().where(cases.c.case_number == number)))).scalar_one())


async def filed_alike(conn: AsyncConnection, basis: str, since: datetime) -> list[Row[Any]]:
    """Cases on the same basis, filed after `since`, newest first. Whoever files on this basis next waits for us."""
    lock = select(func.pg_advisory_xact_lock(func.hashtextextended(f"basis:{basis}", 0)))
    await conn.execute(lock)
    query = select(cases).where(cases.c.basis_document == basis, cases.c.registered_at > since)
    return list(await conn.execute(query.order_by(cases.c.registered_at.desc())))


async def _move(conn: AsyncConnection, values: Values, last: ColumnElement[int]) -> int:
    statement = upsert(serials).values(values)
    statement = statement.on_conflict_do_update(index_elements=["court", "kind", "year"], set_={"last": last})
    return int((await conn.execute(statement.returning(serials.c.last))).scalar_one())


async def insert_case(conn: AsyncConnection, values: Values) -> bool:
    """False when a case with this number is on file already."""
    statement = upsert(cases).values(values).on_conflict_do_nothing(index_elements=["case_number"])
    return (await conn.execute(statement.returning(cases.c.id))).one_or_none() is not None


async def change_case(conn: AsyncConnection, case_id: UUID, values: Values) -> None:
    """Set columns of a case that the transaction has locked."""
    await conn.execute(update(cases).where(cases.c.id == case_id).values(values))


async def is_within(conn: AsyncConnection, case_id: UUID, reach: Reach) -> bool:
    """Whether the case is one of those whose inside somebody reads."""
    query = select(cases.c.id).where(cases.c.id == case_id, reach.over(cases, "case_number"))
    return (await conn.execute(query)).one_or_none() is not None


def handled_also_by(judge_id: UUID) -> ColumnElement[list[UUID]]:
    """All who ever were a case's judge, with this one."""
    return func.array_append(func.array_remove(cases.c.handled_by, judge_id), judge_id)


async def belonging_to(conn: AsyncConnection, number: str) -> list[Row[Any]]:
    """The cases whose main case has this number, newest first."""
    query = select(cases.c.id, cases.c.case_number).where(is_number(cases.c.main_case, number))
    return list(await conn.execute(query.order_by(cases.c.filed_on.desc(), cases.c.case_number).limit(50)))


async def lock_case(conn: AsyncConnection, here: UUID | str) -> Row[Any] | None:
    """The case by id or by number, locked until the transaction ends."""
    return (await conn.execute(select(cases).where(_is(here)).with_for_update())).one_or_none()


async def find_case(conn: AsyncConnection, here: UUID | str) -> Row[Any] | None:
    """The case by id or by number, with its judge's name and phone."""
    return (await conn.execute(_with_judge().where(_is(here)))).one_or_none()


def _with_judge() -> Any:
    judge = (judges.c.name.label("judge_name"), judges.c.phone.label("judge_phone"))
    return select(cases, *judge).outerjoin(judges, judges.c.staff_id == cases.c.judge_id)


def _is(here: UUID | str) -> ColumnElement[bool]:
    return cases.c.id == here if isinstance(here, UUID) else is_number(cases.c.case_number, here)


async def insert_parties(conn: AsyncConnection, case_id: UUID, rows: Sequence[Values]) -> None:
    """Add parties to a case that the transaction has locked or made."""
    await conn.execute(insert(parties), [{**row, "case_id": case_id} for row in rows])
    present = {f"has_{row['role']}": True for row in rows}
    await change_case(conn, case_id, present)


async def change_party(conn: AsyncConnection, party_id: UUID, values: Values) -> None:
    """Set columns of a party."""
    await conn.execute(update(parties).where(parties.c.id == party_id).values(values))


async def find_party(conn: AsyncConnection, party_id: UUID) -> Row[Any] | None:
    """One party, its row locked."""
    return (await conn.execute(select(parties).where(parties.c.id == party_id).with_for_update())).one_or_none()


async def parties_of(conn: AsyncConnection, case_ids: Sequence[UUID], *, misfiled: bool = False) -> list[Row[Any]]:
    """The parties of some cases: applicants first, then in the order in which they were registered.

    Those who were registered by mistake count no more; they are given only when asked for, among the others.
    """
    query = select(parties).where(parties.c.case_id.in_(case_ids))
    query = query.order_by(parties.c.case_id, parties.c.role, parties.c.id)
    return list(await conn.execute(query if misfiled else query.where(parties.c.misfiled_at.is_(None))))


async def cases_numbered(conn: AsyncConnection, numbers: Sequence[str]) -> list[Row[Any]]:
    """The cases on file among some numbers."""
    return list(await conn.execute(select(cases).where(cases.c.case_number.in_(numbers))))


@dataclass(frozen=True)
class Wanted:
    """What a list of cases shows. `number`: the beginning of the case number, or a part of it."""

    number: str = ""
    state: str = ""


SORTING = Sorting(
    {
        "number": cases.c.case_number,
        "cause": cases.c.cause,
        "amount": cases.c.claim_amount,
        "judge": judges.c.name.label("judge_name"),
        "filed": cases.c.filed_on,
    },
    cases.c.id,
    "-filed",
)


async def list_cases(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Cases, newest filing first unless asked otherwise, and where the list goes on."""
    query = _with_judge()
    if wanted.number:
        query = query.where(holds_number(cases.c.case_number, wanted.number))
    if wanted.state:
        query = query.where(_STATES[wanted.state])
    return await SORTING.part(conn, query, part)


_QUIET = "|".join(kind.type for kind in KINDS.values() if not tells_somebody(kind))
_TELLS = ~cases.c.case_number.regexp_match(f"({_QUIET})(字第)?[0-9]+号$")
_STATES: dict[str, ColumnElement[bool]] = {
    "incomplete": and_(_TELLS, or_(~cases.c.has_applicant, ~cases.c.has_respondent)),
    "unassigned": and_(cases.c.open, cases.c.judge_id.is_(None)),
    "assigned": and_(cases.c.open, cases.c.judge_id.is_not(None)),
    "closed": and_(~cases.c.open, ~cases.c.archived),
    "archived": cases.c.archived.is_(True),
}


async def count_states(conn: AsyncConnection) -> dict[str, int]:
    """How many cases are in each state that a list can show."""
    columns = [func.count().filter(where).label(state) for state, where in _STATES.items()]
    row = (await conn.execute(select(*columns).select_from(cases))).one()
    return {state: int(getattr(row, state)) for state in _STATES}


def roles_of(row: Row[Any]) -> set[PartyRole]:
    """The roles that the case has somebody for."""
    present = {PartyRole.APPLICANT: row.has_applicant, PartyRole.RESPONDENT: row.has_respondent}
    return {role for role, there in present.items() if there}
