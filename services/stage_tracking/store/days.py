"""The sealed days of the log."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import Select, String, cast, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from services.stage_tracking.store.tables import LEDGER, cases, log_day_heads, log_days
from shared.ledger.chain import Head
from shared.ledger.days import SealedDay

_MOVED = text("""
    SELECT heads.chain_id, last.position, last.digest, last.position - coalesce(before.position, 0) AS came
    FROM ledger_heads AS heads
    LEFT JOIN (SELECT chain_id, max(position) AS position FROM log_day_heads GROUP BY chain_id) AS before
        USING (chain_id)
    CROSS JOIN LATERAL (
        SELECT position, digest FROM ledger_entries AS entries
        WHERE entries.chain_id = heads.chain_id AND entries.position > coalesce(before.position, 0) AND at < :end
        ORDER BY position DESC LIMIT 1
    ) AS last
    WHERE heads.position > coalesce(before.position, 0)
""")
_HEADS = text("""
    SELECT day, encode(sha256(convert_to(
        string_agg(chain_id || ' ' || position || ' ' || digest || E'\\n', '' ORDER BY chain_id COLLATE "C"), 'UTF8'
    )), 'hex') AS digest
    FROM log_day_heads GROUP BY day
""")


async def lock(conn: AsyncConnection) -> None:
    """One process at a time seals days."""
    await conn.execute(select(func.pg_advisory_xact_lock(func.hashtextextended("log days", 0))))


async def newest(conn: AsyncConnection) -> SealedDay | None:
    """The last day that was sealed."""
    row = (await conn.execute(select(log_days).order_by(log_days.c.day.desc()).limit(1))).one_or_none()
    return None if row is None else SealedDay(row.day, row.text, row.signature, row.key_id)


async def every(conn: AsyncConnection) -> list[SealedDay]:
    """All sealed days, in order."""
    rows = await conn.execute(select(log_days).order_by(log_days.c.day))
    return [SealedDay(row.day, row.text, row.signature, row.key_id) for row in rows]


async def moved(conn: AsyncConnection, end: datetime) -> tuple[list[Head], int]:
    """Where the chains ended before `end` that moved since they were sealed last; and how many entries came."""
    rows = list(await conn.execute(_MOVED, {"end": end}))
    return [Head(row.chain_id, row.position, row.digest) for row in rows], sum(row.came for row in rows)


async def add(conn: AsyncConnection, sealed: SealedDay, heads: Sequence[Head]) -> None:
    """Keep a day with the heads that it covers."""
    row = {"day": sealed.day, "text": sealed.text, "signature": sealed.signature, "key_id": sealed.key_id}
    await conn.execute(insert(log_days).values(row))
    lines = [
        {"chain_id": head.chain_id, "position": head.position, "digest": head.digest, "day": sealed.day}
        for head in heads
    ]
    if lines:
        await conn.execute(insert(log_day_heads), lines)


async def heads_by_day(conn: AsyncConnection) -> dict[date, str]:
    """The digest over the heads kept of each day on which any chain moved: `shared.ledger.days.heads_digest`."""
    return {row.day: row.digest for row in await conn.execute(_HEADS)}


class Sealing(NamedTuple):
    """Up to which position a chain was sealed, and with which day."""

    position: int
    day: date


async def sealing_of(conn: AsyncConnection, chain_id: str) -> Sealing | None:
    """The last sealing of a chain."""
    here = log_day_heads.c
    query = select(here.position, here.day).where(here.chain_id == chain_id).order_by(here.position.desc()).limit(1)
    row = (await conn.execute(query)).one_or_none()
    return None if row is None else Sealing(row.position, row.day)


async def rewritten_in(conn: AsyncConnection, chain_id: str) -> Sealing | None:
    """The first sealed place of a chain at which another entry stands by now, or none."""
    row = (await conn.execute(_rewritten().where(log_day_heads.c.chain_id == chain_id).limit(1))).one_or_none()
    return None if row is None else Sealing(row.position, row.day)


async def rewritten_cases(conn: AsyncConnection, limit: int) -> list[str]:
    """Numbers of cases, oldest first, in whose log something sealed was replaced since; the id of one that is gone."""
    found = _rewritten().subquery()
    number = func.coalesce(func.min(cases.c.number), found.c.chain_id)
    query = select(number).select_from(found)
    query = query.join(cases, cast(cases.c.case_id, String) == found.c.chain_id, isouter=True)
    query = query.group_by(found.c.chain_id).order_by(found.c.chain_id).limit(limit)
    return list((await conn.execute(query)).scalars())


def _rewritten() -> Select[tuple[str, int, date]]:
    here, entries = log_day_heads.c, LEDGER.entries.c
    same_place = (entries.chain_id == here.chain_id) & (entries.position == here.position)
    query = select(here.chain_id, here.position, here.day)
    query = query.select_from(log_day_heads.join(LEDGER.entries, same_place, isouter=True))
    return query.where(entries.digest.is_distinct_from(here.digest)).order_by(here.chain_id, here.position)
