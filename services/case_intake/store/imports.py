"""Queries on imported files, their groups of rows and the faults found."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_intake.store.tables import import_faults, import_groups, imports

Values = Mapping[str, Any]


async def insert_import(conn: AsyncConnection, values: Values, groups: Sequence[Values]) -> None:
    """Keep a file and its groups."""
    await conn.execute(insert(imports), [values])
    await conn.execute(insert(import_groups), [{**group, "import_id": values["id"]} for group in groups])


async def open_imports(conn: AsyncConnection) -> list[Row[Any]]:
    """Files that are not worked through, oldest first."""
    columns = (imports.c.id, imports.c.silent, imports.c.assign, imports.c.received_by)
    return list(await conn.execute(select(*columns).where(imports.c.done_at.is_(None)).order_by(imports.c.id)))


async def claim_group(conn: AsyncConnection, import_id: UUID) -> Row[Any] | None:
    """The next group that nobody works at, locked until the transaction ends."""
    to_do = (import_groups.c.import_id == import_id, import_groups.c.outcome.is_(None))
    query = select(import_groups).where(*to_do).order_by(import_groups.c.position).limit(1)
    return (await conn.execute(query.with_for_update(skip_locked=True))).one_or_none()


async def finish_group(conn: AsyncConnection, group: Row[Any], outcome: str, faults: Sequence[Values]) -> None:
    """What became of a group, in the transaction that did it."""
    here = (import_groups.c.import_id == group.import_id, import_groups.c.position == group.position)
    await conn.execute(update(import_groups).where(*here).values(outcome=outcome))
    if faults:
        about = {"import_id": group.import_id, "case_number": group.case_number}
        await conn.execute(insert(import_faults), [{**fault, **about} for fault in faults])


async def finish_import(conn: AsyncConnection, import_id: UUID, now: datetime) -> None:
    """Mark the file as done once no group is left."""
    left = select(import_groups.c.position)
    left = left.where(import_groups.c.import_id == import_id, import_groups.c.outcome.is_(None))
    here = (imports.c.id == import_id, imports.c.done_at.is_(None), ~left.exists())
    await conn.execute(update(imports).where(*here).values(done_at=now))


async def give_up_import(conn: AsyncConnection, import_id: UUID, now: datetime) -> None:
    """The stored rows cannot be opened: the file must be uploaded again."""
    await conn.execute(update(imports).where(imports.c.id == import_id).values(done_at=now, unreadable=True))


def _with_counts() -> Any:
    group = import_groups.c
    counts = {
        "cases": group.case_number.is_not(None),
        "done_cases": group.case_number.is_not(None) & group.outcome.is_not(None),
        "started": group.outcome.is_not(None),
        **{outcome: group.outcome == outcome for outcome in ("filed", "completed", "unchanged")},
    }
    columns = [func.count().filter(where).label(name) for name, where in counts.items()]
    of_import = (column for column in imports.c if column.name != "file")
    return select(*of_import, *columns).join(import_groups).group_by(imports.c.id)


async def find_import(conn: AsyncConnection, import_id: UUID) -> Row[Any] | None:
    """A file's progress, without its content."""
    return (await conn.execute(_with_counts().where(imports.c.id == import_id))).one_or_none()


async def list_imports(conn: AsyncConnection, before: UUID | None, limit: int) -> list[Row[Any]]:
    """Newest first; one more than `limit`, when there are more."""
    query = _with_counts().order_by(imports.c.id.desc()).limit(limit + 1)
    return list(await conn.execute(query if before is None else query.where(imports.c.id < before)))


async def faults_of(conn: AsyncConnection, import_id: UUID) -> list[Row[Any]]:
    """The faults found so far, in the order of the file's lines."""
    columns = (import_faults.c.line, import_faults.c.column, import_faults.c.reason, import_faults.c.case_number)
    query = select(*columns).where(import_faults.c.import_id == import_id)
    return list(await conn.execute(query.order_by(import_faults.c.line, import_faults.c.id)))
