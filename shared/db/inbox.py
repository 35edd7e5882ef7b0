"""Lanes and the inbox: what a service has handled of each key, and what waits in which order.

A lane is one key of one topic. `open`: events pass. `waiting`: a fact from elsewhere is not there yet.
`parked`: its first event keeps failing; the later ones wait behind it. Restarts remember all of it.

A lane is kept for good, and its sequence refuses every repetition, however old: an event's sequence is made with its
id and travels with it. The inbox adds one thing: an id that comes again under another sequence or key is not handled
twice. No teller does that; the ids of `KEEP` are kept against one that is faulty.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, Text, Uuid, delete, func, insert, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncConnection

from shared.contracts.envelope import Envelope
from shared.db.arrays import Columns, arrays, unnested
from shared.db.portions import PORTION, delete_in_portions
from shared.db.tables import inbox, lane_events, lanes, quarantine, replays
from shared.db.transaction import Database

KEEP = timedelta(days=30)
_NOW = func.clock_timestamp()


class LaneState(StrEnum):
    """What a lane does with the next event."""

    OPEN = "open"
    WAITING = "waiting"
    PARKED = "parked"


@dataclass(frozen=True)
class Lane:
    """A lane, its row locked until the transaction ends. `sequence` is that of the last event handled."""

    topic: str
    key: str
    sequence: int
    state: LaneState
    tries: int


_PLACE: Columns = {"topic": Text, "key": Text}
_MOVED: Columns = {**_PLACE, "sequence": BigInteger}
_ID: Columns = {"event_id": Uuid}


def _lock() -> Any:
    given = unnested(_PLACE)
    here = (lanes.c.topic == given.c.topic) & (lanes.c.key == given.c.key)
    query = select(*_LANE).join(given, here).order_by(lanes.c.topic, lanes.c.key)
    return query.with_for_update(of=lanes)


def _make() -> Any:
    fresh = upsert(lanes).from_select(list(_PLACE), select(unnested(_PLACE)))
    # Writing the key onto itself locks the row that another has made meanwhile.
    made = fresh.on_conflict_do_update(index_elements=["topic", "key"], set_={"key": fresh.excluded.key})
    return made.returning(*_LANE)


def _advance() -> Any:
    given = unnested(_MOVED)
    here = (lanes.c.topic == given.c.topic) & (lanes.c.key == given.c.key)
    return update(lanes).where(here).values(sequence=given.c.sequence, tries=0)


_LANE = (lanes.c.topic, lanes.c.key, lanes.c.sequence, lanes.c.state, lanes.c.tries)
_LOCK, _MAKE, _ADVANCE = _lock(), _make(), _advance()
_NOTE = upsert(inbox).from_select(list(_ID), select(unnested(_ID))).on_conflict_do_nothing().returning(inbox.c.event_id)


def _here(topic: str, key: str) -> Any:
    return (lanes.c.topic == topic) & (lanes.c.key == key)


async def lock(conn: AsyncConnection, topic: str, key: str) -> Lane:
    """The lane, made when it is new, locked."""
    return (await lock_all(conn, [(topic, key)]))[topic, key]


async def lock_all(conn: AsyncConnection, places: Iterable[tuple[str, str]]) -> dict[tuple[str, str], Lane]:
    """The lanes of (topic, key), made where they are new, locked in order."""
    wanted = sorted(set(places))
    found = await _locked(conn, _LOCK, wanted)
    missing = [place for place in wanted if place not in found]
    return found | await _locked(conn, _MAKE, missing) if missing else found


async def _locked(conn: AsyncConnection, statement: Any, places: Sequence[tuple[str, str]]) -> dict[Any, Lane]:
    rows = await conn.execute(statement, arrays(_PLACE, [{"topic": topic, "key": key} for topic, key in places]))
    return {(r.topic, r.key): Lane(r.topic, r.key, r.sequence, LaneState(r.state), r.tries) for r in rows}


async def new_among(conn: AsyncConnection, event_ids: Sequence[UUID]) -> set[UUID]:
    """Write events' ids into the inbox; those that did not stand there."""
    if not event_ids:
        return set()
    return set((await conn.execute(_NOTE, arrays(_ID, [{"event_id": each} for each in event_ids]))).scalars())


async def is_new(conn: AsyncConnection, event_id: UUID) -> bool:
    """As `new_among`, for one."""
    return bool(await new_among(conn, [event_id]))


async def forget(db: Database, keep: timedelta = KEEP) -> None:
    """Delete the ids of events handled longer ago than `keep`."""
    old = select(inbox.c.event_id).where(inbox.c.handled_at < func.now() - keep).limit(PORTION)
    await delete_in_portions(db, delete(inbox).where(inbox.c.event_id.in_(old)))


async def advance(conn: AsyncConnection, moved: Mapping[tuple[str, str], int]) -> None:
    """Events have been handled: each lane of (topic, key) stands at this sequence now."""
    rows = [{"topic": topic, "key": key, "sequence": sequence} for (topic, key), sequence in moved.items()]
    if rows:
        await conn.execute(_ADVANCE, arrays(_MOVED, rows))


async def queue(conn: AsyncConnection, envelope: Envelope, topic: str, value: bytes) -> None:
    """Keep the event behind those that wait in its lane."""
    row = {"topic": topic, "key": envelope.subject, "sequence": envelope.sequence, "value": value}
    await conn.execute(upsert(lane_events).values(row).on_conflict_do_nothing())


