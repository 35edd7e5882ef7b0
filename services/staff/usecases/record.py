"""What others did to somebody's sign-in: shown to the owner at the next one, looked into by the integrity office."""

from uuid import UUID

from services.staff.domain.doors import DoorEvent, DoorKind
from services.staff.domain.people import titles
from services.staff.store import people, record
from services.staff.usecases import posts
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.locks import Place, digest
from services.staff.usecases.revoking import standing
from shared.db.lists import Part
from shared.db.readable import text_of
from shared.db.transaction import Transaction
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.auth import Caller, in_doubt


async def look(kit: StaffKit, wanted: record.Wanted, part: Part) -> tuple[list[DoorEvent], str | None]:
    """The record, newest first unless asked otherwise, and where it goes on."""
    async with kit.db.read() as conn:
        return await record.page(conn, wanted, part)


async def waiting(kit: StaffKit) -> int:
    """How much the integrity office has yet to look into."""
    async with kit.db.read() as conn:
        return await record.waiting(conn)


async def review(kit: StaffKit, caller: Caller, event_id: int, *, refused: bool = False) -> None:
    """The integrity office has looked into one; posts that waited for it take effect, or with `refused` do not.

    Raises NotFound; Conflict where nothing waits that could be refused; Forbidden for one's own, and for who is
    doubted themselves.
    """
    async with kit.db.begin() as tx:
        reviewer = await standing(tx, caller)
        event = await record.one(tx.conn, event_id)
        if event is None:
            raise _no_such_event()
        if caller.staff_id in {event.doer_id, event.staff_id}:
            raise Forbidden("own_event", "涉及您本人或由您经办的记录，须由另一名监察人员核对。")
        if reviewer.doubted:
            raise in_doubt()
        if refused and not event.held:
            raise Conflict("nothing_held", "这条记录没有待确认的岗位，请在核实后记为已核对。")
        await posts.decide(tx, event.staff_id, event.held, caller.staff_id, refused=refused)
        if await record.review(tx.conn, event_id, caller.staff_id, refused=refused) != event.held:
            raise _no_such_event()
        await posts.looked_into(tx, event.staff_id)
        if refused:
            await _tell_refused(tx, event, caller.staff_id)


async def is_alone(kit: StaffKit, caller: Caller) -> bool:
    """Whether nobody of the integrity office but the caller could look into what concerns the caller."""
    async with kit.db.read() as conn:
        return not await people.can_confirm(conn, {caller.staff_id})


async def close_on_machine(tx: Transaction, staff_id: UUID) -> bool:
    """Whoever has the machine looks into all that waits of a member, whose posts take effect; False for nothing.

    That is on record itself, and waits for somebody of the integrity office where there is one to look into it.
    """
    member = await people.locked(tx.conn, staff_id)
    if member is None or not await record.close(tx.conn, staff_id):
        return False
    await posts.decide(tx, staff_id, member.waiting, None, refused=False)
    await record.note(tx.conn, DoorKind.LOOKED_INTO, staff_id, None, posts.in_effect(member))
    if not await people.can_confirm(tx.conn, {staff_id}):
        await record.close(tx.conn, staff_id)
    await posts.looked_into(tx, staff_id)
    return True


async def _tell_refused(tx: Transaction, event: DoorEvent, by: UUID) -> None:
    """The owner, and the administrator who asked."""
    for staff_id in {event.staff_id, event.doer_id or event.staff_id}:
        await record.note(tx.conn, DoorKind.POSTS_REFUSED, staff_id, by, f"{event.owner}：{titles(event.held)}")


async def to_show(kit: StaffKit, caller: Caller) -> list[DoorEvent]:
    """What was done to the caller's sign-in that they have not been shown, and every reset of late."""
    async with kit.db.read() as conn:
        return await record.to_show(conn, caller.staff_id)


def seen_from(kit: StaffKit, event: DoorEvent) -> str:
    """The address from which the owner saw it; empty where it is not known."""
    return text_of(kit.keyring, event.seen_from, f"{event.staff_id}/seen") if event.seen_from else ""


async def seen(kit: StaffKit, caller: Caller, place: Place, *, disowned: bool) -> None:
    """The caller has seen it all; `disowned`: and had not asked for it, which the integrity office is told."""
    seen_on = None if place.device is None else digest(place.device)
    async with kit.db.begin() as tx:
        events = await record.to_show(tx.conn, caller.staff_id)
        sealed = kit.keyring.seal(place.source, f"{caller.staff_id}/seen")
        await record.seen(tx.conn, caller.staff_id, [event.id for event in events], sealed, seen_on)
        if events and disowned:
            await record.note(tx.conn, DoorKind.NOT_MINE, caller.staff_id, caller.staff_id)


def _no_such_event() -> NotFound:
    return NotFound("no_such_event", "这条记录不存在，或已由他人核对。")
