"""What was done at the door, to whom and by whom: nothing of it is ever changed but who has seen it."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain import DoorEvent, DoorKind
from services.staff.store.tables import NOW, door_events, members

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
    """Keep what was done; what somebody did for themselves nobody need show them."""
    row = {"kind": kind.value, "staff_id": staff_id, "by": by, "note": text}
    seen = NOW if by == staff_id else None
    await conn.execute(insert(door_events).values(**row, owner_saw_at=seen))


async def page(conn: AsyncConnection, before: int | None, limit: int) -> list[DoorEvent]:
    """All of it, newest first."""
    query = _EVENT.order_by(door_events.c.id.desc()).limit(limit)
    return _events(await conn.execute(query if before is None else query.where(door_events.c.id < before)))


async def waiting(conn: AsyncConnection) -> list[DoorEvent]:
    """What the integrity office has yet to look into, oldest first."""
    kinds = [kind.value for kind in DoorKind if kind.is_reviewed]
    here = door_events.c.kind.in_(kinds) & door_events.c.reviewed_at.is_(None)
    return _events(await conn.execute(_EVENT.where(here).order_by(door_events.c.id).limit(100)))


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
