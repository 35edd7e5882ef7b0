"""Queries on imported files, their groups of rows and the faults found."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, and_, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.case_intake.store.tables import import_faults, import_groups, imports
from shared.db.case_numbers import holds_number
from shared.db.lists import Part, Sorting

Values = Mapping[str, Any]


async def insert_import(conn: AsyncConnection, values: Values, groups: Sequence[Values]) -> None:
    """Keep a file and its groups."""
    await conn.execute(insert(imports), [values])
    await conn.execute(insert(import_groups), [{**group, "import_id": values["id"]} for group in groups])


async def open_imports(conn: AsyncConnection) -> list[Row[Any]]:
    """Files that are not worked through, oldest first."""
    of_import = (column for column in imports.c if column.name != "file")
    return list(await conn.execute(select(*of_import).where(imports.c.done_at.is_(None)).order_by(imports.c.id)))


async def claim_group(conn: AsyncConnection, import_id: UUID) -> Row[Any] | None:
    """The next group that nobody works at, locked until the transaction ends."""
    to_do = (import_groups.c.import_id == import_id, import_groups.c.outcome.is_(None))
    query = select(import_groups).where(*to_do).order_by(import_groups.c.position).limit(1)
    return (await conn.execute(query.with_for_update(skip_locked=True))).one_or_none()


async def finish_group(
    conn: AsyncConnection, group: Row[Any], outcome: str, faults: Sequence[Values], case_id: UUID | None = None
) -> None:
    """What became of a group, in the transaction that did it; `case_id`: whose notices it made due."""
    here = (import_groups.c.import_id == group.import_id, import_groups.c.position == group.position)
    await conn.execute(update(import_groups).where(*here).values(outcome=outcome, case_id=case_id))
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
        **{outcome: group.outcome == outcome for outcome in ("filed", "completed", "corrected", "unchanged")},
    }
    columns = [func.count().filter(where).label(name) for name, where in counts.items()]
    of_import = (column for column in imports.c if column.name != "file")
    return select(*of_import, *columns).join(import_groups).group_by(imports.c.id)


async def find_import(conn: AsyncConnection, import_id: UUID) -> Row[Any] | None:
    """A file's progress, without its content."""
    return (await conn.execute(_with_counts().where(imports.c.id == import_id))).one_or_none()


async def is_done(conn: AsyncConnection, import_id: UUID) -> bool:
    """Whether no group of the file is left."""
    here = (imports.c.id == import_id, imports.c.done_at.is_not(None))
    return (await conn.execute(select(imports.c.id).where(*here))).one_or_none() is not None


@dataclass(frozen=True)
class Wanted:
    """Which imports: those under way (`open`) or ended (`done`); of old stock (`stock`) or of new cases (`new`)."""

    state: str = ""
    way: str = ""


SORTING = Sorting(
    {"at": imports.c.received_at, "by": imports.c.received_name, "rows": imports.c.rows}, imports.c.id, "-at"
)
_WAYS = {"stock": imports.c.silent, "new": ~imports.c.silent}
_STATES = {"open": imports.c.done_at.is_(None), "done": imports.c.done_at.is_not(None)}


async def list_imports(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[Row[Any]], str | None]:
    """Imports, newest first unless asked otherwise, with their counts; and where the list goes on."""
    query = select(imports.c.id, imports.c.received_at, imports.c.received_name, imports.c.rows)
    if wanted.state:
        query = query.where(_STATES[wanted.state])
    if wanted.way:
        query = query.where(_WAYS[wanted.way])
    shown, following = await SORTING.part(conn, query, part)
    counted = await conn.execute(_with_counts().where(imports.c.id.in_([row.id for row in shown])))
    by_id = {row.id: row for row in counted}
    return [by_id[row.id] for row in shown], following


async def lock_import(conn: AsyncConnection, import_id: UUID) -> Row[Any] | None:
    """The state of an import's hold, to be changed."""
    query = select(imports).where(imports.c.id == import_id).with_for_update(key_share=True)
    return (await conn.execute(query)).one_or_none()


