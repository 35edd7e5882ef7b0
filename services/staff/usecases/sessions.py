"""Coming in, staying in, going out; and one's own password.

A password is counted as a try before it is looked at, so that tries at the same instant cannot outrun the lock.
"""

import hashlib
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from services.staff.domain.doors import SESSION
from services.staff.domain.people import Member, password_faults
from services.staff.store import doors, people, record
from services.staff.usecases import locks
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.locks import Count, Place
from services.staff.usecases.passwords import fits, hashed, outdated
from services.staff.usecases.revoking import outdate, take_back
from shared.crypto.slow import LINE
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Invalid, Unauthenticated
from shared.http.auth import Caller, personally
from shared.powers import Action

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Credentials:
    """What somebody says at the door; `new_password` replaces the password in the same act."""

    login: str
    password: str
    new_password: str | None = None


@dataclass(frozen=True)
class Opened:
    """A session that stands: whose, as they now are, and its id."""

    member: Member
    session: UUID


@dataclass(frozen=True)
class Admission:
    """Who came in, the secret that renews their sign-in, and the one by which their device is known next time."""

    member: Member
    session: UUID
    refresh: str
    device: str
    to_be_shown: bool
    """Whether others did something to their sign-in that they have not been shown."""

    @property
    def opened(self) -> Opened:
        """The session."""
        return Opened(self.member, self.session)


async def sign_in(kit: StaffKit, given: Credentials, place: Place) -> Admission:
    """Open a session. Raises Unauthenticated, TooMany, Conflict (a new password is due) or Invalid (it is too weak)."""
    known = await _at_the_door(kit, given, place)
    new_hash = await _replacement(given)
    async with kit.db.begin() as tx:
        member = await _let_in(tx, known, new_hash)
        admission = await _admit(tx, member, place)
    log.info("signed in", extra={"staff": member.id})
    return admission


async def token_for_script(kit: StaffKit, given: Credentials, place: Place) -> tuple[Member, str]:
    """Whose it is, and a bearer token without a session to renew it. Raises as `sign_in`."""
    known = await _at_the_door(kit, given, place)
    new_hash = await _replacement(given)
    async with kit.db.begin() as tx:
        member = await _let_in(tx, known, new_hash)
    return member, session_token(kit, member)


async def renew(kit: StaffKit, refresh: str | None) -> Opened:
    """The session that the secret keeps open. Raises Unauthenticated."""
    async with kit.db.read() as conn:
        found = await doors.whose_session(conn, _digest(refresh or ""))
        member = None if found is None else await people.by_id(conn, found[0])
    if found is None or member is None:
        raise Unauthenticated("sign_in_expired", "登录已失效，请重新登录。")
    return Opened(member, found[1])


async def sign_out(kit: StaffKit, refresh: str | None) -> None:
    """End the session, if there is one; a token copied from it is worth nothing either."""
    async with kit.db.begin() as tx:
        ended = await doors.revoke(tx.conn, _digest(refresh or ""))
        if ended is not None:
            await outdate(tx, *ended)


async def sign_out_everywhere(kit: StaffKit, caller: Caller) -> None:
    """End every session of the caller, this one too."""
    personally(caller)
    async with kit.db.begin() as tx:
        await take_back(tx, caller.staff_id)


async def change_password(kit: StaffKit, caller: Caller, old: str, new: str, place: Place) -> Admission:
    """Replace one's own password; every session ends and a new one begins. Raises Invalid or TooMany."""
    given = Credentials(caller.login, old, new)
    async with kit.db.begin() as tx:
        counts = locks.own_count(kit, caller.login)
        await locks.claim(tx.conn, counts)
        proof = await people.proof(tx.conn, caller.login)
    known = await _checked(kit, given, _Try(proof, counts, familiar=True))
    faults = [] if known else [Fault("old", "原密码不正确，请核对后重新输入。")]
    faults += _weaknesses("new", given)
    if known is None or faults:
        raise Invalid(faults)
    new_hash = await hashed(new)
    async with kit.db.begin() as tx:
        member = await _let_in(tx, known, new_hash)
        return await _admit(tx, member, place)


def caller_for(member: Member, session: UUID | None = None, scopes: frozenset[Action] | None = None) -> Caller:
    """The member as the other services know them."""
    roles = frozenset(member.roles)
    return Caller(member.id, member.login, member.name, member.court, member.department, roles, session, scopes)


