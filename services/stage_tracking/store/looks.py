"""Looks of staff at personal data, as the services told of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.store.tables import looks
from shared.contracts.looks import Seen
from shared.db.case_numbers import holds_number


async def add(conn: AsyncConnection, row: Mapping[str, Any]) -> None:
    """Keep a look."""
    await conn.execute(insert(looks).values(row).on_conflict_do_nothing())


@dataclass(frozen=True)
class Wanted:
    """Which looks: of a case number's part, of a member's name, of a kind, only in others' cases; beyond a cursor."""

    number: str = ""
    name: str = ""
    seen: Seen | None = None
    foreign: bool = False
    after: tuple[datetime, UUID] | None = None


async def page(conn: AsyncConnection, wanted: Wanted, limit: int) -> list[Row[Any]]:
    """Looks, newest first."""
    query = select(looks)
    if wanted.number:
        query = query.where(holds_number(looks.c.case_number, wanted.number))
    if wanted.name:
        query = query.where(looks.c.by_name.contains(wanted.name, autoescape=True))
    if wanted.seen is not None:
        query = query.where(looks.c.seen == wanted.seen)
    if wanted.foreign:
        query = query.where(~looks.c.own)
    if wanted.after is not None:
        query = query.where(tuple_(looks.c.looked_at, looks.c.look_id) < wanted.after)
    return list(await conn.execute(query.order_by(looks.c.looked_at.desc(), looks.c.look_id.desc()).limit(limit)))