async def change_import(conn: AsyncConnection, import_id: UUID, values: Values) -> None:
    """Set columns of an import that the transaction has locked."""
    await conn.execute(update(imports).where(imports.c.id == import_id).values(values))


_RELEASED = imports.c.released_at.is_not(None)
_UNTOLD = and_(
    imports.c.untold,
    import_groups.c.import_id == imports.c.id,
    import_groups.c.case_id.is_not(None),
    or_(
        _RELEASED & import_groups.c.notices.is_distinct_from("released"), ~_RELEASED & import_groups.c.notices.is_(None)
    ),
)


async def claim_untold(conn: AsyncConnection, limit: int) -> list[Row[Any]]:
    """Cases whose recall or release has not been told of; locked, those that others hold are passed over."""
    columns = (import_groups, imports.c.recalled_by, imports.c.released_by)
    query = select(*columns).where(_UNTOLD).order_by(import_groups.c.case_id).limit(limit)
    return list(await conn.execute(query.with_for_update(of=import_groups, skip_locked=True)))


async def mark_told(conn: AsyncConnection, rows: Sequence[Row[Any]]) -> None:
    """What was told of each of these cases."""
    for word, told in (("released", True), ("recalled", False)):
        here = [(row.import_id, row.position) for row in rows if (row.released_by is not None) is told]
        if here:
            place = tuple_(import_groups.c.import_id, import_groups.c.position)
            await conn.execute(update(import_groups).where(place.in_(here)).values(notices=word))


async def settle_told(conn: AsyncConnection) -> None:
    """No case of these imports is left to tell of, and none can come."""
    left = select(import_groups.c.position).where(_UNTOLD).correlate(imports)
    here = (imports.c.untold, imports.c.done_at.is_not(None), ~left.exists())
    await conn.execute(update(imports).where(*here).values(untold=False))


async def recalled_with(conn: AsyncConnection, case_id: UUID) -> UUID | None:
    """The import whose recall still holds the case's notices here."""
    query = select(imports.c.id).join(import_groups).where(import_groups.c.case_id == case_id)
    query = query.where(imports.c.recalled_at.is_not(None), imports.c.released_at.is_(None))
    return (await conn.execute(query.order_by(imports.c.id.desc()).limit(1))).scalar_one_or_none()


async def groups_numbered(conn: AsyncConnection, import_id: UUID, numbers: Collection[str | None]) -> list[Row[Any]]:
    """The groups of some cases; None stands for the rows without a usable number."""
    named = import_groups.c.case_number.in_([number for number in numbers if number is not None])
    here = or_(named, import_groups.c.case_number.is_(None)) if None in numbers else named
    return list(await conn.execute(select(import_groups).where(import_groups.c.import_id == import_id, here)))


async def faults_of(conn: AsyncConnection, import_id: UUID) -> list[Row[Any]]:
    """The faults found so far, in the order of the file's lines."""
    of_fault = (import_faults.c[name] for name in ("line", "column", "reason", "case_number", "note"))
    query = select(*of_fault).where(import_faults.c.import_id == import_id)
    return list(await conn.execute(query.order_by(import_faults.c.line, import_faults.c.id)))


FAULTS = Sorting(
    {"line": import_faults.c.line, "column": import_faults.c.column, "number": import_faults.c.case_number},
    import_faults.c.id,
    "line",
)


@dataclass(frozen=True)
class WantedFaults:
    """Which faults of an import: a part of the case number; `note`: those that need no work, or only the others."""

    import_id: UUID
    number: str = ""
    note: bool | None = None


async def list_faults(conn: AsyncConnection, wanted: WantedFaults, part: Part) -> tuple[list[Row[Any]], str | None]:
    """An import's faults in the order of its lines unless asked otherwise, and where the list goes on."""
    query = select(import_faults).where(import_faults.c.import_id == wanted.import_id)
    if wanted.note is not None:
        query = query.where(import_faults.c.note.is_(wanted.note))
    if wanted.number:
        query = query.where(holds_number(import_faults.c.case_number, wanted.number))
    return await FAULTS.part(conn, query, part)
