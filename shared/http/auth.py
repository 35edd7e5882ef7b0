"""Who calls: short-lived tokens signed by the staff service (EdDSA), in a cookie for browsers or as a bearer.

Every service verifies them by the public key alone. Another audience is another kind of person:
a token of a party is never good for a staff route.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from fastapi import Request

from shared.clock import SystemClock
from shared.errors import Forbidden, Unauthenticated
from shared.powers import POSTS, Action, Role, allowed

STAFF_COOKIE = "yg_session"
PARTY_COOKIE = "yg_party"


class Audience(StrEnum):
    """For whom a token is."""

    STAFF = "staff"
    PARTY = "party"


@dataclass(frozen=True)
class Caller:
    """A member of staff who is signed in."""

    staff_id: UUID
    login: str
    name: str
    court: str
    department: str
    roles: frozenset[Role]

    @property
    def title(self) -> str:
        """The post in Chinese."""
        return "、".join(sorted(POSTS[role].title for role in self.roles))

    def can(self, action: str) -> bool:
        """Whether the powers table lets them."""
        return allowed(Action(action), self.roles)


@dataclass(frozen=True)
class PartyCaller:
    """A party who entered with code and last six characters: one party of one case."""

    party_id: UUID
    case_id: UUID


class Tokens:
    """Signs and verifies. Tokens live by the machine's clock: moving the product's clock signs nobody out."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self._public = key.public_key()
        self._clock = SystemClock()

    def issue(self, audience: Audience, subject: str, claims: dict[str, Any], lifetime: timedelta) -> str:
        """A signed token that expires after `lifetime`."""
        now = self._clock.now()
        body = {**claims, "sub": subject, "aud": audience.value, "iat": now, "exp": now + lifetime}
        return jwt.encode(body, self._key, algorithm="EdDSA")

    def verify(self, audience: Audience, token: str) -> dict[str, Any]:
        """The claims. Raises Unauthenticated."""
        try:
            return jwt.decode(
                token, self._public, algorithms=["EdDSA"], audience=audience.value, options={"require": ["exp", "sub"]}
            )
        except (jwt.PyJWTError, ValueError, RecursionError):  # the last two: headers made to upset the parser
            raise _lapsed() from None

    def for_staff(self, caller: Caller, lifetime: timedelta) -> str:
        """A token for a member of staff."""
        claims = {
            "login": caller.login,
            "name": caller.name,
            "court": caller.court,
            "department": caller.department,
            "roles": sorted(caller.roles),
        }
        return self.issue(Audience.STAFF, str(caller.staff_id), claims, lifetime)

    def staff(self, token: str) -> Caller:
        """The member of staff whom a token names. Raises Unauthenticated."""
        claims = self.verify(Audience.STAFF, token)
        try:
            roles = frozenset(Role(role) for role in claims["roles"])
            staff_id = UUID(claims["sub"])
            return Caller(staff_id, claims["login"], claims["name"], claims["court"], claims["department"], roles)
        except (KeyError, ValueError):  # signed by an older or a newer release, which knows other roles
            raise _lapsed() from None

    def for_party(self, party: PartyCaller, lifetime: timedelta) -> str:
        """A token for a party's visit."""
        return self.issue(Audience.PARTY, str(party.party_id), {"case": str(party.case_id)}, lifetime)

    def party(self, token: str) -> PartyCaller:
        """The party whom a token names. Raises Unauthenticated."""
        claims = self.verify(Audience.PARTY, token)
        return PartyCaller(UUID(claims["sub"]), UUID(claims["case"]))


def _lapsed() -> Unauthenticated:
    return Unauthenticated("not_signed_in", "登录已失效，请重新登录。")


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def caller_of(request: Request) -> Caller:
    """The member of staff who calls. Raises Unauthenticated."""
    known = getattr(request.state, "caller", None)
    if isinstance(known, Caller):
        return known
    token = _bearer(request) or request.cookies.get(STAFF_COOKIE)
    if not token:
        raise Unauthenticated("not_signed_in", "请先登录。")
    caller: Caller = request.app.state.kit.tokens.staff(token)
    request.state.caller = caller
    return caller


def party_of(request: Request) -> PartyCaller:
    """The party who visits. Raises Unauthenticated."""
    token = request.cookies.get(PARTY_COOKIE)
    if not token:
        raise Unauthenticated("party_not_entered", "请先用查询码进入。")
    party: PartyCaller = request.app.state.kit.tokens.party(token)
    return party


def require(action: Action) -> Any:
    """A dependency that lets only callers pass whom the powers table allows."""

    def check(request: Request) -> Caller:
        caller = caller_of(request)
        if not allowed(action, caller.roles):
            raise Forbidden("not_allowed", "您的岗位没有办理此事的权限；如确需办理，请联系执行管理人员。")
        return caller

    return check
