"""What a browser carries between two steps of coming in, sealed: nothing is kept here of somebody who is not in yet."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from pydantic import BaseModel

from services.staff.domain.factor import grouped, link, new_secret
from services.staff.store import people
from services.staff.usecases.kit import MACHINE, StaffKit
from shared.crypto.sealed import SealError
from shared.errors import Conflict, Unauthenticated

GOOD_FOR = timedelta(minutes=30)
"""Time enough to put an authenticator on a telephone."""
_PASSED, _OFFERED = "password passed", "factor offered"


@dataclass(frozen=True)
class Passed:
    """Somebody whose password was right: what it was checked against, and the hash of the new one where one is due."""

    login: str
    known: people.Proof
    new_hash: str | None = None


class _Ticket(BaseModel):
    login: str
    mark: str
    new_hash: str | None
    at: datetime


@dataclass(frozen=True)
class Offer:
    """A secret to be put on a telephone: as text, as what a QR code says, and sealed until a code confirms it."""

    secret: str
    link: str
    sealed: str

    @property
    def grouped(self) -> str:
        """The secret as it is typed."""
        return grouped(self.secret)


class Offered(BaseModel):
    """The same as it comes back. `instead`: whoever asked has proved the factor that this one replaces."""

    staff_id: UUID
    secret: str
    instead: bool
    at: datetime


def ticket(kit: StaffKit, passed: Passed) -> str:
    """To be given back with the second step; a new password, or half an hour, makes it worthless."""
    mark = _mark(passed.known)
    made = _Ticket(login=passed.login, mark=mark, new_hash=passed.new_hash, at=MACHINE.now())
    return kit.keyring.seal_model(made, _PASSED)


async def passed_by(kit: StaffKit, sealed: str) -> Passed:
    """Whose password was right. Raises Unauthenticated."""
    try:
        shown = kit.keyring.open_model(_Ticket, sealed, _PASSED)
    except SealError:
        raise _lapsed() from None
    async with kit.db.read() as conn:
        proof = await people.proof(conn, shown.login)
    if proof is None or _mark(proof) != shown.mark or MACHINE.now() - shown.at > GOOD_FOR:
        raise _lapsed()
    return Passed(shown.login, proof, shown.new_hash)


def offer(kit: StaffKit, staff_id: UUID, login: str, *, instead: bool = False) -> Offer:
    """A new secret for a member."""
    secret = new_secret()
    made = Offered(staff_id=staff_id, secret=secret, instead=instead, at=MACHINE.now())
    return Offer(secret, link(secret, login), kit.keyring.seal_model(made, _OFFERED))


def same_offer(kit: StaffKit, staff_id: UUID, login: str, sealed: str) -> Offer:
    """The offer again, for a page that is shown again. Raises Conflict."""
    secret = offered(kit, staff_id, sealed).secret
    return Offer(secret, link(secret, login), sealed)


def offered(kit: StaffKit, staff_id: UUID, sealed: str) -> Offered:
    """What was offered to a member. Raises Conflict for what was not, or too long ago."""
    try:
        made = kit.keyring.open_model(Offered, sealed, _OFFERED)
    except SealError:
        made = None
    if made is None or made.staff_id != staff_id or MACHINE.now() - made.at > GOOD_FOR:
        raise Conflict("offer_lapsed", "这个二维码已经失效，没有启用。请重新打开本页，用新的二维码办理。")
    return made


def _mark(proof: people.Proof) -> str:
    return hashlib.sha256(proof.password_hash.encode()).hexdigest()


def _lapsed() -> Unauthenticated:
    return Unauthenticated("sign_in_lapsed", "这次登录已超过30分钟，或密码已经更换。请重新输入登录名和密码。")
