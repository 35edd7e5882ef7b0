"""Queries of the one search: by keyed hashes of what identifies a party, and by the case number."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Row, bindparam, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_intake.store.tables import cases, judges, parties
from shared.db.case_numbers import holds_number


@dataclass(frozen=True)
class Hashes:
    """The keyed hashes that are looked for, by column of the parties; and a part of the case number."""

    number: str
    columns: dict[str, Sequence[str]]


async def found(conn: AsyncConnection, wanted: Hashes, limit: int) -> list[Row[Any]]:
    """The newest cases that fit, each with its judge's name."""
    which = [select(parties.c.case_id).where(_is(column, values)) for column, values in wanted.columns.items()]
    if wanted.number:
        which.append(select(cases.c.id).where(holds_number(cases.c.case_number, wanted.number)))
    query = select(cases, judges.c.name.label("judge_name")).outerjoin(judges, judges.c.staff_id == cases.c.judge_id)
    query = query.where(cases.c.id.in_(union(*which)))
    return list(await conn.execute(query.order_by(cases.c.filed_on.desc(), cases.c.id.desc()).limit(limit)))


def _is(column: str, values: Sequence[str]) -> ColumnElement[bool]:
    return parties.c[column].in_(values) & parties.c.misfiled_at.is_(None)


async def without_name_index(conn: AsyncConnection, limit: int) -> list[Row[Any]]:
    """Parties registered before names could be searched; those that others hold are passed over."""
    query = select(parties).where(parties.c.name_index.is_(None)).order_by(parties.c.id).limit(limit)
    return list(await conn.execute(query.with_for_update(skip_locked=True)))


async def set_name_indexes(conn: AsyncConnection, indexes: Sequence[tuple[UUID, str]]) -> None:
    """Write the keyed hashes of names."""
    statement = update(parties).where(parties.c.id == bindparam("party")).values(name_index=bindparam("index"))
    await conn.execute(statement, [{"party": party, "index": index} for party, index in indexes])
