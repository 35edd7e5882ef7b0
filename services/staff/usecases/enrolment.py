"""One's own second factor: set up, replaced, switched off, given once more in the middle of a session."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.staff.domain.doors import DoorKind
from services.staff.domain.factor import (
    ENROLMENT,
    accepted_step,
    enrolment_mark,
    must_have_one,
    new_recovery_codes,
    recovery_mark,
)
from services.staff.domain.people import Member
from services.staff.store import doors, factors, people, record
from services.staff.usecases import codes, locks, revoking
from services.staff.usecases.admission import Admission, Opened, admit, let_in
from services.staff.usecases.kit import MACHINE, StaffKit
from services.staff.usecases.locks import Place
from services.staff.usecases.sessions import own_password
from services.staff.usecases.tickets import Offer, Passed, offer, offered
from shared.crypto.codes import enrolment_code
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Invalid, Unauthenticated
from shared.http.auth import Caller


@dataclass(frozen=True)
class Standing:
    """How it stands with somebody's second factor."""

    is_required: bool
    enrolled_at: datetime | None
    recovery_left: int

    @property
    def at_door(self) -> bool:
        """Whether it has yet to be set up, with the code that is handed out for it."""
        return self.is_required and self.enrolled_at is None


@dataclass(frozen=True)
class Enrolled:
    """A factor that holds from now on: the session opened with it, and recovery codes, which are told this once."""

    admission: Admission
    recovery: Sequence[str]


@dataclass(frozen=True)
class Setting:
    """What somebody shows who sets a factor up: the offer, sealed, the code that their telephone makes of it.

    `granted`: at the door, where a password is all that came before, the code that an administrator handed out.
    """

    offer: str
    code: str
    granted: str | None = None


async def standing(kit: StaffKit, caller: Caller) -> Standing:
    """The caller's."""
    async with kit.db.read() as conn:
        member = await people.by_id(conn, caller.staff_id)
        factor = await factors.of(conn, caller.staff_id)
        left = await factors.recovery_left(conn, caller.staff_id)
    return Standing(member is not None and must_have_one(member), None if factor is None else factor.enrolled_at, left)


async def enrol_at_door(kit: StaffKit, passed: Passed, setting: Setting, place: Place) -> Enrolled:
    """Set up a factor and come in.

    Raises Unauthenticated, Conflict, Invalid for a code that is not the offer's or was not handed out, TooMany.
    """
    async with _counted(kit, passed.login, place) as tx:
        return await _enrol(kit, tx, await let_in(tx, passed), setting, place)


async def enrol(kit: StaffKit, caller: Caller, setting: Setting, place: Place) -> Enrolled:
    """Set up a factor, or put another in its place; every session ends and a new one begins.

    Raises the same; Conflict also for whose posts, waiting ones too, ask for a code that was handed out: at the door.
    """
    async with _counted(kit, caller.login, place) as tx:
        member = await revoking.standing(tx, caller)
        if must_have_one(member) and await factors.of(tx.conn, member.id) is None:
            raise Conflict("code_at_door", AT_DOOR)
        await revoking.take_back(tx, member.id, member.id)
        return await _enrol(kit, tx, member, setting, place)


@asynccontextmanager
async def _counted(kit: StaffKit, login: str, place: Place) -> AsyncIterator[Transaction]:
    """The transaction in which a new telephone shows its first code, counted before; a right one is forgotten."""
    counts = locks.offer_counts(kit, login, place)
    async with kit.db.begin() as tx:
        await locks.claim(tx.conn, counts)
    async with kit.db.begin() as tx:
        yield tx
        await locks.forget(tx.conn, counts)


async def offer_instead(kit: StaffKit, caller: Caller, password: str, code: str) -> Offer:
    """A secret for another telephone, for whoever proves the factor that it replaces. Raises Invalid or TooMany."""
    await _prove(kit, caller, password, code)
    return offer(kit, caller.staff_id, caller.login, instead=True)


