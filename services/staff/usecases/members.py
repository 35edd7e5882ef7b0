"""Adding members of staff and changing them; the other services learn of each in the same transaction."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.staff.domain.doors import DoorKind
from services.staff.domain.factor import must_have_one
from services.staff.domain.people import Member, member_faults, titles, told_apart
from services.staff.store import doors, factors, people, record
from services.staff.usecases import enrolment, locks, posts
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.passwords import hashed, made_up
from services.staff.usecases.revoking import outdate, take_back
from shared.db.lists import Part
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Invalid, NotFound
from shared.http.versions import Edit, mark, refuse_stale, state

TOLD_EVERY, TOLD_AT_ONCE = timedelta(days=1), 100


async def member_page(kit: StaffKit, wanted: people.Wanted, part: Part) -> tuple[list[Member], str | None]:
    """Some members, and where the list goes on."""
    async with kit.db.read() as conn:
        return await people.page(conn, wanted, part)


async def member(kit: StaffKit, staff_id: UUID) -> Member:
    """One member. Raises NotFound."""
    async with kit.db.read() as conn:
        return _found(await people.by_id(conn, staff_id))


@dataclass(frozen=True)
class Initial:
    """What a new member is told, each by a way of its own: the password, and what sets their second factor up.

    `enrolment_code` None: their posts come in without a second factor.
    """

    password: str
    enrolment_code: str | None


async def add_member(kit: StaffKit, new: Member, by: UUID) -> tuple[Member, Initial]:
    """Add a member, as they come to be; the password must be changed at their first sign-in. Raises Invalid.

    On record for the integrity office, which has to confirm some posts.
    """
    _check(kit, new)
    password = made_up()
    password_hash = await hashed(kit.hasher, password)
    async with kit.db.begin() as tx:
        added, doubts = await posts.settle(tx, new, (), by)
        if not await enrol(tx, added, password_hash):
            raise Invalid([Fault("login", "这个登录名已被使用，请换一个。")])
        text = titles(added.given) + posts.in_waiting(added)
        await record.note(tx.conn, DoorKind.MEMBER_ADDED, added.id, by, text, record.Given(added.waiting, doubts))
        code = await enrolment.hand_out(tx, added.id) if must_have_one(added) else None
    return added, Initial(password, code)


async def enrol(tx: Transaction, new: Member, password_hash: str) -> bool:
    """Write a new member and tell the others; False when the login is taken."""
    added = await people.add(tx.conn, new, password_hash)
    if added:
        await tx.emit(posts.as_told(new))
    return added


async def tell_again(kit: StaffKit) -> int:
    """Tell the others of every member once a day: a release that makes more of them learns who is there. How many."""
    number = 0
    while True:
        async with kit.db.begin() as tx:
            told = await people.to_tell(tx.conn, TOLD_EVERY, TOLD_AT_ONCE)
            for each in told:
                await tx.emit(posts.as_told(each))
        number += len(told)
        if len(told) < TOLD_AT_ONCE:
            return number


def member_version(kit: StaffKit, member: Member) -> str:
    """The version of what can be changed of a member."""
    return mark(kit.keyring, member.id, member.texts())


async def change_member(kit: StaffKit, staff_id: UUID, changes: Mapping[str, Any], edit: Edit) -> Member:
    """Change some fields of a member. Whoever is barred is signed out; new posts hold at once, or once confirmed.

    Raises NotFound, Invalid, Conflict or Stale.
    """
    async with kit.db.begin() as tx:
        administrators = await people.administrators(tx.conn)
        before = _found(await people.locked(tx.conn, staff_id))
        wanted = replace(before, **{"roles": before.given, **changes}, waiting=())
        _check(kit, wanted)
        texts = wanted.texts()
        now = state(kit.keyring, staff_id, before.texts(), await people.changed_by(tx.conn, staff_id))
        refuse_stale(edit, now, {name: texts[name] for name in changes})
        if [before] == administrators and not wanted.administers:
            raise Conflict("last_administrator", "这是最后一名系统管理员，须先指定另一名，才能停用或改岗。")
        after = await posts.moved(tx, before, wanted, edit.by)
        if after != before:
            await _write(tx, before, after, edit.by)
    return after


async def reset_password(kit: StaffKit, staff_id: UUID, by: UUID | None = None) -> str:
    """A new initial password for a member, whose sessions end and whose locks open. Raises NotFound.

    The owner is shown at the next sign-in who did it, and is doubted until the integrity office has looked into it.
    """
    password = made_up()
    password_hash = await hashed(kit.hasher, password)
    async with kit.db.begin() as tx:
        locked_out = _found(await people.locked(tx.conn, staff_id))
        await people.set_password(tx.conn, staff_id, password_hash, must_change=True)
        await take_back(tx, staff_id, by)
        await record.note(tx.conn, DoorKind.PASSWORD_RESET, staff_id, by)
        await doors.forget_devices(tx.conn, staff_id)
        await locks.unlock(kit, tx.conn, locked_out.login)
    return password


async def hand_out_code(kit: StaffKit, staff_id: UUID, by: UUID) -> str:
    """A code by which a member sets their second factor up at the door. Raises NotFound, and Conflict for who has one.

    The owner is shown at the next sign-in who did it.
    """
    async with kit.db.begin() as tx:
        member = _found(await people.locked(tx.conn, staff_id))
        if await factors.of(tx.conn, staff_id) is not None:
            reason = "这名工作人员已启用两步验证，不需要启用码。换手机由本人办理；手机和恢复码都丢失的，请先重置。"
            raise Conflict("factor_set", reason)
        if not must_have_one(member):
            raise Conflict("factor_not_required", "该岗位可以自行启用两步验证，不需要启用码。")
        await record.note(tx.conn, DoorKind.ENROLMENT_CODE, staff_id, by)
        return await enrolment.hand_out(tx, staff_id)


async def reset_factor(kit: StaffKit, staff_id: UUID, by: UUID) -> str | None:
    """Take a member's lost second factor away; their sessions end. The code for another one, where posts need it.

    Raises NotFound.

    The owner is shown at the next sign-in who did it, and is doubted until the integrity office has looked into it.
    """
    async with kit.db.begin() as tx:
        member = _found(await people.locked(tx.conn, staff_id))
        if not await enrolment.forget(tx, staff_id, by):
            raise NotFound("no_factor", "这名工作人员没有启用两步验证，无需重置。")
        await locks.unlock(kit, tx.conn, member.login)
        return await enrolment.hand_out(tx, staff_id) if must_have_one(member) else None


async def with_factor(kit: StaffKit, members: Collection[Member]) -> set[UUID]:
    """Which of these have a second factor."""
    async with kit.db.read() as conn:
        return await factors.having(conn, [member.id for member in members])


_PARTICULARS = ("name", "phone", "department", "panel")
"""Letters give the telephone, cases go by names and panels: the owner and the integrity office are told."""


async def _write(tx: Transaction, before: Member, after: Member, by: UUID) -> None:
    await people.change(tx.conn, after, by)
    told = told_apart(before, after, _PARTICULARS)
    if told:
        await record.note(tx.conn, DoorKind.PARTICULARS_CHANGED, after.id, by, told)
    if not after.active:
        await take_back(tx, after.id, by)
    elif after.roles != before.roles:
        await outdate(tx, after.id)
    await tx.emit(posts.as_told(after))


def _check(kit: StaffKit, member: Member) -> None:
    faults = member_faults(member, kit.settings.panels)
    if faults:
        raise Invalid(faults)


def _found(member: Member | None) -> Member:
    if member is None:
        raise NotFound("no_such_member", "没有这名工作人员，请核对编号。")
    return member
