"""Puts what rests under former keys under the current ones, portion by portion, while the product runs.

Whoever sees new keys on the service's ring begins; the canary is renewed last, so that a process which starts in the
middle goes on. What does not open stays as it is.
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy import Column, ColumnElement, any_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import Text

from shared.crypto.lookups import Lookups
from shared.crypto.sealed import SealError
from shared.db.arrays import arrays, unnested
from shared.db.sealed import Hashed, Keys, SealedTable
from shared.halves import in_halves
from shared.runtime import canaries
from shared.runtime.key_files import SPREAD
from shared.runtime.secrets import Secret
from shared.runtime.service import MORE, Kit

log = logging.getLogger(__name__)

PORTION = 200

Row = Mapping[str, Any]


class Resealer:
    """One service's re-sealing; `step` does a portion and answers MORE while there may be another."""

    def __init__(
        self,
        kit: Kit[Any],
        tables: Sequence[SealedTable],
        held: Collection[Secret],
        patience: float = SPREAD,
        portion: int = PORTION,
    ) -> None:
        self._kit = kit
        self._tables = tables
        self._held = held
        self._patience = patience
        self._rows = portion
        self._done = ""
        self._seen = ("", 0.0)
        self._place = 0
        self._after: tuple[Any, ...] | None = None
        self._changed = 0

    async def step(self) -> object:
        """Re-seal a portion."""
        current = self._current()
        if any(keys.current != keys.newest for keys in self._hashing()):
            return None  # the newest does not hash yet
        if current == self._done or not self._is_time(current):
            return None
        if await canaries.is_current(self._kit, self._held):
            self._done = current
            return None
        if self._place == 0 and self._after is None:
            await canaries.renew(self._kit, {Secret.KEYRING}, only={Secret.DROP})
        if self._place < len(self._tables):
            await self._portion(self._tables[self._place])
            return MORE
        return await self._end_of_pass()

    def _current(self) -> str:
        return " ".join([self._kit.keyring.current, *(keys.current for keys in self._hashing())])

    def _hashing(self) -> list[Lookups]:
        held = [Keys.KEYRING, Keys.LOOKUPS] if Secret.LOOKUPS in self._held else [Keys.KEYRING]
        return [_index_keys(self._kit, keys) for keys in held]

    def _is_time(self, current: str) -> bool:
        if self._seen[0] != current:
            self._seen = (current, time.monotonic())
            self._place, self._after, self._changed = 0, None, 0
        return time.monotonic() - self._seen[1] >= self._patience

    async def _end_of_pass(self) -> object:
        """Rows that others held meanwhile are looked for again, until a pass finds none."""
        changed, self._place, self._changed = self._changed, 0, 0
        if changed:
            return MORE
        await canaries.renew(self._kit, self._held)
        log.warning("all rows are under the current keys", extra={"service": self._kit.service})
        return None

    async def _portion(self, each: SealedTable) -> None:
        keys = list(each.table.primary_key.columns)
        async with self._kit.db.begin() as tx:
            rows = (await tx.conn.execute(self._due(each), self._old())).mappings()
            found = [dict(row) for row in rows]
            new = [_renewed(self._kit, each, row) for row in found]
            changed = [row for row, old in zip(new, found, strict=True) if row != _kept(each, old)]
            self._changed += await _put(tx.conn, each, changed)
        if len(found) < self._rows:
            self._place, self._after = self._place + 1, None
        else:
            self._after = tuple(found[-1][key.name] for key in keys)

    def _old(self) -> dict[str, list[str]]:
        ring = self._kit.keyring
        return {"old": sorted(set(ring.openers) - {ring.current})}

    def _due(self, each: SealedTable) -> Any:
        keys = list(each.table.primary_key.columns)
        query = select(each.table).where(or_(*self._marks(each))).order_by(*keys).limit(self._rows)
        if self._after is not None:
            query = query.where(tuple_(*keys) > tuple_(*(bindparam(None, value) for value in self._after)))
        return query.with_for_update(skip_locked=True)

    def _marks(self, each: SealedTable) -> list[ColumnElement[bool]]:
        old = bindparam("old", type_=ARRAY(Text))
        sealed = [func.split_part(each.table.c[name], ".", 1) == any_(old) for name in each.columns]
        current = {name: _index_keys(self._kit, hashed.keys).current for name, hashed in each.hashes.items()}
        hashed = [~func.starts_with(each.table.c[name], f"{index}.") for name, index in current.items() if index]
        return [*sealed, *hashed]


def _index_keys(kit: Kit[Any], keys: Keys) -> Lookups:
    return kit.keyring.lookups if keys is Keys.KEYRING else kit.lookups


def _key(column: Column[Any]) -> str:
    """What the row is known by, beside a column of the same name that changes."""
    return f"key_{column.name}"


def _kept(each: SealedTable, row: Row) -> dict[str, Any]:
    keys = {_key(column): row[column.name] for column in each.table.primary_key.columns}
    return keys | {name: row[name] for name in (*each.columns, *each.hashes)}


def _renewed(kit: Kit[Any], each: SealedTable, row: Row) -> dict[str, Any]:
    """The row's keys, and its columns as they are to be: a text about a hash is about the new one."""
    opened = _opened(kit, each, row)
    hashes = {name: _hashed(kit, hashed, opened, row[name]) for name, hashed in each.hashes.items()}
    new, after = _kept(each, row) | hashes, {**row, **hashes}
    for name, text in opened.items():
        subject = each.columns[name].format_map(after)
        stays = subject == each.columns[name].format_map(row)
        if not (stays and row[name].startswith(f"{kit.keyring.current}.")):
            new[name] = kit.keyring.seal(text, subject)
    return new


def _opened(kit: Kit[Any], each: SealedTable, row: Row) -> dict[str, str]:
    opened = {}
    for name, about in each.columns.items():
        if row[name] is not None:
            with suppress(SealError):
                opened[name] = kit.keyring.open(row[name], about.format_map(row))
    return opened


def _hashed(kit: Kit[Any], hashed: Hashed, opened: Mapping[str, str], former: str | None) -> str | None:
    text = hashed.of(opened) if opened and former is not None else None
    return former if text is None else _index_keys(kit, hashed.keys).index(text, hashed.purpose)


async def _put(conn: AsyncConnection, each: SealedTable, rows: Sequence[Row]) -> int:
    """Write the rows down; how many. What collides with another row's hash stays as it is, and is found as before."""
    stay = await in_halves(rows, partial(_is_put, conn, each))
    if stay:
        log.warning("rows stay under former keys", extra={"table": each.table.name, "rows": len(stay)})
    return len(rows) - len(stay)


async def _is_put(conn: AsyncConnection, each: SealedTable, rows: Sequence[Row]) -> bool:
    try:
        async with conn.begin_nested():
            await conn.execute(*_change(each, rows))
    except IntegrityError:
        return False
    return True


def _change(each: SealedTable, rows: Sequence[Row]) -> tuple[Any, dict[str, list[Any]]]:
    keys = {_key(column): column for column in each.table.primary_key.columns}
    changing = {name: each.table.c[name] for name in (*each.columns, *each.hashes)}
    columns = {name: column.type for name, column in (keys | changing).items()}
    given = unnested(columns)
    here = [column == given.c[name] for name, column in keys.items()]
    return update(each.table).where(*here).values({name: given.c[name] for name in changing}), arrays(columns, rows)
