"""Looks of staff at personal data, as the services told of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.store.tables import looks, members
from shared.contracts.looks import Seen
from shared.db.case_numbers import holds_number
from shared.db.lists import Part, Sorting


async def add(conn: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Keep a look."""
    await conn.execute(insert(looks).values(row).on_conflict_do_nothing())


@dataclass(frozen=True)
class Wanted:
    """Which looks: of a case number's part, of a member's name or of the member, of a kind, only in others' cases."""

    number: str = ""
    name: str = ""
    by: UUID | None = None
    seen: Seen | None = None
    foreign: bool = False


SORTING = Sorting(
    {
        "at": looks.c.looked_at,
        "by": looks.c.by_name,
        "seen": looks.c.seen,
        "number": looks.c.case_number,
    },
    looks.c.look_id,
    "-at",
)


async def page(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Looks, newest first unless asked otherwise, and where the list goes on."""
    query = select(looks)
    if wanted.number:
        query = query.where(holds_number(looks.c.case_number, wanted.number))
    if wanted.name:
        query = query.where(looks.c.by_name.contains(wanted.name, autoescape=True))
    if wanted.by is not None:
        query = query.where(looks.c.by == wanted.by)
    if wanted.seen is not None:
        query = query.where(looks.c.seen == wanted.seen)
    if wanted.foreign:
        query = query.where(~looks.c.own)
    return await SORTING.part(conn, query, part)


async def people(conn: AsyncConnection) -> list[Row[Any]]:
    """Who may have looked: the members of staff, by name."""
    return list(await conn.execute(select(members).order_by(members.c.name, members.c.staff_id)))
