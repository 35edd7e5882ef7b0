"""Posts by which much could be done: an administrator gives them, somebody of the integrity office confirms them.

Until a court has somebody there who has come in once, posts hold at once: an installation begins with one person. They
are on record all the same, and wait to be looked into.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from uuid import UUID

from services.staff.domain.doors import DoorKind
from services.staff.domain.people import Member, raises_doubt, settled, titles, told_apart
from services.staff.store import people, record
from services.staff.usecases.revoking import outdate
from shared.contracts.staff import MemberChanged
from shared.db.transaction import Transaction
from shared.errors import Conflict
from shared.powers import Role


async def settle(tx: Transaction, wanted: Member, had: Collection[Role], by: UUID) -> tuple[Member, bool]:
    """The member as they come to be, and whether that leaves them doubted.

    Where somebody else is there to confirm, guarded posts wait, and others by which something counts are looked into.
    """
    if not await people.can_confirm(tx.conn, {by, wanted.id}):
        return wanted, False
    after = settled(wanted, had, by)
    doubts = raises_doubt(after, had)
    return replace(after, doubted=after.doubted or doubts), doubts


async def moved(tx: Transaction, before: Member, wanted: Member, by: UUID) -> Member:
    """The member with other posts, or barred, or back: on record for the owner and the integrity office.

    Whoever comes back had no post meanwhile.
    """
    same = set(wanted.roles) == set(before.given)
    if same and wanted.active == before.active:
        return replace(wanted, roles=before.roles, waiting=before.waiting)
    await _keep_a_watcher(tx, before, wanted)
    returns = wanted.active and not before.active
    after, doubts = await settle(tx, replace(wanted, waiting=()), () if returns else before.roles, by)
    await record.supersede(tx.conn, before.id)
    text = told_apart(before, after, ("active", "roles")) + in_waiting(after)
    await record.note(tx.conn, DoorKind.POSTS_CHANGED, before.id, by, text, record.Given(after.waiting, doubts))
    return after


async def decide(tx: Transaction, staff_id: UUID, held: Sequence[Role], by: UUID | None, *, refused: bool) -> None:
    """Posts that waited take effect, or are taken away again."""
    before = await people.locked(tx.conn, staff_id)
    decided = () if before is None else tuple(role for role in before.waiting if role in held)
    if before is None or not decided:
        return
    roles = before.roles if refused else before.roles + decided
    after = replace(before, roles=roles, waiting=tuple(role for role in before.waiting if role not in decided))
    await people.change(tx.conn, after, by)
    if not refused:
        await outdate(tx, staff_id)
    await tx.emit(as_told(after))


async def looked_into(tx: Transaction, staff_id: UUID) -> None:
    """Whoever is doubted no more goes on with tokens that say so."""
    await people.locked(tx.conn, staff_id)
    if await record.end_doubt(tx.conn, staff_id):
        await outdate(tx, staff_id)


def in_waiting(member: Member) -> str:
    """What of it waits, in words."""
    return f"（待监察确认：{titles(member.waiting)}）" if member.waiting else ""


def in_effect(member: Member) -> str:
    """What of it takes effect, in words."""
    return f"岗位生效：{titles(member.waiting)}" if member.waiting else ""


def as_told(member: Member) -> MemberChanged:
    """The member as the other services are told: with the posts that hold."""
    return MemberChanged(
        staff_id=member.id,
        login=member.login,
        name=member.name,
        phone=member.phone,
        department=member.department,
        panel=member.panel,
        roles=member.roles,
        court=member.court,
        active=member.active,
    )


async def _keep_a_watcher(tx: Transaction, before: Member, wanted: Member) -> None:
    """Raises Conflict where nobody would be left to confirm what administrators do."""
    watches = wanted.active and Role.INTEGRITY in wanted.roles
    if watches or not (before.active and Role.INTEGRITY in before.roles):
        return
    if await people.can_confirm(tx.conn) and not await people.can_confirm(tx.conn, {before.id}):
        raise Conflict("last_integrity", "这是最后一名监察人员，须先指定另一名并由其登录过，才能停用或改岗。")
