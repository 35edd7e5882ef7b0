"""The signed days of the case log, as they were first told: the evidence carries the newest."""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store.tables import log_days
from shared.ledger.days import SealedDay


async def keep(conn: AsyncConnection, told: SealedDay) -> None:
    """Keep a day; what was told first stays."""
    row = insert(log_days).values(day=told.day, text=told.text, signature=told.signature, key_id=told.key_id)
    await conn.execute(row.on_conflict_do_nothing())


async def newest(conn: AsyncConnection, limit: int) -> list[SealedDay]:
    """The newest days, in order."""
    rows = await conn.execute(select(log_days).order_by(log_days.c.day.desc()).limit(limit))
    return [SealedDay(row.day, row.text, row.signature, row.key_id) for row in reversed(list(rows))]
