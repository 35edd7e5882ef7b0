"""A canary in each database: a word sealed and hashed with the keys of its rows, looked at before anything is written.

A process that has lost its keys, or was given others, must not begin: it could open nothing that is there, and would
seal what comes under keys that nobody expects.
"""

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.crypto.sealed import SealError
from shared.db.sealed import SealedTable
from shared.db.tables import canaries
from shared.runtime.secrets import Secret, SecretsMissingError
from shared.runtime.service import Kit

_WORD = "canary"


class KeysDifferError(SecretsMissingError):
    """The database holds what was sealed or hashed with other keys."""

    def __init__(self, secret: Secret, service: str) -> None:
        super().__init__(
            f"{service} 的数据库里的数据不是用现在这把 {secret.setting} 加密或签署的：请把与数据相配的密钥文件"
            f"（{secret.file_name(service)}）从备份恢复原处后再启动；本次启动没有写入任何内容。"
        )


@dataclass(frozen=True)
class Mark:
    """What one secret leaves in the database."""

    secret: Secret
    sealed: str = ""
    hashed: str = ""


def marks(kit: Kit[Any], held: Iterable[Secret]) -> Iterator[Mark]:
    """What the secrets that this process holds leave, under the current keys."""
    for secret in held:
        match secret:
            case Secret.KEYRING:
                ring = kit.keyring
                yield Mark(secret, ring.seal(_WORD, secret), ring.blind_index(_WORD, _WORD))
                yield Mark(Secret.DROP, hashed=" ".join(box.key_id for box in ring.parts.boxes))
            case Secret.EXCHANGE:
                yield Mark(secret, kit.exchange.seal(_WORD, secret))
            case Secret.LOOKUPS:
                yield Mark(secret, hashed=kit.lookups.index(_WORD, _WORD))
            case Secret.SIGNING_KEY:
                yield Mark(secret, hashed=kit.signing.key_id)
            case _:
                pass


async def check(kit: Kit[Any], held: Iterable[Secret], tables: Sequence[SealedTable]) -> None:
    """Raises KeysDifferError unless the keys are those of the database, or it is new."""
    declared = set(held)
    async with kit.db.read() as conn:
        left = (await conn.execute(select(canaries))).all() if await _is_there(conn, canaries.name) else []
        if Secret.KEYRING not in {row.secret for row in left}:
            await _check_rows(conn, kit, declared, tables)
        for row in left:
            secret = Secret(row.secret)
            if secret in declared and not _fits(kit, secret, row):
                raise KeysDifferError(secret, kit.service)


def _fits(kit: Kit[Any], secret: Secret, row: Any) -> bool:
    match secret:
        case Secret.KEYRING:
            return _opens(kit.keyring, row.sealed, secret) and row.hashed in kit.keyring.blind_indexes(_WORD, _WORD)
        case Secret.EXCHANGE:
            return _opens(kit.exchange, row.sealed, secret)
        case Secret.LOOKUPS:
            return row.hashed in kit.lookups.indexes(_WORD, _WORD)
        case Secret.DROP:
            return kit.drop.key_id in row.hashed.split()
        case Secret.SIGNING_KEY:
            return row.hashed in kit.signing.known
        case _:
            return True


def _opens(ring: Any, sealed: str, about: str) -> bool:
    try:
        return bool(ring.open(sealed, about) == _WORD)
    except SealError:
        return False


async def _check_rows(conn: AsyncConnection, kit: Kit[Any], held: set[Secret], tables: Sequence[SealedTable]) -> None:
    """A database of an older release has no canary, with or without a place for it: one of its rows must do."""
    if Secret.KEYRING not in held:
        return
    for each in tables:
        if not await _is_there(conn, each.table.name):
            continue
        for name, about in each.columns.items():
            query = select(each.table).where(each.table.c[name].is_not(None)).limit(1)
            for row in (await conn.execute(query)).mappings():
                if not _readable(kit, row[name], about.format_map(row)):
                    raise KeysDifferError(Secret.KEYRING, kit.service)


def _readable(kit: Kit[Any], sealed: str, about: str) -> bool:
    try:
        kit.keyring.open(sealed, about)
    except SealError:
        return False
    return True


async def _is_there(conn: AsyncConnection, table: str) -> bool:
    return (await conn.execute(select(func.to_regclass(table)))).scalar_one() is not None


async def write(kit: Kit[Any], held: Iterable[Secret]) -> None:
    """Leave a canary of each secret that has none yet.

    That of the ring is sealed with its oldest key: rows of an older release may rest under it, and are yet to follow.
    """
    rows = [{"secret": mark.secret.value, "sealed": mark.sealed, "hashed": mark.hashed} for mark in marks(kit, held)]
    for row in rows:
        if row["secret"] == Secret.KEYRING:
            row["sealed"] = kit.keyring.oldest.seal(_WORD, Secret.KEYRING)
    if rows:
        async with kit.db.begin() as tx:
            await tx.conn.execute(upsert(canaries).on_conflict_do_nothing(), rows)


async def renew(kit: Kit[Any], held: Iterable[Secret], only: Collection[Secret] = frozenset(Secret)) -> None:
    """Leave the canaries under the current keys: everything else is under them by now. That of the ring comes last."""
    for mark in sorted(marks(kit, held), key=lambda mark: mark.secret is Secret.KEYRING):
        if mark.secret not in only:
            continue
        new = {"sealed": mark.sealed, "hashed": mark.hashed}
        async with kit.db.begin() as tx:
            row = upsert(canaries).values(secret=mark.secret.value, **new)
            await tx.conn.execute(row.on_conflict_do_update(index_elements=["secret"], set_=new))


async def is_current(kit: Kit[Any], held: Collection[Secret]) -> bool:
    """Whether all rows are known to be under the current keys of the service."""
    async with kit.db.read() as conn:
        left = {row.secret: row for row in await conn.execute(select(canaries))}
    hashed = {mark.secret: mark.hashed for mark in marks(kit, {Secret.KEYRING, Secret.LOOKUPS} & set(held))}
    own = left.get(Secret.KEYRING)
    sealed = own is not None and own.sealed.startswith(f"{kit.keyring.current}.")
    found = {secret: left[secret].hashed for secret in (Secret.KEYRING, Secret.LOOKUPS) if secret in left}
    return sealed and all(found[secret] == hashed[secret] for secret in found if secret in hashed)
