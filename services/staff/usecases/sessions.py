"""Coming in, staying in, going out; and one's own password.

A password is counted as a try before it is looked at, so that tries at the same instant cannot outrun the lock.
"""

import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime

from services.staff.domain.doors import SESSION
from services.staff.domain.factor import must_have_one
from services.staff.domain.people import Member, password_faults
from services.staff.store import doors, factors, people
from services.staff.usecases import codes, locks
from services.staff.usecases.admission import Admission, Opened, admit, caller_for, let_in, wrong
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.locks import Count, Place, digest
from services.staff.usecases.passwords import fits, hashed, outdated
from services.staff.usecases.revoking import outdate, standing, take_back
from services.staff.usecases.tickets import Passed
from shared.crypto.slow import LINE
from shared.db import revocations
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Invalid, Unauthenticated
from shared.http.auth import Caller
from shared.http.sources import is_handed_over

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Credentials:
    """What somebody says at the door.

    `new_password` replaces the password in the same act; `code` is of the second factor.
    """

    login: str
    password: str
    new_password: str | None = None
    code: str | None = None


async def pass_password(kit: StaffKit, given: Credentials, place: Place) -> Passed:
    """The first step. Raises Unauthenticated, TooMany, Conflict (a new password is due) or Invalid (it is too weak)."""
    known = await _at_the_door(kit, given, place)
    if known.initial and given.new_password is None:
        raise Conflict("password_must_change", "这是初始密码，须先设置新密码才能登录：请同时填写新密码。")
    return Passed(given.login, known, await _replacement(kit, given))


async def enter(kit: StaffKit, passed: Passed, code: str | None, place: Place) -> Admission:
    """The second step: open a session. Raises Unauthenticated (CodeNeeded, FactorDue) or TooMany."""
    async with _entering(kit, passed, code, place) as (tx, member, factor_at):
        admission = await admit(kit, tx, member, place, factor_at)
    log.info("signed in", extra={"staff": member.id})
    return admission


async def token_for_script(kit: StaffKit, given: Credentials, place: Place) -> tuple[Member, str]:
    """Whose it is, and a bearer token without a session to renew it. Raises as the two steps do."""
    passed = await pass_password(kit, given, place)
    async with _entering(kit, passed, given.code, place) as (tx, member, factor_at):
        caller = caller_for(member, await revocations.instant(tx.conn), factor_at=factor_at)
    return member, kit.staff_signer.for_staff(caller, SESSION)


@asynccontextmanager
async def _entering(
    kit: StaffKit, passed: Passed, code: str | None, place: Place
) -> AsyncIterator[tuple[Transaction, Member, datetime | None]]:
    """The transaction in which a member comes in, and when their second factor was given."""
    counts = await codes.claimed_at_door(kit, passed.known.staff_id, passed.login, code, place)
    async with kit.db.begin() as tx:
        member = await let_in(tx, passed)
        yield tx, member, await codes.given_at_door(kit, tx, member, code, counts)


async def renew(kit: StaffKit, refresh: str | None) -> Opened:
    """The session that the secret keeps open. Raises Unauthenticated.

    One that was opened without a second factor ends once the member has one, or their posts ask for it.
    """
    async with kit.db.begin() as tx:
        owner = await doors.owner(tx.conn, digest(refresh or ""))
        member = None if owner is None else await people.held(tx.conn, owner)
        read_at = await revocations.instant(tx.conn)
        found = await doors.session_of(tx.conn, digest(refresh or ""))
        if found is None or member is None or (found.factor_at is None and await _needs_factor(tx, member)):
            raise Unauthenticated("sign_in_expired", "登录已失效，请重新登录。")
    return Opened(member, found.id, found.factor_at, read_at)


async def _needs_factor(tx: Transaction, member: Member) -> bool:
    return must_have_one(member) or await factors.of(tx.conn, member.id) is not None


async def sign_out(kit: StaffKit, refresh: str | None) -> None:
    """End the session, if there is one; a token copied from it is worth nothing either."""
    async with kit.db.begin() as tx:
        ended = await doors.revoke(tx.conn, digest(refresh or ""))
        if ended is not None:
            await outdate(tx, *ended)


async def sign_out_everywhere(kit: StaffKit, caller: Caller) -> None:
    """End every session and API token of the caller, this session too."""
    async with kit.db.begin() as tx:
        await take_back(tx, caller.staff_id, caller.staff_id)


async def change_password(kit: StaffKit, caller: Caller, old: str, new: str, place: Place) -> Admission:
    """Replace one's own password; every session ends and a new one begins. Raises Invalid or TooMany."""
    given = Credentials(caller.login, old, new)
    known = await own_password(kit, caller, old)
    faults = [] if known else [Fault("old", "原密码不正确，请核对后重新输入。")]
    faults += _weaknesses("new", given)
    if known is None or faults:
        raise Invalid(faults)
    new_hash = await hashed(kit.hasher, new)
    async with kit.db.begin() as tx:
        await standing(tx, caller)
        member = await let_in(tx, Passed(caller.login, known, new_hash))
        return await admit(kit, tx, member, place, caller.factor_at)


async def own_password(kit: StaffKit, caller: Caller, password: str) -> people.Proof | None:
    """The proof that somebody who is signed in knows their password, or None. Raises TooMany."""
    LINE.check(known=True)  # before the try is counted
    async with kit.db.begin() as tx:
        counts = locks.own_count(kit, caller.login)
        await locks.claim(tx.conn, counts)
        proof = await people.proof(tx.conn, caller.login)
    return await _checked(kit, password, _Try(proof, counts, familiar=True))


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
    LINE.check(known=place.device is not None and is_handed_over(kit.exchange, place.device))
    async with kit.db.begin() as tx:
        proof = await people.proof(tx.conn, given.login)
        familiar = proof is not None and await locks.is_known(tx.conn, proof.staff_id, place)
        initial = proof is not None and proof.initial
        counts = locks.counts_for(kit, given.login, place, known=familiar, initial=initial)
        await locks.claim(tx.conn, counts)
    known = await _checked(kit, given.password, _Try(proof, counts, familiar))
    if known is None:
        raise wrong()
    return await _up_to_date(kit, given, known)


async def _up_to_date(kit: StaffKit, given: Credentials, known: people.Proof) -> people.Proof:
    """A hash of older figures is replaced when its password comes."""
    if not outdated(kit.hasher, known.password_hash):
        return known
    fresh = replace(known, password_hash=await hashed(kit.hasher, given.password))
    async with kit.db.begin() as tx:
        await people.refresh_hash(tx.conn, known, fresh.password_hash)
    return fresh


async def _checked(kit: StaffKit, password: str, attempt: _Try) -> people.Proof | None:
    """The proof that the password fits, or None."""
    proof = attempt.proof
    if not await fits(kit.hasher, password, proof.password_hash if proof else None, known=attempt.familiar):
        log.warning("wrong password or unknown login")
        return None
    async with kit.db.begin() as tx:
        await locks.forget(tx.conn, attempt.counts)
    return proof


async def _replacement(kit: StaffKit, given: Credentials) -> str | None:
    if given.new_password is None:
        return None
    faults = _weaknesses("new_password", given)
    if faults:
        raise Invalid(faults)
    return await hashed(kit.hasher, given.new_password)


def _weaknesses(field: str, given: Credentials) -> list[Fault]:
    new = given.new_password or ""
    same = [Fault(field, "新密码不能与原密码相同，请换一个。")] if new == given.password else []
    return password_faults(field, given.login, new) + same
