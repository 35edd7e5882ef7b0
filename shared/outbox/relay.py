"""Takes what the outbox holds to the log: unsent rows in id order, one leased relay per service.

Delivery is at least once: a row is marked only after the log acknowledged it. Rows are kept for as long as the log
may have to be filled again (`KEEP`): a relay that finds a log with another identity sends them anew, step by step,
while new events go on. Keys that the log does not take stand aside, and the desk hears of them.
"""

import asyncio
import logging
import math
import time
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert

from shared.bus.lanes import is_passing
from shared.bus.log import BusError, BusRefusedError, Log, Record
from shared.contracts.operations import TroubleReported
from shared.db.failures import is_away
from shared.db.tables import relay
from shared.db.transaction import OUTBOX_SIGNAL, Database, new_id
from shared.outbox import rows as store
from shared.outbox.held import HeldBack, by_lane
from shared.signals import Signals
from shared.telemetry.metrics import EVENTS_RELAYED

log = logging.getLogger(__name__)

LEASE = timedelta(seconds=6)
POLL = 0.25  # seconds; another process of the service, in the public zone, may have told something
LINGER = 0.01
_NOW = func.clock_timestamp()


class Relay:
    """One service's relay. Several processes may run one; the lease lets a single one work."""

    def __init__(
        self, db: Database, bus: Log, signals: Signals, batch: int = 500, held: HeldBack | None = None
    ) -> None:
        self._db = db
        self._bus = bus
        self._signals = signals
        self._batch = batch
        self._me: UUID = uuid4()
        self._epoch: int | None = None
        self._identity = ""
        self._refilling = False
        self._held = held or HeldBack()
        self._told: frozenset[str] = frozenset()
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
        rows = await self._next()
        if not rows:
            return False
        errors = await self._bus.append([_record(row) for row in rows])
        await self._mark([row.id for row, error in zip(rows, errors, strict=True) if error is None])
        lanes = [(row.topic, row.key) for row in rows]
        self._held.note(by_lane(lanes, errors))
        await self._tell({topic for (topic, _), error in zip(lanes, errors, strict=True) if error is None})
        self._raise_if_away(errors)
        return len(rows) == self._batch

    def _raise_if_away(self, errors: Sequence[BusError | None]) -> None:
        """A log that refuses some records is there all the same; those are no failure of the relay."""
        failed = [error for error in errors if error is not None]
        for error in failed:
            if not isinstance(error, BusRefusedError):
                raise error
        if failed:
            log.error("events held back", extra={"service": self._db.service, "why": str(failed[0])})

    async def _next(self) -> Sequence[Any]:
        held = self._held.lanes()
        if self._refilling:
            return await self._refill(held)
        async with self._db.read() as conn:
            return await store.unsent(conn, self._batch, held)

    async def _refill(self, held: Collection[store.Lane]) -> Sequence[Any]:
        """As long as the log lacks rows that another one got: some of them, and new events beside them."""
        async with self._db.begin() as tx:
            lease = select(relay.c.refilled_to).where(self._holds()).with_for_update()
            row = (await tx.conn.execute(lease)).one_or_none()
            if row is None:
                self._epoch = None  # another process has the lease by now
                return []
            if row.refilled_to is None:
                self._refilling = False
                return []
            after = row.refilled_to
            step = await store.refill(tx.conn, self._identity, after, self._batch, held)
            await tx.conn.execute(update(relay).values(refilled_to=step.reached))
        self._refilling = step.reached is not None
        if not self._refilling:
            log.warning("the log has all retained events again", extra={"service": self._db.service})
        return step.rows

    async def _tell(self, passed: Collection[str]) -> None:
        """Tell the desk once of a topic with keys that the log does not take; after they passed it may be told anew."""
        failing = self._held.topics()
        told = (self._told | self._held.overdue()) - (set(passed) - failing)
        if told == self._told:
            return
        async with self._db.begin() as tx:
            note = update(relay).where(self._holds()).values(told_topics=sorted(told)).returning(relay.c.only)
            if (await tx.conn.execute(note)).one_or_none() is None:
                return
            for topic in sorted(told - self._told):
                await tx.emit(self._trouble(topic, tx.now))
        self._told = frozenset(told)

    def _trouble(self, topic: str, now: datetime) -> TroubleReported:
        summary = (
            f"{self._db.service} 有发往“{topic}”的消息一直不能写入消息日志，同一事项的后续消息按序等待，其他事项照常。"
            "请系统管理员检查消息日志中有无此主题、该服务可否写入，再看该服务日志中的“events held back”。"
        )
        service = self._db.service
        return TroubleReported(trouble_id=new_id(), service=service, kind="outbox", summary=summary, noticed_at=now)

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
            taken = take.returning(relay.c.epoch, relay.c.log_identity, relay.c.refilled_to, relay.c.told_topics)
            row = (await tx.conn.execute(taken)).one_or_none()
            if self._epoch is None:
                self._held.forget()  # whoever had the lease meanwhile may have sent what failed here
            self._epoch = None if row is None else row.epoch
            if row is not None:
                self._told, self._refilling = frozenset(row.told_topics), row.refilled_to is not None
                if row.log_identity != identity:
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
            await conn.execute(update(relay).values(refilled_to=0))
            self._refilling = True
        await conn.execute(update(relay).values(log_identity=identity))

    def _holds(self) -> Any:
        return and_(relay.c.holder == self._me, relay.c.epoch == self._epoch)

    async def _mark(self, ids: Sequence[int]) -> None:
        async with self._db.begin() as tx:
            await store.mark(tx.conn, ids, self._identity, self._holds())
        EVENTS_RELAYED.labels(self._db.service).inc(len(ids))


def _record(row: Any) -> Record:
    headers = {} if row.traceparent is None else {"traceparent": row.traceparent}
    return Record(row.topic, row.key, bytes(row.value), headers)
