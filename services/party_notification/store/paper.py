"""The paper worklist: letters that a clerk prints, posts or hands over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Row, Select, Text, Uuid, func, insert, literal, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.addresses import DISOWNED_INDEXES
from services.party_notification.store.tables import cases, notices, paper, paper_notices, parties
from shared.db.arrays import Columns, arrays, unnested
from shared.db.case_numbers import holds_number
from shared.db.lists import Part, Sorting


@dataclass(frozen=True)
class Entry:
    """Letters for one party, for one cause.

    A notice maps to the sealed letter that is true to paper, or to None where its own letter is.
    """

    paper_id: UUID
    case_id: UUID
    party_id: UUID
    cause: UUID
    reason: str
    created_at: datetime
    letters: Mapping[UUID, str | None]


_ENTRY: Columns = {
    **dict.fromkeys(("paper_id", "case_id", "party_id", "cause"), Uuid),
    "reason": Text,
    "created_at": DateTime(timezone=True),
}
_LETTER: Columns = {"paper_id": Uuid, "notice_id": Uuid, "letter": Text}
_ADD = (
    upsert(paper)
    .from_select([*_ENTRY, "state"], select(unnested(_ENTRY), literal("to_print")))
    .on_conflict_do_nothing()
    .returning(paper.c.paper_id)
)
_ADD_LETTERS = insert(paper_notices).from_select(list(_LETTER), select(unnested(_LETTER)))


async def add(conn: AsyncConnection, entries: Sequence[Entry]) -> None:
    """Put letters on the paper worklist; what is on it already stays as it is."""
    if not entries:
        return
    new = set((await conn.execute(_ADD, arrays(_ENTRY, [vars(entry) for entry in entries]))).scalars())
    rows = [
        {"paper_id": entry.paper_id, "notice_id": notice_id, "letter": letter}
        for entry in entries
        if entry.paper_id in new
        for notice_id, letter in entry.letters.items()
    ]
    await conn.execute(_ADD_LETTERS, arrays(_LETTER, rows))


@dataclass(frozen=True)
class Wanted:
    """Which entries: a state (or None for all), a part of the case number or a tracking number."""

    state: str | None = None
    text: str = ""


SORTING = Sorting(
    {
        "created": paper.c.created_at,
        "number": cases.c.case_number,
        "role": parties.c.role,
        "posted": paper.c.posted_at,
        "served": paper.c.served_on,
    },
    paper.c.paper_id,
    "created",
)


async def listed(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """The worklist, oldest first unless asked otherwise, with case number and the party's sealed identity."""
    query = _with_party()
    if wanted.state is not None:
        query = query.where(paper.c.state == wanted.state)
    if wanted.text:
        number = holds_number(cases.c.case_number, wanted.text)
        query = query.where(number | (paper.c.tracking == wanted.text))
    return await SORTING.part(conn, query, part)


def _with_party() -> Select[Any]:
    identity = (parties.c.identity, parties.c.minor, parties.c.role)
    columns = (
        *identity,
        parties.c.consents,
        parties.c.address_confirmed_on,
        parties.c.disowned,
        DISOWNED_INDEXES,
        parties.c.misfiled_at,
    )
    handlers = (cases.c.judge_id, cases.c.judge_name, cases.c.clerk_name, cases.c.handled_by)
    query = select(paper, cases.c.case_number, cases.c.recalled_at, *handlers, *columns)
    query = query.join(cases, cases.c.case_id == paper.c.case_id)
    return query.join(parties, parties.c.party_id == paper.c.party_id)


async def counts(conn: AsyncConnection) -> dict[str, int]:
    """How many entries are in each state."""
    query = select(paper.c.state, func.count().label("entries")).group_by(paper.c.state)
    return {row.state: row.entries for row in await conn.execute(query)}


async def lock(conn: AsyncConnection, paper_id: UUID) -> Row[Any] | None:
    """One entry of the worklist, locked."""
    return (await conn.execute(select(paper).where(paper.c.paper_id == paper_id).with_for_update())).one_or_none()


async def remark(conn: AsyncConnection, party_id: UUID, cause: UUID, sealed: str) -> None:
    """Why an entry is on the worklist, in somebody's own words, sealed."""
    here = (paper.c.party_id == party_id) & (paper.c.cause == cause)
    await conn.execute(update(paper).where(here).values(remark=sealed))


async def change(conn: AsyncConnection, paper_id: UUID, values: dict[str, Any]) -> None:
    """Move an entry of the worklist on."""
    await conn.execute(update(paper).where(paper.c.paper_id == paper_id).values(values))


async def notices_on(conn: AsyncConnection, paper_id: UUID) -> list[Row[Any]]:
    """The notices of an entry of the worklist, each with the letter written anew for paper, if there is one."""
    query = select(notices, paper_notices.c.letter.label("paper_letter"))
    query = query.join(paper_notices, paper_notices.c.notice_id == notices.c.notice_id)
    return list(await conn.execute(query.where(paper_notices.c.paper_id == paper_id).order_by(notices.c.notice_id)))


async def of_notice(conn: AsyncConnection, notice_id: UUID) -> list[Row[Any]]:
    """The paper deliveries of a notice."""
    query = select(paper).join(paper_notices, paper_notices.c.paper_id == paper.c.paper_id)
    return list(await conn.execute(query.where(paper_notices.c.notice_id == notice_id)))


async def letters_of(conn: AsyncConnection, paper_ids: Sequence[UUID]) -> list[Row[Any]]:
    """The notices of these entries with why they count for nothing, in the order of writing."""
    columns = (notices.c.notice_id, notices.c.kind, notices.c.number, notices.c.state, notices.c.served_because)
    query = select(paper_notices.c.paper_id, *columns)
    query = query.join(notices, notices.c.notice_id == paper_notices.c.notice_id)
    return list(await conn.execute(query.where(paper_notices.c.paper_id.in_(paper_ids)).order_by(notices.c.notice_id)))


async def states_of(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> dict[UUID, str]:
    """How far the letters of these notices are on the worklist; of several entries the latest."""
    query = select(paper_notices.c.notice_id, paper.c.state).join(paper, paper.c.paper_id == paper_notices.c.paper_id)
    query = query.where(paper_notices.c.notice_id.in_(notice_ids)).order_by(paper.c.created_at)
    return {row.notice_id: row.state for row in await conn.execute(query)}


async def with_the_post(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> list[Row[Any]]:
    """Which of these notices the post has, and since when, neither handed over nor returned yet."""
    query = select(paper_notices.c.notice_id, func.min(paper.c.posted_at).label("posted_at"))
    query = query.join(paper, paper.c.paper_id == paper_notices.c.paper_id)
    query = query.where(paper_notices.c.notice_id.in_(notice_ids), paper.c.state == "posted")
    return list(await conn.execute(query.group_by(paper_notices.c.notice_id).order_by(paper_notices.c.notice_id)))


async def days_of(conn: AsyncConnection, notice_ids: Sequence[UUID]) -> list[Row[Any]]:
    """The days on which letters with these notices were handed over."""
    query = select(paper_notices.c.notice_id, paper.c.served_on)
    query = query.join(paper, paper.c.paper_id == paper_notices.c.paper_id)
    return list(
        await conn.execute(query.where(paper_notices.c.notice_id.in_(notice_ids), paper.c.served_on.is_not(None)))
    )
