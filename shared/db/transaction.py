"""One act is one transaction: the rows and the events that tell of them are committed together or not at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import uuid_utils.compat as uuids
from sqlalchemy import insert
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.clock import Clock
from shared.contracts.envelope import Envelope, Event, encode
from shared.db.tables import outbox, sequences
from shared.errors import Fault, Invalid
from shared.signals import Signals
from shared.telemetry.traces import TRACING

OUTBOX_SIGNAL = "outbox"
MAX_EVENT_BYTES = 800_000
"""Of an encoded envelope: what the log would refuse (shared/bus/screening.py) must not get into the outbox."""


def new_id() -> UUID:
    """A UUIDv7: sorts by the time of its making."""
    return uuids.uuid7()


def made_at(made: UUID) -> datetime:
    """The machine's instant (UTC) at which new_id() made the id (RFC 9562, 5.7)."""
    return datetime.fromtimestamp((made.int >> 80) / 1000, UTC)


class Transaction:
    """An open transaction: a connection, the instant of the act (UTC), and the events that it will tell."""

    def __init__(self, conn: AsyncConnection, service: str, court: str, now: datetime) -> None:
        self.conn = conn
        self.now = now
        self.signals: set[str] = set()
        self._service = service
        self._court = court

    async def emit(self, *events: Event) -> None:
        """Write events to the outbox. The counter's row lock makes the order of ids the order of commits per key.

        Raises Invalid for an event larger than any log takes: the act must not be committed then.
        """
        by_key: dict[tuple[str, str], list[Event]] = {}
        for event in events:
            by_key.setdefault((event.topic, event.key), []).append(event)
        for (topic, key), mine in by_key.items():
            last = await self._advance(topic, key, len(mine))
            rows = [self._row(event, last - len(mine) + 1 + index) for index, event in enumerate(mine)]
            await self.conn.execute(insert(outbox), rows)
            self.signals.add(OUTBOX_SIGNAL)

    def wake(self, signal: str) -> None:
        """Fire `signal` in this process once the transaction has committed."""
        self.signals.add(signal)

    async def _advance(self, topic: str, key: str, by: int) -> int:
        statement = postgresql.insert(sequences).values(topic=topic, key=key, last=by)
        statement = statement.on_conflict_do_update(
            index_elements=["topic", "key"], set_={"last": sequences.c.last + statement.excluded.last}
        )
        return int((await self.conn.execute(statement.returning(sequences.c.last))).scalar_one())

    def _row(self, event: Event, sequence: int) -> dict[str, Any]:
        envelope = Envelope(
            id=new_id(),
            source=f"/{self._service}",
            type=event.type,
            subject=event.key,
            time=self.now,
            sequence=sequence,
            court=self._court,
            traceparent=TRACING.traceparent(),
            data=event.model_dump(mode="json"),
        )
        value = encode(envelope)
        if len(value) > MAX_EVENT_BYTES:
            raise Invalid([Fault("", "一次提交的内容过多，无法办理。请减少人数或缩短文字，分几次提交。")])
        return {
            "event_id": envelope.id,
            "topic": event.topic,
            "key": event.key,
            "sequence": sequence,
            "value": value,
            "traceparent": envelope.traceparent,
        }


_SERVER = {
    # A process that froze, or whose machine is gone, must not keep its rows locked.
    "idle_in_transaction_session_timeout": "30s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}


class Database:
    """A service's own database. Nothing else of the product has its address."""

    def __init__(self, url: str, service: str, court: str, clock: Clock, signals: Signals, pool_size: int = 10) -> None:
        self.engine = create_async_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=30,
            hide_parameters=True,
            pool_pre_ping=False,
            connect_args={"timeout": 10, "command_timeout": 60, "server_settings": _SERVER},
        )
        self.service = service
        self._court = court
        self._clock = clock
        self._signals = signals

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        async with self.engine.begin() as conn:
            tx = Transaction(conn, self.service, self._court, self._clock.now())
            yield tx
        for signal in tx.signals:
            self._signals.fire(signal)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading: one snapshot for all its queries, so that a page never mixes two moments."""
        async with self.engine.connect() as conn:
            yield await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()
