"""What was done at the door, to whom and by whom: nothing of it is ever changed but who has seen it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, exists, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain.doors import SHOWN_FOR, DoorEvent, DoorKind
from services.staff.store.tables import NOW, door_events, members
from shared.db.lists import Part, Sorting
from shared.powers import Role

_owner, _doer, _reviewer = members.alias("owner"), members.alias("doer"), members.alias("reviewer")
_EVENT = (
    select(
        door_events.c.id,
        door_events.c.kind,
        door_events.c.staff_id,
        door_events.c.by.label("doer_id"),
        _owner.c.name.label("owner"),
        func.coalesce(_doer.c.name, "").label("doer"),
        door_events.c.at,
        door_events.c.note,
        door_events.c.owner_saw_at,
        func.coalesce(_reviewer.c.name, "").label("reviewer"),
        door_events.c.reviewed_at,
        door_events.c.held,
        door_events.c.doubts,
        door_events.c.refused,
        door_events.c.seen_from,
        door_events.c.seen_on,
    )
    .join(_owner, _owner.c.id == door_events.c.staff_id)
    .outerjoin(_doer, _doer.c.id == door_events.c.by)
    .outerjoin(_reviewer, _reviewer.c.id == door_events.c.reviewed_by)
)


@dataclass(frozen=True)
class Given:
    """What of posts that were given is to be looked into: those that wait, and whether others leave the owner doubted.

    Both end with the review.
    """

    held: Collection[Role] = ()
    doubts: bool = False


_NOTHING = Given()


async def note(
    conn: AsyncConnection,
    kind: DoorKind,
    staff_id: UUID,
    by: UUID | None,
    text: str = "",
    given: Given = _NOTHING,
) -> None:
    """Keep what was done; most of what somebody did for themselves nobody need show them.

    After a reset by another the owner is doubted until the integrity office has looked into it.
    """
    await note_each(conn, kind, staff_id, by, [text], given)


async def note_each(
    conn: AsyncConnection,
    kind: DoorKind,
    staff_id: UUID,
    by: UUID | None,
    texts: Sequence[str],
    given: Given = _NOTHING,
) -> None:
    """As `note`, for each of the texts."""
    doubts = given.doubts or (kind.is_reset and by != staff_id)
    row = {"kind": kind.value, "staff_id": staff_id, "by": by, "held": [*given.held], "doubts": doubts}
    seen = NOW if by == staff_id and not kind.is_told_anyway else None
    if texts:
        await conn.execute(insert(door_events).values([{**row, "note": text, "owner_saw_at": seen} for text in texts]))
    if doubts:
        await conn.execute(update(members).where(members.c.id == staff_id).values(doubted=True))


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


async def to_show(conn: AsyncConnection, staff_id: UUID) -> list[DoorEvent]:
    """What was done to a member's sign-in that they have not been shown, and every reset of late."""
    shown = [kind.value for kind in DoorKind if kind.is_shown]
    resets = [kind.value for kind in DoorKind if kind.is_reset]
    late = door_events.c.kind.in_(resets) & (door_events.c.at > NOW - SHOWN_FOR)
    unseen = door_events.c.kind.in_(shown) & door_events.c.owner_saw_at.is_(None)
    here = (door_events.c.staff_id == staff_id) & (unseen | late)
    return _events(await conn.execute(_EVENT.where(here).order_by(door_events.c.id)))


async def seen(
    conn: AsyncConnection, staff_id: UUID, event_ids: Collection[int], seen_from: str, seen_on: bytes | None
) -> None:
    """Somebody has been shown these as their owner, from an address (sealed) and on a device; the first time counts."""
    here = (door_events.c.staff_id == staff_id) & door_events.c.id.in_(event_ids) & door_events.c.owner_saw_at.is_(None)
    await conn.execute(update(door_events).where(here).values(owner_saw_at=NOW, seen_from=seen_from, seen_on=seen_on))


async def one(conn: AsyncConnection, event_id: int) -> DoorEvent | None:
    """One that waits for the integrity office."""
    return next(iter(_events(await conn.execute(_EVENT.where(door_events.c.id == event_id, _WAITING)))), None)


async def review(conn: AsyncConnection, event_id: int, by: UUID, *, refused: bool) -> Sequence[Role] | None:
    """The integrity office has looked into one: the posts that waited for that; None when it had already."""
    here = (door_events.c.id == event_id) & _WAITING
    done = update(door_events).where(here).values(reviewed_by=by, reviewed_at=NOW, refused=refused)
    held = (await conn.execute(done.returning(door_events.c.held))).scalar_one_or_none()
    return None if held is None else tuple(map(Role, held))


async def supersede(conn: AsyncConnection, staff_id: UUID) -> None:
    """Posts that wait for a review are no longer those asked for; what was done stays to be looked into."""
    here = (door_events.c.staff_id == staff_id) & _WAITING
    await conn.execute(update(door_events).where(here).values(held=[]))


async def close(conn: AsyncConnection, staff_id: UUID) -> int:
    """Whoever has the machine itself has looked into all that concerns a member and waits; how much it was."""
    here = (door_events.c.staff_id == staff_id) & _WAITING
    return (await conn.execute(update(door_events).where(here).values(reviewed_at=NOW))).rowcount


async def end_doubt(conn: AsyncConnection, staff_id: UUID) -> bool:
    """Doubt a member no more, of whose record nothing is left that doubts them; whether that ended it."""
    left = exists().where(door_events.c.staff_id == staff_id, door_events.c.doubts, door_events.c.reviewed_at.is_(None))
    here = (members.c.id == staff_id) & members.c.doubted & ~left
    return (await conn.execute(update(members).where(here).values(doubted=False))).rowcount > 0


def _events(rows: Iterable[Row[Any]]) -> list[DoorEvent]:
    return [
        DoorEvent(**{**row._mapping, "kind": DoorKind(row.kind), "held": tuple(map(Role, row.held))})  # noqa: SLF001
        for row in rows
    ]
