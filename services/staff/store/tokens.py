"""Tokens for other systems: kept as hashes of random secrets."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.staff.domain.doors import ApiToken
from services.staff.store.tables import NOW, api_tokens, members
from shared.db.lists import Part, Sorting
from shared.powers import Action

_TOKEN = select(
    api_tokens.c.id,
    api_tokens.c.staff_id,
    members.c.name.label("owner"),
    api_tokens.c.name,
    api_tokens.c.scopes,
    api_tokens.c.made_at,
    api_tokens.c.ends_at,
    api_tokens.c.last_used_at,
    api_tokens.c.revoked_at,
).join(members)
_GOOD = api_tokens.c.revoked_at.is_(None) & (api_tokens.c.ends_at > NOW) & members.c.active


def _tokens(rows: Iterable[Row[Any]]) -> list[ApiToken]:
    known = {action.value for action in Action}
    return [
        ApiToken(**{**row._mapping, "scopes": tuple(Action(each) for each in row.scopes if each in known)})  # noqa: SLF001
        for row in rows
    ]


async def add(conn: AsyncConnection, token: ApiToken, secret_hash: bytes) -> None:
    """Keep a new one."""
    row = {"id": token.id, "staff_id": token.staff_id, "name": token.name, "ends_at": token.ends_at}
    await conn.execute(insert(api_tokens).values(**row, scopes=[*token.scopes], secret_hash=secret_hash))


@dataclass(frozen=True)
class Wanted:
    """Which tokens: a member's (None: everybody's), in one state (`good`, `ended`, `revoked`)."""

    staff_id: UUID | None = None
    state: str = ""


SORTING = Sorting(
    {
        "made": api_tokens.c.made_at,
        "name": api_tokens.c.name,
        "owner": members.c.name.label("owner"),
        "ends": api_tokens.c.ends_at,
        "used": api_tokens.c.last_used_at,
    },
    api_tokens.c.id,
    "-made",
)
_REVOKED = api_tokens.c.revoked_at.is_not(None)
_STATES = {
    "good": ~_REVOKED & (api_tokens.c.ends_at > NOW),
    "ended": ~_REVOKED & (api_tokens.c.ends_at <= NOW),
    "revoked": _REVOKED,
}


async def page(conn: AsyncConnection, wanted: Wanted, part: Part) -> tuple[list[ApiToken], str | None]:
    """Tokens, newest first unless asked otherwise, and where the list goes on."""
    query = _TOKEN
    if wanted.staff_id is not None:
        query = query.where(api_tokens.c.staff_id == wanted.staff_id)
    if wanted.state:
        query = query.where(_STATES[wanted.state])
    rows, following = await SORTING.part(conn, query, part)
    return _tokens(rows), following


async def one(conn: AsyncConnection, token_id: UUID) -> ApiToken | None:
    """One of them."""
    return next(iter(_tokens(await conn.execute(_TOKEN.where(api_tokens.c.id == token_id)))), None)


async def revoke(conn: AsyncConnection, token_id: UUID) -> bool:
    """End it; False when it had been already."""
    here = (api_tokens.c.id == token_id) & api_tokens.c.revoked_at.is_(None)
    return (await conn.execute(update(api_tokens).where(here).values(revoked_at=NOW))).rowcount > 0


async def revoke_all(conn: AsyncConnection, staff_id: UUID) -> list[str]:
    """End every good one of a member; their names."""
    here = (api_tokens.c.staff_id == staff_id) & api_tokens.c.revoked_at.is_(None) & (api_tokens.c.ends_at > NOW)
    ended = update(api_tokens).where(here).values(revoked_at=NOW).returning(api_tokens.c.name)
    return sorted((await conn.execute(ended)).scalars())


async def owner(conn: AsyncConnection, secret_hash: bytes) -> UUID | None:
    """Whose token has this secret."""
    query = select(api_tokens.c.staff_id).where(api_tokens.c.secret_hash == secret_hash)
    found: UUID | None = (await conn.execute(query)).scalar()
    return found


async def used(conn: AsyncConnection, secret_hash: bytes) -> ApiToken | None:
    """The good token with this secret, noted as used now."""
    found = _tokens(await conn.execute(_TOKEN.where(api_tokens.c.secret_hash == secret_hash, _GOOD)))
    if found:
        await conn.execute(update(api_tokens).where(api_tokens.c.id == found[0].id).values(last_used_at=NOW))
    return next(iter(found), None)
