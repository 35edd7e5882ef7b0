"""The outbox as the relay sees it: what is to be sent, what was sent to which log, what may be forgotten.

Unsent are the rows without `delivered_at`: few in normal times, with an index of their own. When the log comes back
empty, the rows that another log got become unsent again in bounded steps, from the oldest on (`refilled_to` keeps
the place); before an event is sent, those of its key that come before it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import BigInteger, Text, and_, any_, bindparam, delete, func, select, tuple_, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.db.arrays import Columns, arrays, unnested
from shared.db.portions import PORTION, delete_in_portions
from shared.db.tables import outbox, relay
from shared.db.transaction import Database

Lane = tuple[str, str]
"""Topic and key."""

KEEP = timedelta(days=30)
_LANE: Columns = {"topic": Text, "key": Text}
_SENT = (outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.value, outbox.c.traceparent)
_ELSEWHERE = and_(outbox.c.delivered_at.is_not(None), outbox.c.delivered_to.is_distinct_from(bindparam("log")))
_UNSENT = select(*_SENT).where(outbox.c.delivered_at.is_(None)).order_by(outbox.c.id).limit(bindparam("most"))
_OF_OTHERS = _UNSENT.where(tuple_(outbox.c.topic, outbox.c.key).not_in(select(unnested(_LANE))))
_RECALL = update(outbox).values(delivered_at=None, delivered_to=None).returning(*_SENT)
_NEXT = select(outbox.c.id).where(outbox.c.id > bindparam("after"), _ELSEWHERE)
_RECALL_NEXT = _RECALL.where(outbox.c.id.in_(_NEXT.order_by(outbox.c.id).limit(bindparam("most"))))


def _recall_of() -> Any:
    given = unnested(_LANE)
    here = and_(outbox.c.topic == given.c.topic, outbox.c.key == given.c.key, outbox.c.id > bindparam("after"))
    return _RECALL.where(here, _ELSEWHERE)


_RECALL_OF = _recall_of()


@dataclass(frozen=True)
class Refill:
    """One step: `rows` to be sent, and up to where the rows have been looked at; None when all have been."""

    rows: Sequence[Any]
    reached: int | None


async def unsent(conn: AsyncConnection, most: int, without: Collection[Lane] = ()) -> list[Any]:
    """The oldest rows to be sent, except those `without`."""
    if not without:
        return list(await conn.execute(_UNSENT, {"most": most}))
    return list(await conn.execute(_OF_OTHERS, {"most": most, **_lanes(without)}))


async def refill(conn: AsyncConnection, log: str, after: int, most: int, without: Collection[Lane]) -> Refill:
    """The oldest rows to be sent, at most half of them new to be sent again while others wait."""
    waiting = await unsent(conn, most, without)
    room = max(most // 2, most - len(waiting))
    again = list(await conn.execute(_RECALL_NEXT, {"log": log, "after": after, "most": room}))
    reached = max((row.id for row in again), default=after)
    ours = {(row.topic, row.key) for row in waiting if row.id > reached}
    before = await conn.execute(_RECALL_OF, {"log": log, "after": reached, **_lanes(ours)}) if ours else ()
    rows = waiting + [row for row in again if (row.topic, row.key) not in without] + list(before)
    rows.sort(key=lambda row: row.id)
    return Refill(rows[:most], reached if len(again) == room else None)


async def mark(conn: AsyncConnection, ids: Sequence[int], log: str, holds: Any) -> None:
    """The log has these rows, if the relay still `holds` its lease."""
    sent = outbox.c.id == any_(bindparam(None, list(ids), type_=ARRAY(BigInteger)))
    statement = update(outbox).where(sent, select(relay.c.only).where(holds).exists())
    await conn.execute(statement.values(delivered_at=func.clock_timestamp(), delivered_to=log))


async def forget_delivered(db: Database, keep: timedelta = KEEP) -> None:
    """Delete rows delivered longer ago than `keep`, from the oldest on. Nothing while an empty log is filled again."""
    oldest = select(outbox.c.id, outbox.c.delivered_at).where(outbox.c.delivered_at.is_not(None))
    first = oldest.order_by(outbox.c.id).limit(PORTION).subquery()
    over = select(first.c.id).where(first.c.delivered_at < func.now() - keep)
    filling = select(relay.c.only).where(relay.c.refilled_to.is_not(None)).exists()
    await delete_in_portions(db, delete(outbox).where(outbox.c.id.in_(over), ~filling))


def _lanes(given: Iterable[Lane]) -> dict[str, list[Any]]:
    return arrays(_LANE, [{"topic": topic, "key": key} for topic, key in given])
