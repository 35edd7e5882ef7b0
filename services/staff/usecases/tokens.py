"""Tokens for other systems: random secrets, each with a name, scopes and an end, that anybody can take back.

A secret is worth nothing but a signed token for a quarter of an hour, which every service verifies by itself and whose
session is the API token: taken back, both end within seconds.
"""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.staff.domain.doors import LONGEST_API_TOKEN, ApiToken, DoorKind
from services.staff.store import people, record, tokens
from services.staff.usecases.admission import caller_for
from services.staff.usecases.kit import MACHINE, StaffKit
from services.staff.usecases.revoking import outdate, standing
from shared.db import revocations
from shared.db.answers import given_before, remember
from shared.db.lists import Part
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, Fault, Forbidden, Invalid, NotFound, Unauthenticated
from shared.http.auth import Caller
from shared.powers import IN_PERSON, Action, allowed

PREFIX = "ygt_"
EXCHANGED = timedelta(minutes=15)


@dataclass(frozen=True)
class NewApiToken:
    """What somebody asks for."""

    name: str
    scopes: tuple[Action, ...]
    days: int


@dataclass(frozen=True)
class MadeApiToken:
    """It, and its secret, which is shown this once."""

    token: ApiToken
    secret: str


def offered(caller: Caller) -> list[Action]:
    """What the caller may hand on: what they may do themselves, and need not do in person."""
    return [action for action in Action if caller.can(action) and action not in IN_PERSON]


async def make(kit: StaffKit, caller: Caller, asked: NewApiToken, once: tuple[str, str] | None = None) -> MadeApiToken:
    """A new token of the caller's. `once`: key and fingerprint of the request, whose answer nobody keeps.

    Raises Invalid for scopes that are not theirs, Unauthenticated, Conflict for a request sent again.
    """
    beyond = [scope for scope in asked.scopes if scope not in offered(caller)]
    if beyond:
        raise Invalid([Fault("scopes", "范围只能在您自己可以办理的事项之内，请重新选择。")])
    now = MACHINE.now()
    ends_at = now + min(timedelta(days=asked.days), LONGEST_API_TOKEN)
    token = ApiToken(new_id(), caller.staff_id, caller.name, asked.name, asked.scopes, now, ends_at, None, None)
    secret = PREFIX + secrets.token_urlsafe(32)
    async with kit.db.begin() as tx:
        await standing(tx, caller)
        await _first_time(tx, f"token:{caller.staff_id}", once)
        await tokens.add(tx.conn, token, _digest(secret))
        await record.note(tx.conn, DoorKind.API_TOKEN_MADE, caller.staff_id, caller.staff_id, asked.name)
    return MadeApiToken(token, secret)


async def _first_time(tx: Transaction, scope: str, once: tuple[str, str] | None) -> None:
    if once is None:
        return
    if await given_before(tx, scope, *once) is not None:
        made = "这个访问令牌已经创建，内容只显示一次。没有看到的，请在列表中撤销它，再刷新本页新建。"
        raise Conflict("token_made_already", made)
    await remember(tx, scope, *once, {})


async def page(kit: StaffKit, caller: Caller, state: str, part: Part) -> tuple[Sequence[ApiToken], str | None]:
    """The caller's tokens, or everybody's for who watches over sign-in; and where the list goes on."""
    whose = None if caller.can(Action.STAFF_WATCH) else caller.staff_id
    async with kit.db.read() as conn:
        return await tokens.page(conn, tokens.Wanted(whose, state), part)


async def revoke(kit: StaffKit, caller: Caller, token_id: UUID) -> None:
    """Take a token back: one's own, or as an administrator anybody's. Raises NotFound or Forbidden."""
    async with kit.db.begin() as tx:
        token = await tokens.one(tx.conn, token_id)
        if token is None or not (token.staff_id == caller.staff_id or caller.can(Action.STAFF_WATCH)):
            raise NotFound("no_such_token", "没有这个访问令牌，请刷新页面核对。")
        if token.staff_id != caller.staff_id and not caller.can(Action.STAFF_MANAGE):
            raise Forbidden("not_allowed", "他人的访问令牌由本人或系统管理员撤销。")
        if await tokens.revoke(tx.conn, token_id):
            await outdate(tx, token.staff_id, token_id)
            await record.note(tx.conn, DoorKind.API_TOKEN_REVOKED, token.staff_id, caller.staff_id, token.name)


async def exchange(kit: StaffKit, secret: str) -> tuple[str, datetime]:
    """A signed token for a quarter of an hour, within the scopes, and its end. Raises Unauthenticated."""
    async with kit.db.begin() as tx:
        owner = await tokens.owner(tx.conn, _digest(secret))
        member = None if owner is None else await people.held(tx.conn, owner)
        read_at = await revocations.instant(tx.conn)
        token = await tokens.used(tx.conn, _digest(secret))
    if token is None or member is None:
        raise Unauthenticated("api_token_refused", "访问令牌不正确、已到期或已撤销，请在“访问令牌”页新建。")
    roles = frozenset(member.roles)
    scopes = frozenset(scope for scope in token.scopes if allowed(scope, roles))
    ends = min(read_at + EXCHANGED, token.ends_at)
    return kit.staff_signer.for_staff(caller_for(member, read_at, token.id, scopes), ends - read_at), ends


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
