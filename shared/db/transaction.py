"""One act is one transaction: the rows and the events that tell of them are committed together or not at all."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Hashable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any, Protocol, TypeVar, cast
from uuid import UUID

import uuid_utils.compat as uuids
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from shared.clock import Clock
from shared.contracts.envelope import Envelope, Event, encode
from shared.db import outbox
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


class UndeclaredError(Exception):
    """A service tells what it does not declare: its user at Kafka may not write there. A fault of ours."""


class Closing(Protocol):
    """What a transaction writes once, when everything else has been written."""

    async def write(self, conn: AsyncConnection) -> None: ...


C = TypeVar("C", bound=Closing)


class Transaction:
    """An open transaction: a connection, the instant of the act (UTC), and the events that it will tell."""

    def __init__(
        self, conn: AsyncConnection, service: str, court: str, now: datetime, topics: Collection[str] | None = None
    ) -> None:
        self.conn = conn
        self.now = now
        self.signals: set[str] = set()
        self.held: set[Hashable] = set()
        """What the act has locked, by names of its own: it need not be locked again."""
        self._service = service
        self._court = court
        self._topics = topics
        self._told: list[tuple[Event, str | None]] = []
        self._closing: dict[Hashable, Closing] = {}

    async def emit(self, *events: Event) -> None:
        """Tell events. All that an act tells is written to the outbox at once, at its end.

        There Invalid is raised for an event larger than any log takes: the act is not committed then.
        Raises UndeclaredError for one on a topic that the service does not declare (`Service.tells`).
        """
        foreign = {event.topic for event in events} - set(self._topics) if self._topics is not None else ()
        if foreign:
            raise UndeclaredError(f"{self._service} does not declare that it tells on {', '.join(sorted(foreign))}")
        self._told += ((event, TRACING.traceparent()) for event in events)

    def at_end(self, name: Hashable, make: Callable[[], C]) -> C:
        """What is to be written last under this name, made when it is first asked for."""
        return cast(C, self._closing.setdefault(name, make()))

    async def finish(self) -> None:
        """Write what waits for the end; the events last, so that their counters are locked for a moment only."""
        for closing in self._closing.values():
            await closing.write(self.conn)
        if self._told:
            await self._tell()

    async def _tell(self) -> None:
        """The counters' row locks make the order of ids the order of commits per key."""
        counts = Counter((event.topic, event.key) for event, _ in self._told)
        last = await outbox.advance(self.conn, counts)
        sequence = {key: last[key] - number for key, number in counts.items()}
        rows = []
        for event, traceparent in self._told:
            sequence[event.topic, event.key] += 1
            rows.append(self._row(event, sequence[event.topic, event.key], traceparent))
        await outbox.add(self.conn, rows)
        self.signals.add(OUTBOX_SIGNAL)

    def wake(self, signal: str) -> None:
        """Fire `signal` in this process once the transaction has committed."""
        self.signals.add(signal)

    def _row(self, event: Event, sequence: int, traceparent: str | None) -> dict[str, Any]:
        envelope = Envelope(
            id=new_id(),
            source=f"/{self._service}",
            type=event.type,
            subject=event.key,
            time=self.now,
            sequence=sequence,
            court=self._court,
            traceparent=traceparent,
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
        self._topics: Collection[str] | None = None

    def telling_on(self, topics: Collection[str] | None) -> "Database":
        """From now on its transactions tell on these topics alone; it itself."""
        self._topics = topics
        return self

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[Transaction]:
        """A transaction: committed when the block ends, rolled back when it raises."""
        async with self.engine.begin() as conn:
            tx = Transaction(conn, self.service, self._court, self._clock.now(), self._topics)
            yield tx
            await tx.finish()
        for signal in tx.signals:
            self._signals.fire(signal)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A connection for reading: one snapshot for all its queries, so that a page never mixes two moments."""
        async with self.engine.connect() as conn:
            yield await conn.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def beside(self, url: str) -> "Database":
        """The same database as another role, for a moment."""
        beside = Database(url, self.service, self._court, self._clock, self._signals, 1)
        return beside.telling_on(self._topics)

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()
