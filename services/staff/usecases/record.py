"""What others did to somebody's sign-in: shown to the owner at the next one, looked into by the integrity office."""

from services.staff.domain.doors import DoorEvent, DoorKind
from services.staff.store import record
from services.staff.usecases.kit import StaffKit
from shared.db.lists import Part
from shared.errors import NotFound
from shared.http.auth import Caller


async def look(kit: StaffKit, wanted: record.Wanted, part: Part) -> tuple[list[DoorEvent], str | None]:
    """The record, newest first unless asked otherwise, and where it goes on."""
    async with kit.db.read() as conn:
        return await record.page(conn, wanted, part)


async def waiting(kit: StaffKit) -> int:
    """How much the integrity office has yet to look into."""
    async with kit.db.read() as conn:
        return await record.waiting(conn)


async def review(kit: StaffKit, caller: Caller, event_id: int) -> None:
    """The integrity office has looked into one. Raises NotFound."""
    async with kit.db.begin() as tx:
        if not await record.review(tx.conn, event_id, caller.staff_id):
            raise NotFound("no_such_event", "这条记录不存在，或已由他人核对。")


async def unseen(kit: StaffKit, caller: Caller) -> list[DoorEvent]:
    """What others did to the caller's sign-in that the caller has not been shown."""
    async with kit.db.read() as conn:
        return await record.unseen(conn, caller.staff_id)


async def seen(kit: StaffKit, caller: Caller, *, disowned: bool) -> None:
    """The caller has seen it all; `disowned`: and had not asked for it, which the integrity office is told."""
    async with kit.db.begin() as tx:
        events = await record.unseen(tx.conn, caller.staff_id)
        await record.seen(tx.conn, caller.staff_id, [event.id for event in events])
        if events and disowned:
            await record.note(tx.conn, DoorKind.NOT_MINE, caller.staff_id, caller.staff_id)
