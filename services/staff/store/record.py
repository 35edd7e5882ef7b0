"""What was done at the door, to whom and by whom: nothing of it is ever changed but who has seen it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain.doors import DoorEvent, DoorKind
from services.staff.store.tables import NOW, door_events, members
from shared.db.lists import Part, Sorting

_owner, _doer, _reviewer = members.alias("owner"), members.alias("doer"), members.alias("reviewer")
_EVENT = (
    select(
        door_events.c.id,
        door_events.c.kind,
        _owner.c.name.label("owner"),
        func.coalesce(_doer.c.name, "").label("doer"),
        door_events.c.at,
        door_events.c.note,
        door_events.c.owner_saw_at,
        func.coalesce(_reviewer.c.name, "").label("reviewer"),
        door_events.c.reviewed_at,
    )
    .join(_owner, _owner.c.id == door_events.c.staff_id)
    .outerjoin(_doer, _doer.c.id == door_events.c.by)
    .outerjoin(_reviewer, _reviewer.c.id == door_events.c.reviewed_by)
)


async def note(conn: AsyncConnection, kind: DoorKind, staff_id: UUID, by: UUID | None, text: str = "") -> None:
    """Keep what was done; most of what somebody did for themselves nobody need show them."""
    row = {"kind": kind.value, "staff_id": staff_id, "by": by, "note": text}
    seen = NOW if by == staff_id and not kind.is_told_anyway else None
    await conn.execute(insert(door_events).values(**row, owner_saw_at=seen))


@dataclass(frozen=True)
class Wanted:
    """Which of it: of one kind; what the integrity office has looked into, or has yet to."""

    kind: str = ""
    reviewed: bool | None = None


SORTING = Sorting(
    {
        "at": door_events.c.at,
        "kind": door_events.c.kind,
        "owner": _owner.c.name.label("owner"),
        "doer": func.coalesce(_doer.c.name, "").label("doer"),
    },
    door_events.c.id,
    "-at",
)
_REVIEWED = door_events.c.kind.in_([kind.value for kind in DoorKind if kind.is_reviewed])
_WAITING = _REVIEWED & door_events.c.reviewed_at.is_(None)


async def page(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[DoorEvent], str | None]:
    """What was done, newest first unless asked otherwise, and where the list goes on."""
    query = _EVENT
    if wanted.kind:
        query = query.where(door_events.c.kind == wanted.kind)
    if wanted.reviewed is not None:
        query = query.where(door_events.c.reviewed_at.is_not(None) if wanted.reviewed else _WAITING)
    rows, following = await SORTING.part(conn, query, part)
    return _events(rows), following


async def waiting(conn: AsyncConnection) -> int:
    """How much the integrity office has yet to look into."""
    return int((await conn.execute(select(func.count()).where(_WAITING))).scalar_one())


async def is_waiting(conn: AsyncConnection, kind: DoorKind, staff_id: UUID) -> bool:
    """Whether something of this kind was done to a member that the integrity office has yet to look into."""
    here = (door_events.c.kind == kind.value) & (door_events.c.staff_id == staff_id)
    query = select(door_events.c.id).where(here, door_events.c.reviewed_at.is_(None)).limit(1)
    return (await conn.execute(query)).one_or_none() is not None


async def unseen(conn: AsyncConnection, staff_id: UUID) -> list[DoorEvent]:
    """What others did to a member's sign-in that they have not been shown."""
    shown = [kind.value for kind in DoorKind if kind.is_shown]
    here = (door_events.c.staff_id == staff_id) & door_events.c.owner_saw_at.is_(None) & door_events.c.kind.in_(shown)
    return _events(await conn.execute(_EVENT.where(here).order_by(door_events.c.id)))


async def seen(conn: AsyncConnection, staff_id: UUID, event_ids: Sequence[int]) -> None:
    """The owner has seen these."""
    here = (door_events.c.staff_id == staff_id) & door_events.c.id.in_(event_ids)
    await conn.execute(update(door_events).where(here).values(owner_saw_at=NOW))


async def review(conn: AsyncConnection, event_id: int, by: UUID) -> bool:
    """The integrity office has looked into one; False when it had already, or there is none."""
    here = (door_events.c.id == event_id) & door_events.c.reviewed_at.is_(None)
    statement = update(door_events).where(here).values(reviewed_by=by, reviewed_at=NOW)
    return (await conn.execute(statement)).rowcount > 0


def _events(rows: Iterable[Row[Any]]) -> list[DoorEvent]:
    return [DoorEvent(**{**row._mapping, "kind": DoorKind(row.kind)}) for row in rows]  # noqa: SLF001
