"""What others did to somebody's sign-in: shown to the owner at the next one, looked into by the integrity office."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.staff.domain import DoorEvent, DoorKind
from services.staff.store import record
from services.staff.usecases.kit import StaffKit
from shared.errors import NotFound
from shared.http.auth import Caller, personally

PAGE = 50


@dataclass(frozen=True)
class Record:
    """What waits for the integrity office, and all of it, newest first, with the cursor of the next page."""

    waiting: Sequence[DoorEvent]
    events: Sequence[DoorEvent]
    next: int | None


async def look(kit: StaffKit, before: int | None) -> Record:
    """The record."""
    async with kit.db.read() as conn:
        found = await record.page(conn, before, PAGE + 1)
        waiting = await record.waiting(conn)
    return Record(waiting, found[:PAGE], found[PAGE - 1].id if len(found) > PAGE else None)


async def review(kit: StaffKit, caller: Caller, event_id: int) -> None:
    """The integrity office has looked into one. Raises NotFound."""
    personally(caller)
    async with kit.db.begin() as tx:
        if not await record.review(tx.conn, event_id, caller.staff_id):
            raise NotFound("no_such_event", "这条记录不存在，或已由他人核对。")


async def unseen(kit: StaffKit, caller: Caller) -> list[DoorEvent]:
    """What others did to the caller's sign-in that the caller has not been shown."""
    async with kit.db.read() as conn:
        return await record.unseen(conn, caller.staff_id)


async def seen(kit: StaffKit, caller: Caller, *, disowned: bool) -> None:
    """The caller has seen it all; `disowned`: and had not asked for it, which the integrity office is told."""
    personally(caller)
    async with kit.db.begin() as tx:
        events = await record.unseen(tx.conn, caller.staff_id)
        await record.seen(tx.conn, caller.staff_id, [event.id for event in events])
        if events and disowned:
            await record.note(tx.conn, DoorKind.NOT_MINE, caller.staff_id, caller.staff_id)
