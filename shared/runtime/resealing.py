"""Puts what rests under former keys under the current ones, portion by portion, while the product runs.

Whoever sees new keys on the service's ring begins; the canary is renewed last, so that a process which starts in the
middle goes on. What does not open stays as it is.
"""

import logging
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, any_, bindparam, func, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from shared.crypto.sealed import SealError
from shared.db.arrays import arrays, unnested
from shared.db.sealed import SealedTable
from shared.runtime import canaries
from shared.runtime.secrets import Secret
from shared.runtime.service import MORE, Kit

log = logging.getLogger(__name__)

PORTION = 200
PATIENCE = 5.0
"""Seconds until every process follows new keys (`Vault.follow`): before, some would not find what was hashed anew."""

Row = Mapping[str, Any]


class Resealer:
    """One service's re-sealing; `step` does a portion and answers MORE while there may be another."""

    def __init__(
        self, kit: Kit[Any], tables: Sequence[SealedTable], held: Collection[Secret], patience: float = PATIENCE
    ) -> None:
        self._kit = kit
        self._tables = tables
        self._held = held
        self._patience = patience
        self._done = ""
        self._seen = ("", 0.0)
        self._place = 0
        self._after: tuple[Any, ...] | None = None
        self._changed = 0

    async def step(self) -> object:
        """Re-seal a portion."""
        current = self._current()
        if current == self._done or not self._is_time(current):
            return None
        if await canaries.is_current(self._kit.db, self._kit):
            self._done = current
            return None
        if self._place == 0 and self._after is None:
            await canaries.renew(self._kit, {Secret.KEYRING}, only={Secret.DROP})
        if self._place < len(self._tables):
            await self._portion(self._tables[self._place])
            return MORE
        return await self._end_of_pass()

    def _current(self) -> str:
        return f"{self._kit.keyring.current} {self._kit.keyring.lookups.current}"

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
            if changed:
                await tx.conn.execute(*_change(each, changed))
        self._changed += len(changed)
        if len(found) < PORTION:
            self._place, self._after = self._place + 1, None
        else:
            self._after = tuple(found[-1][key.name] for key in keys)

    def _old(self) -> dict[str, list[str]]:
        ring = self._kit.keyring
        return {"old": sorted(set(ring.openers) - {ring.current})}

    def _due(self, each: SealedTable) -> Any:
        keys = list(each.table.primary_key.columns)
        query = select(each.table).where(or_(*self._marks(each))).order_by(*keys).limit(PORTION)
        if self._after is not None:
            query = query.where(tuple_(*keys) > tuple_(*(bindparam(None, value) for value in self._after)))
        return query.with_for_update(skip_locked=True)

    def _marks(self, each: SealedTable) -> list[ColumnElement[bool]]:
        old = bindparam("old", type_=ARRAY(Text))
        sealed = [func.split_part(each.table.c[name], ".", 1) == any_(old) for name in each.columns]
        index = self._kit.keyring.lookups.current
        hashed = [~func.starts_with(each.table.c[name], f"{index}.") for name in each.hashes if index]
        return [*sealed, *hashed]


def _names(each: SealedTable) -> list[str]:
    return [*(key.name for key in each.table.primary_key.columns), *each.columns, *each.hashes]


def _kept(each: SealedTable, row: Row) -> dict[str, Any]:
    return {name: row[name] for name in _names(each)}


def _renewed(kit: Kit[Any], each: SealedTable, row: Row) -> dict[str, Any]:
    """The row's keys and columns as they are to be."""
    new, opened = _kept(each, row), {}
    for name, about in each.columns.items():
        if row[name] is None:
            continue
        subject = about.format_map(row)
        try:
            opened[name] = kit.keyring.open(row[name], subject)
        except SealError:
            continue
        if not row[name].startswith(f"{kit.keyring.current}."):
            new[name] = kit.keyring.seal(opened[name], subject)
    for name, hashed in each.hashes.items():
        text = hashed.of(opened) if opened and row[name] is not None else None
        new[name] = row[name] if text is None else kit.keyring.blind_index(text, hashed.purpose)
    return new


def _change(each: SealedTable, rows: Sequence[Row]) -> tuple[Any, dict[str, list[Any]]]:
    columns = {name: each.table.c[name].type for name in _names(each)}
    given = unnested(columns)
    keys = [key == given.c[key.name] for key in each.table.primary_key.columns]
    values = {name: given.c[name] for name in (*each.columns, *each.hashes)}
    return update(each.table).where(*keys).values(values), arrays(columns, rows)