async def switch_off(kit: StaffKit, caller: Caller, password: str, code: str, place: Place) -> Admission:
    """Go without; every session ends, a new one begins. Raises Conflict for whom it is required, Invalid, TooMany."""
    if (await standing(kit, caller)).is_required:
        raise Conflict("factor_required", "您的岗位必须使用两步验证，不能停用。换手机的，请用“换一部手机”。")
    await _prove(kit, caller, password, code)
    async with kit.db.begin() as tx:
        member = await revoking.standing(tx, caller)
        await factors.drop(tx.conn, member.id)
        await record.note(tx.conn, DoorKind.FACTOR_OFF, member.id, member.id)
        await revoking.take_back(tx, member.id, member.id)
        return await admit(kit, tx, member, place, None)


async def step_up(kit: StaffKit, opened: Opened, code: str) -> Opened:
    """The session with the factor given just now. Raises Unauthenticated, TooMany, or Conflict where there is none."""
    member = opened.member
    async with kit.db.read() as conn:
        if await factors.of(conn, member.id) is None:
            raise Conflict("no_factor", "您还没有启用两步验证。请先在“两步验证”页启用，再办理此事。")
    counts = await codes.claimed(kit, member.id, locks.own_code_count(kit, member.login))
    async with kit.db.begin() as tx:
        factor_at = await codes.given(kit, tx, member.id, code, counts)
        await doors.note_factor(tx.conn, opened.session, factor_at)
    return replace(opened, factor_at=factor_at)


async def forget(tx: Transaction, staff_id: UUID, by: UUID | None) -> bool:
    """Take a lost factor away; every session ends, and who did it is told. False when there was none."""
    dropped = await factors.drop(tx.conn, staff_id)
    if dropped:
        await record.note(tx.conn, DoorKind.FACTOR_RESET, staff_id, by)
        await revoking.take_back(tx, staff_id, by)
    return dropped


async def _prove(kit: StaffKit, caller: Caller, password: str, code: str) -> None:
    """Whoever is signed in shows that it is they: by password and code."""
    if await own_password(kit, caller, password) is None:
        raise Invalid([Fault("password", "密码不正确，请核对后重新输入。")])
    counts = await codes.claimed(kit, caller.staff_id, locks.own_code_count(kit, caller.login))
    try:
        async with kit.db.begin() as tx:
            await codes.given(kit, tx, caller.staff_id, code, counts)
    except Unauthenticated as refusal:
        raise Invalid([Fault("code", refusal.detail)]) from None


async def _enrol(kit: StaffKit, tx: Transaction, member: Member, setting: Setting, place: Place) -> Enrolled:
    chosen, now = offered(kit, member.id, setting.offer), MACHINE.now()
    if not chosen.instead and await factors.locked(tx.conn, member.id) is not None:
        raise Conflict("factor_set", "两步验证已经启用，没有更改。请重新登录，用手机上的验证码。")
    step = accepted_step(chosen.secret, setting.code, now, 0)
    faults = [] if step is not None else [Fault("code", _NOT_THE_OFFERS)]
    if setting.granted is not None:
        granted = await factors.use_enrolment(tx.conn, member.id, enrolment_mark(setting.granted))
        faults += [] if granted else [Fault("granted", _NOT_GRANTED)]
    if step is None or faults:
        raise Invalid(faults)
    await factors.put(tx.conn, member.id, kit.keyring.seal(chosen.secret, codes.about(member.id)), step)
    recovery = new_recovery_codes()
    await factors.put_recovery(tx.conn, member.id, [recovery_mark(chosen.secret, each) for each in recovery])
    await record.note(tx.conn, DoorKind.FACTOR_SET, member.id, member.id)
    return Enrolled(await admit(kit, tx, member, place, now), recovery)


AT_DOOR = "您的岗位须凭启用码启用两步验证：请退出，重新登录，按登录页的提示办理。启用码由系统管理员在“人员”页发放。"
_NOT_THE_OFFERS = "验证码不正确。请核对扫描的是本页的二维码、手机时间准确，再输入手机上现在的6位数字。"
_NOT_GRANTED = (
    f"启用码不正确、已经用过，或者已超过{ENROLMENT.days}天。请核对；没有启用码的，请联系系统管理员在“人员”页发放。"
)


async def hand_out(tx: Transaction, staff_id: UUID) -> str:
    """A code for the first enrolment, told this once; it takes the place of any before."""
    code = enrolment_code()
    await factors.put_enrolment(tx.conn, staff_id, enrolment_mark(code))
    return code
