"""Who calls: short-lived tokens signed by the staff service, in a cookie for browsers or as a bearer; parties' visits.

`shared/http/tokens.py` says what makes them good. A visit of a party is never good for a staff route.
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from fastapi import Request

from shared.errors import Forbidden, Unauthenticated
from shared.powers import POSTS, Action, Role, allowed

STAFF_COOKIE = "yg_session"
PARTY_COOKIE = "yg_party"


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
    caller: Caller = request.app.state.kit.staff_tokens.staff(token)
    request.state.caller = caller
    return caller


def party_of(request: Request) -> PartyCaller:
    """The party who visits. Raises Unauthenticated."""
    token = request.cookies.get(PARTY_COOKIE)
    if not token:
        raise Unauthenticated("party_not_entered", "请先用查询码进入。")
    party: PartyCaller = request.app.state.kit.party_sessions.party(token)
    return party


def require(action: Action) -> Any:
    """A dependency that lets only callers pass whom the powers table allows."""

    def check(request: Request) -> Caller:
        caller = caller_of(request)
        if not allowed(action, caller.roles):
            raise Forbidden("not_allowed", "您的岗位没有办理此事的权限；如确需办理，请联系执行管理人员。")
        return caller

    return check