def tries_so_far(lane: Lane, state: LaneState) -> int:
    """How often in a row the lane has been closed like this; whoever waited and then fails begins anew."""
    return lane.tries if lane.state is state else 0


async def block(conn: AsyncConnection, lane: Lane, state: LaneState, reason: str, retry_in: timedelta) -> None:
    """Close the lane, or keep it closed, until `retry_in` from now (the database's time)."""
    values = {
        "state": state,
        "reason": reason,
        "tries": tries_so_far(lane, state) + 1,
        "since": func.coalesce(lanes.c.since, _NOW),
        "retry_at": _NOW + retry_in,
    }
    await conn.execute(update(lanes).where(_here(lane.topic, lane.key)).values(values))


async def first_waiting(conn: AsyncConnection, lane: Lane) -> bytes | None:
    """The bytes of the lane's next event in line, or None."""
    query = select(lane_events.c.value).where(lane_events.c.topic == lane.topic, lane_events.c.key == lane.key)
    return (await conn.execute(query.order_by(lane_events.c.sequence).limit(1))).scalar_one_or_none()


async def unqueue(conn: AsyncConnection, envelope: Envelope, topic: str) -> None:
    """The event in line has been handled: take it, and any older copy, out of the line."""
    here = (lane_events.c.topic == topic) & (lane_events.c.key == envelope.subject)
    await conn.execute(delete(lane_events).where(here, lane_events.c.sequence <= envelope.sequence))


async def reopen(conn: AsyncConnection, lane: Lane) -> None:
    """Nothing waits any more: events pass again."""
    values = {"state": LaneState.OPEN, "reason": None, "tries": 0, "since": None, "retry_at": None, "reported_at": None}
    await conn.execute(update(lanes).where(_here(lane.topic, lane.key)).values(values))


async def any_closed(conn: AsyncConnection) -> bool:
    """Whether any lane is not open."""
    return bool(
        (await conn.execute(select(select(lanes.c.key).where(lanes.c.state != LaneState.OPEN).exists()))).scalar()
    )


async def claim_due(conn: AsyncConnection, limit: int, for_: timedelta) -> list[tuple[str, str]]:
    """Closed lanes whose time to be tried again has come, oldest first; for a while nobody else is given them."""
    due = select(lanes.c.topic, lanes.c.key).where(lanes.c.state != LaneState.OPEN, lanes.c.retry_at <= _NOW)
    due = due.order_by(lanes.c.retry_at).limit(limit).with_for_update(skip_locked=True)
    mine = tuple_(lanes.c.topic, lanes.c.key).in_(due)
    claim = update(lanes).where(mine).values(retry_at=_NOW + for_).returning(lanes.c.topic, lanes.c.key)
    return [(row.topic, row.key) for row in await conn.execute(claim)]


async def to_report(conn: AsyncConnection, patience: timedelta) -> list[Any]:
    """Lanes parked whose first retry failed too, or waiting longer than `patience`, and nobody was told; now told."""
    overdue = ((lanes.c.state == LaneState.PARKED) & (lanes.c.tries > 1)) | (
        (lanes.c.state == LaneState.WAITING) & (lanes.c.since < _NOW - patience)
    )
    statement = update(lanes).where(overdue, lanes.c.reported_at.is_(None)).values(reported_at=_NOW)
    return list(await conn.execute(statement.returning(lanes.c.topic, lanes.c.key, lanes.c.state, lanes.c.reason)))


async def closed(conn: AsyncConnection) -> list[Any]:
    """All lanes that are not open, oldest first, with the number of events that wait."""
    count = select(func.count()).where(lane_events.c.topic == lanes.c.topic, lane_events.c.key == lanes.c.key)
    columns = (lanes.c.topic, lanes.c.key, lanes.c.state, lanes.c.reason, lanes.c.tries, lanes.c.since)
    query = select(*columns, count.scalar_subquery().label("waiting")).where(lanes.c.state != LaneState.OPEN)
    return list(await conn.execute(query.order_by(lanes.c.since)))


async def hasten(conn: AsyncConnection, topic: str, key: str, by: UUID) -> bool:
    """Try a closed lane again at once; False when it is not closed. The events keep their ids; who asked is kept."""
    here = (_here(topic, key)) & (lanes.c.state != LaneState.OPEN)
    statement = update(lanes).where(here).values(retry_at=_NOW, reported_at=None).returning(lanes.c.reason)
    row = (await conn.execute(statement)).one_or_none()
    if row is not None:
        await conn.execute(insert(replays).values(topic=topic, key=key, asked_by=by, reason=row.reason))
    return row is not None


async def put_in_quarantine(conn: AsyncConnection, row: dict[str, Any]) -> bool:
    """Keep bytes that nobody can decode, with their place and headers; False when they lie there already.

    A log that came back empty counts its places anew: the bytes belong to what tells two records apart.
    """
    digest = hashlib.sha256(row["value"]).digest()
    put = upsert(quarantine).values({**row, "digest": digest}).on_conflict_do_nothing()
    return (await conn.execute(put.returning(quarantine.c.offset))).one_or_none() is not None


async def quarantined(conn: AsyncConnection) -> list[Any]:
    """What lies in quarantine: places and reasons."""
    columns = (quarantine.c.topic, quarantine.c.partition, quarantine.c.offset, quarantine.c.why)
    return list(await conn.execute(select(*columns).order_by(quarantine.c.arrived_at)))