def session_token(kit: StaffKit, member: Member, session: UUID | None = None) -> str:
    """The signed token that every service accepts for half an hour, unless it is taken back."""
    return kit.staff_signer.for_staff(caller_for(member, session), SESSION)


@dataclass(frozen=True)
class _Try:
    """A password about to be looked at: against what, what it counts for, and whether the device is known."""

    proof: people.Proof | None
    counts: Sequence[Count]
    familiar: bool


async def _at_the_door(kit: StaffKit, given: Credentials, place: Place) -> people.Proof:
    """The same answer for a wrong password, an unknown login and somebody who no longer works here.

    Raises Unauthenticated; TooMany while the login is locked, whether it exists or not, or too many wait.
    """
    LINE.check(known=place.device is not None)
    async with kit.db.begin() as tx:
        proof = await people.proof(tx.conn, given.login)
        familiar = proof is not None and await _is_familiar(tx, proof, place)
        initial = proof is not None and proof.initial
        counts = locks.counts_for(kit, given.login, place, known=familiar, initial=initial)
        await locks.claim(tx.conn, counts)
    known = await _checked(kit, given, _Try(proof, counts, familiar))
    if known is None:
        raise _wrong()
    return await _up_to_date(kit, given, known)


async def _up_to_date(kit: StaffKit, given: Credentials, known: people.Proof) -> people.Proof:
    """A hash of older figures is replaced when its password comes."""
    if not outdated(known.password_hash):
        return known
    fresh = replace(known, password_hash=await hashed(given.password))
    async with kit.db.begin() as tx:
        await people.refresh_hash(tx.conn, known, fresh.password_hash)
    return fresh


async def _is_familiar(tx: Transaction, proof: people.Proof, place: Place) -> bool:
    return place.device is not None and await doors.knows(tx.conn, proof.staff_id, _digest(place.device))


async def _checked(kit: StaffKit, given: Credentials, attempt: _Try) -> people.Proof | None:
    """The proof that the password fits, or None."""
    proof = attempt.proof
    if not await fits(given.password, proof.password_hash if proof else None, known=attempt.familiar):
        log.warning("wrong password or unknown login")
        return None
    async with kit.db.begin() as tx:
        await locks.forget(tx.conn, attempt.counts)
    return proof


async def _replacement(given: Credentials) -> str | None:
    if given.new_password is None:
        return None
    faults = _weaknesses("new_password", given)
    if faults:
        raise Invalid(faults)
    return await hashed(given.new_password)


def _weaknesses(field: str, given: Credentials) -> list[Fault]:
    new = given.new_password or ""
    same = [Fault(field, "新密码不能与原密码相同，请换一个。")] if new == given.password else []
    return password_faults(field, given.login, new) + same


async def _let_in(tx: Transaction, known: people.Proof, new_hash: str | None) -> Member:
    """The member, unless they were barred or their password changed while it was being checked."""
    member = await people.locked(tx.conn, known.staff_id)
    if member is None or not await people.still_holds(tx.conn, known):
        raise _wrong()
    if new_hash is not None:
        await people.set_password(tx.conn, member.id, new_hash, must_change=False)
        await take_back(tx, member.id)
    elif member.must_change:
        raise Conflict("password_must_change", "这是初始密码，须先设置新密码才能登录：请同时填写新密码。")
    return member


async def _admit(tx: Transaction, member: Member, place: Place) -> Admission:
    """Open a session, and remember the device."""
    refresh, device = secrets.token_urlsafe(32), place.device or secrets.token_urlsafe(32)
    session = await doors.open_session(tx.conn, member.id, _digest(refresh))
    await doors.remember(tx.conn, member.id, _digest(device))
    to_be_shown = bool(await record.unseen(tx.conn, member.id))
    return Admission(member, session, refresh, device, to_be_shown)


def _digest(refresh: str) -> bytes:
    return hashlib.sha256(refresh.encode()).digest()


def _wrong() -> Unauthenticated:
    return Unauthenticated(
        "wrong_login_or_password", "登录名或密码不正确，请核对后重试。在同一处连续5次不正确，将暂停15分钟。"
    )
