"""Where parties are written to, found by keyed hashes."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, any_, bindparam, exists, func, insert, select, union, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import addresses, messages, parties, party_contacts
from shared.db.arrays import Columns, arrays, unnested

DISOWNED_INDEXES = (
    select(func.array_agg(addresses.c.address_index))
    .where(addresses.c.address_id == any_(parties.c.disowned))
    .scalar_subquery()
    .label("disowned_indexes")
)
"""The hashes of the addresses whose holder is not the party; empty when there is none."""
_MARKS: Columns = {"address_id": Uuid, "end_index": Text}
_ADDRESS: Columns = {"address_id": Uuid, "address": Text, "address_index": Text, "end_index": Text}
_ADD = insert(addresses).from_select(list(_ADDRESS), select(unnested(_ADDRESS)))


async def find(conn: AsyncConnection, indexes: Collection[str]) -> dict[str, UUID]:
    """By the hash that they have, the ids of the addresses that have one of these."""
    given = bindparam(None, list(indexes), type_=ARRAY(Text))
    query = select(addresses.c.address_index, addresses.c.address_id).where(addresses.c.address_index == any_(given))
    rows = await conn.execute(query.order_by(addresses.c.address_id.desc()))
    return {row.address_index: row.address_id for row in rows}


async def add(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Addresses that were not known."""
    await conn.execute(_ADD, arrays(_ADDRESS, rows))


async def written_to(conn: AsyncConnection, party_id: UUID, ends: Collection[str]) -> list[UUID]:
    """The addresses at which a party is, or was, written to and which fit what was typed of them, by its hashes."""
    theirs = select(messages.c.address_id).where(messages.c.party_id == party_id)
    query = select(addresses.c.address_id).where(addresses.c.address_id.in_(theirs), addresses.c.end_index.in_(ends))
    return list((await conn.execute(query.order_by(addresses.c.address_id))).scalars())


async def is_known(conn: AsyncConnection, party_id: UUID, ends: Collection[str]) -> bool:
    """Whether a party is registered, or is or was written to, at an address that fits what was typed of it."""
    theirs = [select(table.c.address_id).where(table.c.party_id == party_id) for table in (messages, party_contacts)]
    fitting = addresses.c.address_id.in_(union(*theirs)) & addresses.c.end_index.in_(ends)
    return bool((await conn.execute(select(exists(select(addresses.c.address_id).where(fitting))))).scalar_one())


async def unmarked(conn: AsyncConnection, limit: int) -> Sequence[Row[Any, Any]]:
    """Addresses that an older release wrote to, and that cannot be found by their end yet."""
    query = select(addresses.c.address_id, addresses.c.address).where(addresses.c.end_index.is_(None)).limit(limit)
    return (await conn.execute(query.order_by(addresses.c.address_id).with_for_update(skip_locked=True))).all()


async def mark(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """By which hash of their end these addresses are found."""
    given = unnested(_MARKS)
    here = update(addresses).where(addresses.c.address_id == given.c.address_id).values(end_index=given.c.end_index)
    await conn.execute(here, arrays(_MARKS, rows))
