"""Takes what the outbox holds to the log: undelivered rows in id order, one leased relay per service.

Delivery is at least once: a row is marked only after the log acknowledged it. Rows are kept for as long as
the log may have to be filled again (`KEEP`), and a relay that finds a log with another identity sends them all anew.
"""

import asyncio
import logging
import math
import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import BigInteger, and_, any_, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.bus.lanes import is_passing
from shared.bus.log import Log, Record
from shared.db.failures import is_away
from shared.db.tables import outbox, relay
from shared.db.transaction import OUTBOX_SIGNAL, Database
from shared.signals import Signals
from shared.telemetry.metrics import EVENTS_RELAYED

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=6)
POLL = 0.25  # seconds; another process of the service, in the public zone, may have told something
KEEP = timedelta(days=30)
LINGER = 0.01
_NOW = func.clock_timestamp()


class Relay:
    """One service's relay. Several processes may run one; the lease lets a single one work."""

    def __init__(self, db: Database, bus: Log, signals: Signals, batch: int = 500) -> None:
        self._db = db
        self._bus = bus
        self._signals = signals
        self._batch = batch
        self._me: UUID = uuid4()
        self._epoch: int | None = None
        self._identity = ""
        self._renew_at = 0.0
        self._progress = time.monotonic()

    @property
    def epoch(self) -> int:
        """The number of the lease that this process holds; 0 while it holds none."""
        return self._epoch or 0

    def lag_seconds(self) -> float:
        """Seconds since the last step, without end once one failed; a step that found nothing to do counts."""
        return time.monotonic() - self._progress

    async def run(self) -> None:
        """Relay for ever; a log or database that is away is waited for. At its end another may go on at once."""
        try:
            await self._relay()
        finally:
            await self._hand_over()

    async def _relay(self) -> None:
        wait = 0.0
        while True:
            if await self._signals.wait(OUTBOX_SIGNAL, wait):
                await asyncio.sleep(LINGER)  # acts come in bursts: one batch for all of them
            try:
                more = await self.step()
                wait = 0.0 if more else POLL
            except Exception as error:
                if not (is_away(error) or is_passing(error)):
                    raise
                log.warning("relay waits", extra={"service": self._db.service, "error": type(error).__name__})
                self._progress = -math.inf
                wait = 1.0

    async def step(self) -> bool:
        """Send one batch; whether there may be more. Does nothing while another process holds the lease.

        After a failure the lease is given up: another process may reach the log where this one does not.
        """
        try:
            more = await self._hold() and await self._send()
        except Exception as error:
            if is_away(error):
                self._epoch = None
            else:
                await self._hand_over()
            raise
        self._progress = time.monotonic()
        return more

    async def _send(self) -> bool:
        rows = await self._undelivered()
        if not rows:
            return False
        results = await self._bus.append([_record(row) for row in rows])
        await self._mark([row.id for row, error in zip(rows, results, strict=True) if error is None])
        failed = next((error for error in results if error is not None), None)
        if failed is not None:
            raise failed
        return len(rows) == self._batch

    async def _hold(self) -> bool:
        identity = await self._bus.identity()
        if self._epoch is not None and identity == self._identity and time.monotonic() < self._renew_at:
            return True
        async with self._db.begin() as tx:
            await tx.conn.execute(upsert(relay).values(only=1, epoch=0).on_conflict_do_nothing())
            mine = relay.c.holder == self._me
            free = or_(relay.c.holder.is_(None), relay.c.until < _NOW)
            epoch = relay.c.epoch if self._epoch is not None else relay.c.epoch + 1
            take = update(relay).where(or_(mine, free)).values(holder=self._me, epoch=epoch, until=_NOW + LEASE)
            row = (await tx.conn.execute(take.returning(relay.c.epoch, relay.c.log_identity))).one_or_none()
            self._epoch = None if row is None else row.epoch
            if row is not None and row.log_identity != identity:
                await self._start_over(tx.conn, identity, anew=row.log_identity is not None)
        self._identity = identity
        self._renew_at = time.monotonic() + LEASE.total_seconds() / 3
        return self._epoch is not None

    async def _hand_over(self) -> None:
        """Give the lease up; a database that is away lets it run out."""
        epoch, self._epoch = self._epoch, None
        if epoch is None:
            return
        mine = and_(relay.c.holder == self._me, relay.c.epoch == epoch)
        try:
            async with asyncio.timeout(1), self._db.begin() as tx:
                await tx.conn.execute(update(relay).where(mine).values(until=_NOW))
        except Exception as error:
            if not (is_away(error) or is_passing(error)):
                raise

    async def _start_over(self, conn: Any, identity: str, *, anew: bool) -> None:
        if anew:
            log.warning("the log came back empty: all retained events are sent again")
            await conn.execute(update(outbox).values(delivered_at=None))
        await conn.execute(update(relay).values(log_identity=identity))

    async def _undelivered(self) -> Sequence[Any]:
        query = select(outbox.c.id, outbox.c.topic, outbox.c.key, outbox.c.value, outbox.c.traceparent)
        query = query.where(outbox.c.delivered_at.is_(None)).order_by(outbox.c.id).limit(self._batch)
        async with self._db.read() as conn:
            return (await conn.execute(query)).all()

    async def _mark(self, ids: Sequence[int]) -> None:
        still_mine = select(relay.c.only).where(and_(relay.c.holder == self._me, relay.c.epoch == self._epoch))
        sent = outbox.c.id == any_(bindparam(None, list(ids), type_=ARRAY(BigInteger)))
        statement = update(outbox).where(sent, still_mine.exists()).values(delivered_at=_NOW)
        async with self._db.begin() as tx:
            await tx.conn.execute(statement)
        EVENTS_RELAYED.labels(self._db.service).inc(len(ids))


def _record(row: Any) -> Record:
    headers = {} if row.traceparent is None else {"traceparent": row.traceparent}
    return Record(row.topic, row.key, bytes(row.value), headers)


async def forget_delivered(db: Database, keep: timedelta = KEEP) -> None:
    """Delete delivered rows older than `keep`."""
    async with db.begin() as tx:
        await tx.conn.execute(delete(outbox).where(outbox.c.delivered_at < _NOW - keep))
