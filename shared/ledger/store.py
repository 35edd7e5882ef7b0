"""The chains' tables: entries, and a head per chain whose row lock lets one appender at a time pass.

Bodies are kept as TEXT, the canonical JSON itself: JSONB would reorder keys and rewrite what was hashed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    MetaData,
    Row,
    Select,
    String,
    Table,
    Text,
    exists,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.ledger.chain import Break, BrokenAt, Entry, Head, genesis, link, verify

_PAGE = 500


@dataclass(frozen=True)
class LedgerTables:
    """The two tables of one service's ledger."""

    heads: Table
    entries: Table


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
    )
    return LedgerTables(heads, entries)


async def append(
    conn: AsyncConnection, tables: LedgerTables, chain_id: str, at: datetime, kind: str, body: Mapping[str, Any]
) -> Entry:
    """Add the next entry in the caller's transaction; others who append to this chain wait until it ends.

    Raises BodyError, and ValueError for a naive instant.
    """
    return (await append_all(conn, tables, chain_id, at, [(kind, body)]))[0]


async def append_all(
    conn: AsyncConnection,
    tables: LedgerTables,
    chain_id: str,
    at: datetime,
    deeds: Sequence[tuple[str, Mapping[str, Any]]],
) -> list[Entry]:
    """Add entries of one instant, each with its kind and body, in order; as `append`."""
    head = await _locked_head(conn, tables.heads, chain_id)
    entries: list[Entry] = []
    for kind, body in deeds:
        entries.append(link(entries[-1].head if entries else head, at, kind, body))
    if entries:
        await conn.execute(tables.entries.insert(), [_row(entry) for entry in entries])
        moved = update(tables.heads).where(tables.heads.c.chain_id == chain_id)
        await conn.execute(moved.values(position=entries[-1].position, digest=entries[-1].digest))
    return entries


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


async def _locked_head(conn: AsyncConnection, heads: Table, chain_id: str) -> Head:
    """Lock the head row, making it on the chain's first use: one statement, so two beginners cannot collide."""
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
