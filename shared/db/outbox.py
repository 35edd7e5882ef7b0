"""The outbox as an act writes it: the keys' counters, and the rows, each in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import BigInteger, LargeBinary, Text, Uuid, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.arrays import Columns, arrays, unnested
from shared.db.tables import outbox, sequences

_COUNTED: Columns = {"topic": Text, "key": Text, "last": BigInteger}
_COUNT = insert(sequences).from_select(list(_COUNTED), select(unnested(_COUNTED)))
_ADVANCE = _COUNT.on_conflict_do_update(
    index_elements=["topic", "key"], set_={"last": sequences.c.last + _COUNT.excluded.last}
).returning(sequences.c.topic, sequences.c.key, sequences.c.last)
_ROW: Columns = {
    "event_id": Uuid,
    "topic": Text,
    "key": Text,
    "sequence": BigInteger,
    "value": LargeBinary,
    "traceparent": Text,
}
_ADD = insert(outbox).from_select(list(_ROW), select(unnested(_ROW)))


async def advance(conn: AsyncConnection, counts: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """Move the counters of (topic, key) on by so many; where each stands then. Locked in order, until the end."""
    rows = [{"topic": topic, "key": key, "last": number} for (topic, key), number in sorted(counts.items())]
    moved = await conn.execute(_ADVANCE, arrays(_COUNTED, rows))
    return {(row.topic, row.key): row.last for row in moved}


async def add(conn: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write events; their ids follow the order given."""
    await conn.execute(_ADD, arrays(_ROW, rows))
