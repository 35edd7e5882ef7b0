"""Who calls: short-lived tokens signed by the staff service, in a cookie for browsers or as a bearer; parties' visits.

`shared/http/tokens.py` says what makes them good. A visit of a party is never good for a staff route.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import Request

from shared.clock import SystemClock
from shared.db.reach import Reach
from shared.errors import FactorNeeded, Forbidden, Unauthenticated
from shared.powers import FACTOR_WITHIN, IN_PERSON, NOT_IN_DOUBT, POSTS, Action, Role, allowed, read_within

STAFF_COOKIE = "yg_session"
PARTY_COOKIE = "yg_party"
_MACHINE = SystemClock()
NEVER_READ = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class Caller:
    """A member of staff who is signed in."""

    staff_id: UUID
    login: str
    name: str
    court: str
    department: str
    roles: frozenset[Role]
    session: UUID | None = None
    """The session, or the API token, from which the token comes; it is taken back by this."""
    scopes: frozenset[Action] | None = None
    """What alone an API token lets its bearer do; None: all that the roles do."""
    born: datetime = field(default=NEVER_READ, compare=False)
    """When what the token says was read, by the staff database's clock; by default, when the token was issued."""
    factor_at: datetime | None = field(default=None, compare=False)
    """When the second factor was given, by the machine's clock; None: it was not."""
    doubted: bool = field(default=False, compare=False)
    """Whether the integrity office has yet to look into how they were let in: by a reset, or to a new post."""

    @property
    def title(self) -> str:
        """The post in Chinese."""
        return "、".join(sorted(POSTS[role].title for role in self.roles))

    def can(self, action: str) -> bool:
        """Whether the powers table, and the scopes of an API token, let them, and no doubt forbids it."""
        scoped = self.scopes is None or (action in self.scopes and action not in IN_PERSON)
        return scoped and not self.waits_for(action) and allowed(Action(action), self.roles)

    def waits_for(self, action: str) -> bool:
        """Whether they do this only once the integrity office has looked into how they were let in."""
        return self.doubted and action in NOT_IN_DOUBT

    def reach(self, action: Action) -> Reach | None:
        """In which cases they may do what they can do; None: in all."""
        powers = read_within(action, self.roles)
        return None if powers is None else Reach(powers, self.staff_id)


@dataclass(frozen=True)
class PartyCaller:
    """A party who entered with code and last six characters: one party of one case, for one visit."""

    party_id: UUID
    case_id: UUID
    visit: UUID
    entered_at: datetime


def bearer(request: Request) -> str | None:
    """The token of the header, if there is one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def with_factor(caller: Caller, within: timedelta) -> None:
    """Only somebody passes who has given their second factor so lately. Raises FactorNeeded."""
    if caller.factor_at is None or _MACHINE.now() - caller.factor_at > within:
        raise FactorNeeded(int(within.total_seconds()))


def in_doubt() -> Forbidden:
    """For whom the integrity office has yet to look into."""
    return Forbidden(
        "in_doubt",
        "您的密码或两步验证由他人重置，或者岗位由他人授予，监察部门还没有核对，核对之前暂不能办理此事，其他工作照常。"
        "请联系监察人员在“登录记录”页核对；没有其他监察人员的，由信息中心在服务器上核对。",
    )


async def caller_of(request: Request) -> Caller:
    """The member of staff who calls, if their sign-in still stands. Raises Unauthenticated."""
    known = getattr(request.state, "caller", None)
    if isinstance(known, Caller):
        return known
    token = bearer(request) or request.cookies.get(STAFF_COOKIE)
    if not token:
        raise Unauthenticated("not_signed_in", "请先登录。")
    caller: Caller = request.app.state.kit.staff_tokens.staff(token)
    await request.app.state.access.check(caller)
    request.state.caller = caller
    return caller


def party_of(request: Request) -> PartyCaller:
    """The party who visits. Raises Unauthenticated."""
    token = request.cookies.get(PARTY_COOKIE)
    if not token:
        raise Unauthenticated("party_not_entered", "请先用查询码进入。")
    party: PartyCaller = request.app.state.kit.party_sessions.party(token)
    return party


def signed_in(request: Request) -> bool:
    """Whether a member of staff is signed in where this request comes from, at a public page too."""
    token = request.cookies.get(STAFF_COOKIE)
    if not token:
        return False
    try:
        request.app.state.kit.staff_tokens.staff(token)
    except Unauthenticated:
        return False
    return True


async def still(request: Request, action: Action) -> bool:
    """Whether whoever was let in would be let in now: what stays open asks again and again."""
    request.state.caller = None
    try:
        await require(action)(request)
    except (Unauthenticated, Forbidden):
        return False
    return True


def require(action: Action) -> Any:
    """A dependency: only callers pass whom the powers table allows, in person or with a factor where it asks so."""

    async def check(request: Request) -> Caller:
        caller = await caller_of(request)
        if not allowed(action, caller.roles):
            raise Forbidden("not_allowed", "您的岗位没有办理此事的权限；如确需办理，请联系执行管理人员。")
        if caller.scopes is not None and action in IN_PERSON:
            raise Forbidden("in_person_only", "此事须由本人登录办理，不能用访问令牌。")
        if caller.waits_for(action):
            raise in_doubt()
        if not caller.can(action):
            raise Forbidden("out_of_scope", "这个访问令牌的范围不包括此事；如确需办理，请另建令牌。")
        if action in FACTOR_WITHIN:
            with_factor(caller, FACTOR_WITHIN[action])
        return caller

    return check
