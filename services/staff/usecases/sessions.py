"""Coming in, staying in, going out; and one's own password.

A password is counted as a try before it is looked at, so that tries at the same instant cannot outrun the lock.
"""

import hashlib
import logging
import math
import secrets
from dataclasses import dataclass

from services.staff import store
from services.staff.domain import SESSION, Member, password_faults
from services.staff.settings import StaffSettings
from services.staff.usecases.passwords import fits, hashed
from shared.db import tries
from shared.db.transaction import Transaction
from shared.errors import Conflict, Fault, Invalid, TooMany, Unauthenticated
from shared.http.auth import Caller
from shared.runtime.service import Kit

log = logging.getLogger(__name__)

StaffKit = Kit[StaffSettings]


@dataclass(frozen=True)
class Credentials:
    """What somebody says at the door; `new_password` replaces the password in the same act."""

    login: str
    password: str
    new_password: str | None = None


@dataclass(frozen=True)
class Admission:
    """Who came in, and the secret that renews their sign-in."""

    member: Member
    refresh: str


async def sign_in(kit: StaffKit, given: Credentials) -> Admission:
    """Open a session. Raises Unauthenticated, TooMany, Conflict (a new password is due) or Invalid (it is too weak)."""
    known = await _at_the_door(kit, given)
    new_hash = await _replacement(given)
    async with kit.db.begin() as tx:
        member = await _let_in(tx, known, new_hash)
        refresh = await _open_session(tx, member)
    log.info("signed in", extra={"staff": member.id})
    return Admission(member, refresh)


async def token_for_script(kit: StaffKit, given: Credentials) -> str:
    """A bearer token, without a session to renew it. Raises as `sign_in`."""
    known = await _at_the_door(kit, given)
    new_hash = await _replacement(given)
    async with kit.db.begin() as tx:
        member = await _let_in(tx, known, new_hash)
    return session_token(kit, member)


async def renew(kit: StaffKit, refresh: str | None) -> Member:
    """Whose session the secret keeps open, as they now are. Raises Unauthenticated."""
    async with kit.db.read() as conn:
        member = await store.whose_session(conn, _digest(refresh or ""))
    if member is None:
        raise Unauthenticated("sign_in_expired", "登录已失效，请重新登录。")
    return member


async def sign_out(kit: StaffKit, refresh: str | None) -> None:
    """End the session, if there is one."""
    async with kit.db.begin() as tx:
        await store.revoke(tx.conn, _digest(refresh or ""))


async def change_password(kit: StaffKit, caller: Caller, old: str, new: str) -> Admission:
    """Replace one's own password; every session ends and a new one begins. Raises Invalid or TooMany."""
    given = Credentials(caller.login, old, new)
    known = await _proven(kit, given)
    faults = [] if known else [Fault("old", "原密码不正确，请核对后重新输入。")]
    faults += _weaknesses("new", given)
    if known is None or faults:
        raise Invalid(faults)
    new_hash = await hashed(new)
    async with kit.db.begin() as tx:
        member = await _let_in(tx, known, new_hash)
        return Admission(member, await _open_session(tx, member))


def caller_for(member: Member) -> Caller:
    """The member as the other services know them."""
    return Caller(member.id, member.login, member.name, member.court, member.department, frozenset(member.roles))


def session_token(kit: StaffKit, member: Member) -> str:
    """The signed token that every service accepts for half an hour."""
    return kit.staff_signer.for_staff(caller_for(member), SESSION)


async def _at_the_door(kit: StaffKit, given: Credentials) -> store.Proof:
    """The same answer for a wrong password, an unknown login and somebody who no longer works here."""
    known = await _proven(kit, given)
    if known is None:
        raise _wrong()
    return known


async def _proven(kit: StaffKit, given: Credentials) -> store.Proof | None:
    """The proof that the password fits, or None. Raises TooMany while the login is locked, whether it exists or not."""
    mark = kit.keyring.blind_index(given.login, "login")
    async with kit.db.begin() as tx:
        left = await tries.claim(tx.conn, mark)
        if left:
            raise _locked(left)
        known = await store.proof(tx.conn, given.login)
    if not await fits(given.password, known.password_hash if known else None):
        log.warning("wrong password or unknown login")
        return None
    async with kit.db.begin() as tx:
        await tries.forget(tx.conn, mark)
    return known


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


async def _let_in(tx: Transaction, known: store.Proof, new_hash: str | None) -> Member:
    """The member, unless they were barred or their password changed while it was being checked."""
    member = await store.locked(tx.conn, known.staff_id)
    if member is None or not await store.still_holds(tx.conn, known):
        raise _wrong()
    if new_hash is not None:
        await store.set_password(tx.conn, member.id, new_hash, must_change=False)
    elif member.must_change:
        raise Conflict("password_must_change", "这是初始密码，须先设置新密码才能登录：请同时填写新密码。")
    return member


async def _open_session(tx: Transaction, member: Member) -> str:
    refresh = secrets.token_urlsafe(32)
    await store.open_session(tx.conn, member.id, _digest(refresh))
    return refresh


def _digest(refresh: str) -> bytes:
    return hashlib.sha256(refresh.encode()).digest()


def _wrong() -> Unauthenticated:
    return Unauthenticated("wrong_login_or_password", "登录名或密码不正确，请核对后重试。连续5次不正确，将暂停15分钟。")


def _locked(left: float) -> TooMany:
    minutes = math.ceil(left / 60)
    text = f"这个登录名连续5次没有输对密码，已暂停登录。请在{minutes}分钟后再试；如忘记密码，请联系系统管理员重置。"
    return TooMany("sign_in_locked", text, math.ceil(left))
