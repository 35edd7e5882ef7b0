"""Who is let in, and what they hold then: a session, a secret that renews it, a device that is known next time."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.staff.domain.doors import SESSION
from services.staff.domain.people import Member
from services.staff.store import doors, people, record
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.locks import Place, digest
from services.staff.usecases.revoking import take_back
from services.staff.usecases.tickets import Passed
from shared.db import revocations
from shared.db.transaction import Transaction
from shared.errors import Unauthenticated
from shared.http.auth import Caller
from shared.http.sources import handed_over, is_handed_over
from shared.powers import Action


@dataclass(frozen=True)
class Opened:
    """A session that stands: whose, as they were at `read_at`, its id, and when a second factor was given in it."""

    member: Member
    session: UUID
    factor_at: datetime | None
    read_at: datetime


@dataclass(frozen=True)
class Admission:
    """Who came in, the secret that renews their sign-in, and the one by which their device is known next time."""

    opened: Opened
    refresh: str
    device: str
    to_be_shown: bool
    """Whether others did something to their sign-in that they are to be shown."""

    @property
    def member(self) -> Member:
        """Who came in."""
        return self.opened.member


async def let_in(tx: Transaction, passed: Passed) -> Member:
    """The member, unless they were barred or their password changed while it was being checked.

    Raises Unauthenticated. A new password takes the old one's place, and ends what that one opened.
    """
    member = await people.locked(tx.conn, passed.known.staff_id)
    if member is None or not await people.still_holds(tx.conn, passed.known):
        raise wrong()
    if not member.roles:
        raise _no_post(member)
    if passed.new_hash is not None:
        await people.set_password(tx.conn, member.id, passed.new_hash, must_change=False)
        await take_back(tx, member.id, member.id)
    return member


async def admit(kit: StaffKit, tx: Transaction, member: Member, place: Place, factor_at: datetime | None) -> Admission:
    """Open a session for a member who is held, and remember the device."""
    refresh, device = secrets.token_urlsafe(32), _device(kit, place)
    session = await doors.open_session(tx.conn, member.id, digest(refresh), factor_at)
    await doors.remember(tx.conn, member.id, digest(device))
    to_be_shown = bool(await record.to_show(tx.conn, member.id))
    opened = Opened(member, session, factor_at, await revocations.instant(tx.conn))
    return Admission(opened, refresh, device, to_be_shown)


def _device(kit: StaffKit, place: Place) -> str:
    """The mark that the device has already, if it was made here."""
    shown = place.device
    return shown if shown and is_handed_over(kit.exchange, shown) else handed_over(kit.exchange)


def caller_for(
    member: Member,
    read_at: datetime,
    session: UUID | None = None,
    scopes: frozenset[Action] | None = None,
    factor_at: datetime | None = None,
) -> Caller:
    """The member as they were at `read_at`, and as the other services know them."""
    roles = frozenset(member.roles)
    post = (member.court, member.department, roles)
    return Caller(member.id, member.login, member.name, *post, session, scopes, read_at, factor_at, member.doubted)


def session_token(kit: StaffKit, opened: Opened) -> str:
    """The signed token that every service accepts for half an hour, unless it is taken back."""
    caller = caller_for(opened.member, opened.read_at, opened.session, factor_at=opened.factor_at)
    return kit.staff_signer.for_staff(caller, SESSION)


def _no_post(member: Member) -> Unauthenticated:
    if member.waiting:
        return Unauthenticated(
            "posts_waiting", "您的岗位待监察部门确认，确认后即可登录。如需尽快办理，请联系监察部门。"
        )
    return Unauthenticated(
        "posts_refused", "监察部门没有确认您的岗位，您现在没有岗位，不能登录。请联系系统管理员重新安排岗位。"
    )


def wrong() -> Unauthenticated:
    """The same answer for a wrong password, an unknown login and somebody who no longer works here."""
    return Unauthenticated(
        "wrong_login_or_password", "登录名或密码不正确，请核对后重试。在同一处连续5次不正确，将暂停15分钟。"
    )
