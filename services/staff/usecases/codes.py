"""One-time codes: counted before they are looked at, as passwords are, and each good once."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.staff.domain.doors import DoorKind
from services.staff.domain.factor import accepted_step, must_have_one, recovery_mark
from services.staff.domain.people import Member
from services.staff.store import factors, record
from services.staff.usecases import locks
from services.staff.usecases.kit import MACHINE, StaffKit
from services.staff.usecases.locks import Count, Place
from shared.db.transaction import Transaction
from shared.errors import TooMany, Unauthenticated


class CodeNeeded(Unauthenticated):
    """The password was right, and a code of the second factor is due."""

    title = "请输入验证码"

    def __init__(self) -> None:
        super().__init__("code_needed", "密码正确。还须提供两步验证的验证码：手机验证器上的6位数字，或一个恢复码。")


class FactorDue(Unauthenticated):
    """The password was right, and these posts come in only with a second factor, which has yet to be set up."""

    title = "请先启用两步验证"

    def __init__(self) -> None:
        super().__init__("factor_due", "您的岗位须先启用两步验证才能登录：请在登录页登录，按页面提示用手机启用。")


async def claimed_at_door(
    kit: StaffKit, staff_id: UUID, login: str, typed: str | None, place: Place
) -> Sequence[Count]:
    """What a code given at the door counts for, counted; nothing for whom none is due.

    Raises CodeNeeded, and TooMany while codes of this login are not looked at there.
    """
    async with kit.db.read() as conn:
        if await factors.of(conn, staff_id) is None:
            return ()
        if typed is None:
            raise CodeNeeded
        known = await locks.is_known(conn, staff_id, place)
    return await claimed(kit, staff_id, locks.code_counts(kit, login, place, known=known))


async def claimed(kit: StaffKit, staff_id: UUID, counts: Sequence[Count]) -> Sequence[Count]:
    """The counts, counted. Raises TooMany: then the owner and the integrity office are told."""
    try:
        async with kit.db.begin() as tx:
            await locks.claim(tx.conn, counts)
    except TooMany:
        await _tell(kit, staff_id)
        raise
    return counts


async def given_at_door(
    kit: StaffKit, tx: Transaction, member: Member, typed: str | None, counts: Sequence[Count]
) -> datetime | None:
    """When the code was given; None for whom none is due. Raises CodeNeeded, FactorDue or Unauthenticated."""
    if await factors.of(tx.conn, member.id) is None:
        if must_have_one(member):
            raise FactorDue
        return None
    if typed is None:
        raise CodeNeeded
    return await given(kit, tx, member.id, typed, counts)


async def given(kit: StaffKit, tx: Transaction, staff_id: UUID, typed: str, counts: Sequence[Count]) -> datetime:
    """Take a code or a recovery code; neither is good again. Raises Unauthenticated for a wrong one."""
    now = MACHINE.now()
    factor = await factors.locked(tx.conn, staff_id)
    secret = "" if factor is None else kit.keyring.open(factor.secret, about(staff_id))
    step = None if factor is None else accepted_step(secret, typed, now, factor.last_step)
    if step is not None:
        await factors.advance(tx.conn, staff_id, step)
    elif factor is None or not await _recovered(tx, staff_id, recovery_mark(secret, typed)):
        raise Unauthenticated(
            "wrong_code", "验证码不正确，或已经用过。请等手机上显示下一个验证码后再输入；手机时间须准确。"
        )
    await locks.forget(tx.conn, counts)
    return now


def about(staff_id: UUID) -> str:
    """What a sealed secret is about, as `SEALED` says."""
    return f"{staff_id}/factor"


async def _recovered(tx: Transaction, staff_id: UUID, mark: bytes) -> bool:
    used = await factors.use_recovery(tx.conn, staff_id, mark)
    if used:
        left = await factors.recovery_left(tx.conn, staff_id)
        await record.note(tx.conn, DoorKind.RECOVERY_USED, staff_id, staff_id, f"还剩{left}个")
    return used


async def _tell(kit: StaffKit, staff_id: UUID) -> None:
    """Somebody knows the password and guesses codes: noted once, until the integrity office has looked into it."""
    async with kit.db.begin() as tx:
        if not await record.is_waiting(tx.conn, DoorKind.CODES_TRIED, staff_id):
            await record.note(tx.conn, DoorKind.CODES_TRIED, staff_id, None)
