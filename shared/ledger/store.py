"""The chains' tables: entries, and a head per chain whose row lock lets one appender at a time pass.

Bodies are kept as TEXT, the canonical JSON itself: JSONB would reorder keys and rewrite what was hashed.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Insert,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    Update,
    any_,
    bindparam,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.access import append_only
from shared.db.arrays import Columns, arrays, unnested
from shared.db.transaction import Transaction
from shared.ledger.chain import Break, BrokenAt, Entry, Head, genesis, link, verify

_PAGE = 500
_HEAD: Columns = {"chain_id": String, "position": BigInteger, "digest": String}
_ENTRY: Columns = {
    "chain_id": String,
    "position": BigInteger,
    "at": DateTime(timezone=True),
    "kind": String,
    "body": Text,
    "previous": String,
    "digest": String,
}


@dataclass(frozen=True)
class LedgerTables:
    """The two tables of one service's ledger."""

    heads: Table
    entries: Table

    @cached_property
    def lock(self) -> Select[Any]:
        """Heads, locked until the transaction ends."""
        columns = self.heads.c
        wanted = columns.chain_id == any_(bindparam("chains", type_=ARRAY(String)))
        return select(self.heads).where(wanted).order_by(columns.chain_id).with_for_update()

    @cached_property
    def add(self) -> Insert:
        """Entries as `arrays` gives them."""
        return insert(self.entries).from_select(list(_ENTRY), select(unnested(_ENTRY)))

    @cached_property
    def move(self) -> Update:
        """Heads as `arrays` gives them."""
        given = unnested(_HEAD)
        moved = update(self.heads).where(self.heads.c.chain_id == given.c.chain_id)
        return moved.values(position=given.c.position, digest=given.c.digest)


def ledger_tables(metadata: MetaData) -> LedgerTables:
    """Declare `ledger_heads` and `ledger_entries` in a service's metadata."""
    heads = Table(
        "ledger_heads",
        metadata,
        Column("chain_id", String, primary_key=True),
        Column("position", BigInteger, nullable=False),
        Column("digest", String(64), nullable=False),
    )
    entries = Table(
        "ledger_entries",
        metadata,
        Column("chain_id", String, primary_key=True),
        Column("position", BigInteger, primary_key=True),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("kind", String, nullable=False),
        Column("body", Text, nullable=False),
        Column("previous", String(64), nullable=False),
        Column("digest", String(64), nullable=False),
        info=append_only(),
    )
    return LedgerTables(heads, entries)


async def append(
    conn: AsyncConnection, tables: LedgerTables, chain_id: str, at: datetime, kind: str, body: Mapping[str, Any]
) -> Entry:
    """Add the next entry in the caller's transaction; others who append to this chain wait until it ends.

    Raises BodyError, and ValueError for a naive instant.
    """
    pages = Pages(tables)
    (entry,) = await pages.add(conn, chain_id, at, [(kind, body)])
    await pages.write(conn)
    return entry


