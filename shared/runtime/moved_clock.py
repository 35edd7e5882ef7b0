"""How the sandbox's clock reaches every process: an event, kept in each service's database, followed by each process.

Only outside production; only due dates and dates on paper use this clock, leases use the database's.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.clock import SystemClock
from shared.contracts.envelope import Envelope
from shared.contracts.sandbox import ClockMoved
from shared.db.tables import sandbox_clock
from shared.db.transaction import Transaction


async def on_clock_moved(tx: Transaction, event: Any, _envelope: Envelope) -> None:
    """Keep the newest offset."""
    moved: ClockMoved = event
    row = upsert(sandbox_clock).values(only=1, offset_seconds=moved.offset_seconds)
    await tx.conn.execute(
        row.on_conflict_do_update(index_elements=["only"], set_={"offset_seconds": row.excluded.offset_seconds})
    )


class Follower:
    """Sets this process's clock to the offset that the service's database holds."""

    def __init__(self, kit: Any) -> None:
        self._kit = kit
        self._seen: int | None = None

    async def step(self) -> None:
        """Read the offset once."""
        async with self._kit.db.read() as conn:
            seconds = (await conn.execute(select(sandbox_clock.c.offset_seconds))).scalar_one_or_none()
        if seconds is not None and seconds != self._seen:
            # Only news moves the clock: services of one process share it, and some lag behind.
            clock: SystemClock = self._kit.clock
            clock.offset = timedelta(seconds=seconds)
            self._seen = seconds
