"""Queries on uploaded files that nobody has confirmed yet."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_intake.store.tables import import_drafts, imports


async def insert_draft(conn: AsyncConnection, values: Mapping[str, Any]) -> None:
    """Keep a file."""
    await conn.execute(insert(import_drafts), [values])


async def find_draft(conn: AsyncConnection, draft_id: UUID, since: datetime) -> Row[Any] | None:
    """A file that came after `since`; not one that an older build kept unread, of which there is none after an hour."""
    columns = import_drafts.c
    here = (columns.id == draft_id, columns.received_at > since, columns.table_read.is_not(None))
    return (await conn.execute(select(import_drafts).where(*here))).one_or_none()


async def open_drafts(conn: AsyncConnection, since: datetime) -> list[Row[Any]]:
    """The files that came after `since`, without their content, newest first."""
    of_draft = (column for column in import_drafts.c if column.name not in {"file", "table_read"})
    query = select(*of_draft).where(import_drafts.c.received_at > since)
    return list(await conn.execute(query.order_by(import_drafts.c.received_at.desc(), import_drafts.c.id.desc())))


async def put_mends(conn: AsyncConnection, row: Row[Any], mends: str) -> bool:
    """Keep the corrections; False when others were made since `row` was read."""
    statement = update(import_drafts).where(*_as_read(row)).values(mends=mends)
    return (await conn.execute(statement)).rowcount == 1


async def take_draft(conn: AsyncConnection, row: Row[Any]) -> bool:
    """Drop the draft because it is filed now; False when it is gone, or was corrected since `row` was read."""
    return (await conn.execute(delete(import_drafts).where(*_as_read(row)))).rowcount == 1


def _as_read(row: Row[Any]) -> tuple[Any, ...]:
    return import_drafts.c.id == row.id, import_drafts.c.mends.is_not_distinct_from(row.mends)


async def drop_draft(conn: AsyncConnection, draft_id: UUID) -> None:
    """Drop a file that is not wanted."""
    await conn.execute(delete(import_drafts).where(import_drafts.c.id == draft_id))


async def drop_drafts(conn: AsyncConnection, until: datetime) -> None:
    """Drop the files that came before."""
    await conn.execute(delete(import_drafts).where(import_drafts.c.received_at <= until))


async def is_import(conn: AsyncConnection, import_id: UUID) -> bool:
    """Whether a draft has become an import; it keeps its id."""
    return (await conn.execute(select(imports.c.id).where(imports.c.id == import_id))).one_or_none() is not None