async def append_all(
    tx: Transaction, tables: LedgerTables, chain_id: str, deeds: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[Entry]:
    """Add entries of the act's instant, each with its kind and body, in order; as `append`, but written at its end."""
    return await tx.at_end(tables.entries, lambda: Pages(tables)).add(tx.conn, chain_id, tx.now, deeds)


async def open_all(tx: Transaction, tables: LedgerTables, chain_ids: Iterable[str]) -> None:
    """Lock the heads of several chains at once, in order: whoever adds to them afterwards need not ask again."""
    await tx.at_end(tables.entries, lambda: Pages(tables)).open(tx.conn, chain_ids)


class Pages:
    """Entries linked and not yet written, with the heads of their chains, which are locked."""

    def __init__(self, tables: LedgerTables) -> None:
        self._tables = tables
        self._heads: dict[str, Head] = {}
        self._entries: list[Entry] = []

    async def open(self, conn: AsyncConnection, chain_ids: Iterable[str]) -> None:
        """Lock heads, making them on their chains' first use: each is there once, whoever else begins it."""
        wanted = sorted(set(chain_ids) - set(self._heads))
        if not wanted:
            return
        rows = await conn.execute(self._tables.lock, {"chains": wanted})
        self._heads |= {row.chain_id: Head(row.chain_id, row.position, row.digest) for row in rows}
        for chain_id in wanted:
            if chain_id not in self._heads:
                self._heads[chain_id] = await _made_head(conn, self._tables.heads, chain_id)

    async def add(
        self, conn: AsyncConnection, chain_id: str, at: datetime, deeds: Sequence[tuple[str, Mapping[str, Any]]]
    ) -> list[Entry]:
        """Link entries behind what the chain holds by now."""
        added: list[Entry] = []
        if deeds:
            await self.open(conn, [chain_id])
        for kind, body in deeds:
            added.append(link(self._heads[chain_id], at, kind, body))
            self._heads[chain_id] = added[-1].head
        self._entries += added
        return added

    async def write(self, conn: AsyncConnection) -> None:
        """Write all entries and move the heads."""
        if self._entries:
            changed = sorted({entry.chain_id for entry in self._entries})
            await conn.execute(self._tables.add, arrays(_ENTRY, [_row(entry) for entry in self._entries]))
            await conn.execute(
                self._tables.move, arrays(_HEAD, [asdict(self._heads[chain_id]) for chain_id in changed])
            )


def _row(entry: Entry) -> dict[str, Any]:
    return {
        "chain_id": entry.chain_id,
        "position": entry.position,
        "at": entry.at,
        "kind": entry.kind,
        "body": entry.text,
        "previous": entry.previous,
        "digest": entry.digest,
    }


async def read(
    conn: AsyncConnection, tables: LedgerTables, chain_id: str, after: int = 0, limit: int = _PAGE
) -> list[Entry]:
    """Up to `limit` entries beyond position `after`, in order."""
    columns = tables.entries.c
    chosen = select(tables.entries).where(columns.chain_id == chain_id, columns.position > after)
    rows = await conn.execute(chosen.order_by(columns.position).limit(limit))
    return [_entry(row) for row in rows]


async def read_head(conn: AsyncConnection, tables: LedgerTables, chain_id: str) -> Head:
    """How far the chain reaches; its genesis when it has no entry yet."""
    row = (await conn.execute(select(tables.heads).where(tables.heads.c.chain_id == chain_id))).one_or_none()
    return genesis(chain_id) if row is None else Head(row.chain_id, row.position, row.digest)


async def check(conn: AsyncConnection, tables: LedgerTables, chain_id: str) -> BrokenAt | None:
    """Verify a whole chain against its head, page by page, while others may go on appending."""
    head, until = genesis(chain_id), await read_head(conn, tables, chain_id)
    while head.position < until.position:
        page = await read(conn, tables, chain_id, head.position, min(_PAGE, until.position - head.position))
        broken = verify(page, head, None if page else until)
        if broken is not None:
            return broken
        head = page[-1].head
    if await conn.scalar(_beyond_the_head(tables, chain_id)):
        return BrokenAt(until.position + 1, Break.OTHER_HEAD)
    return verify((), head, until)


async def _made_head(conn: AsyncConnection, heads: Table, chain_id: str) -> Head:
    """Make and lock a chain's head: one statement, so two beginners cannot collide."""
    first = genesis(chain_id)
    fresh = insert(heads).values(chain_id=chain_id, position=first.position, digest=first.digest)
    locked = fresh.on_conflict_do_update(index_elements=["chain_id"], set_={"position": heads.c.position})
    row = (await conn.execute(locked.returning(heads.c.position, heads.c.digest))).one()
    return Head(chain_id, row.position, row.digest)


def _beyond_the_head(tables: LedgerTables, chain_id: str) -> Select[tuple[bool]]:
    """One statement sees one snapshot, in which an entry and its head always come together."""
    entries, heads = tables.entries.c, tables.heads.c
    reached = select(heads.position).where(heads.chain_id == chain_id).scalar_subquery()
    return select(exists().where(entries.chain_id == chain_id, entries.position > func.coalesce(reached, 0)))


def _entry(row: Row[Any]) -> Entry:
    return Entry(row.chain_id, row.position, row.at, row.kind, row.body, row.previous, row.digest)
