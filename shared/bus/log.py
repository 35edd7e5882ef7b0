"""What an event log must do, whichever log lies beneath: PostgreSQL's table or Apache Kafka.

A log holds topics; a topic has partitions; a record keeps its place (offset) in its partition for good.
Records of one key land in one partition, in the order in which they were appended.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol


class BusError(Exception):
    """The log did not do what was asked; the call may be repeated."""


class BusUnavailableError(BusError):
    """The log cannot be reached, or did not answer in time."""


class BusDeniedError(BusUnavailableError):
    """The log is there and does not let this user in, or not to its topics. Says in Chinese what is to be done."""


class BusRefusedError(BusError):
    """The log takes others, but not this record as it is, nor what follows it of its key."""


class BusFencedError(BusError):
    """Another member holds the partition now: this member's offsets no longer count."""


class Place(NamedTuple):
    """One partition of one topic."""

    topic: str
    partition: int


@dataclass(frozen=True)
class Record:
    """What a producer appends. `key` is the aggregate's id, `value` the encoded envelope."""

    topic: str
    key: str
    value: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Delivered:
    """A record as read. `key` and `value` are raw: bytes that nobody can decode must reach quarantine whole."""

    place: Place
    offset: int
    key: bytes
    value: bytes
    headers: Mapping[str, bytes] = field(default_factory=dict)


class Subscription(Protocol):
    """One member of a consumer group. A record is delivered again unless a later offset was committed.

    Used by one task at a time.
    """

    async def poll(self, limit: int, wait: float) -> Sequence[Delivered]:
        """Up to `limit` records of the partitions held, waiting at most `wait` seconds; may be empty.

        Raises BusUnavailableError when the log is away: emptiness means "nothing new", never "cannot tell".
        """
        ...

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """The next offset to read, per partition. Raises BusFencedError when a partition is no longer held."""
        ...

    async def behind(self) -> int:
        """Records of the partitions held that were appended and not yet committed by this group."""
        ...

    async def close(self) -> None:
        """Give the partitions back, so that another member takes over at once. Never hangs."""
        ...


class Log(Protocol):
    """An event log. Every call is bounded in time."""

    async def start(self, topics: Mapping[str, int]) -> None:
        """Connect, and create what is missing of `topics` (name → number of partitions)."""
        ...

    async def identity(self) -> str:
        """The id of this log's store. Another id means that the log came back empty."""
        ...

    async def append(self, records: Sequence[Record]) -> Sequence[BusError | None]:
        """Append in order; per record None (acknowledged, durable) or why not.

        Sends are pipelined. When a record fails, later records of its key in the same call are not appended.
        """
        ...

    async def subscribe(self, group: str, topics: Sequence[str]) -> Subscription:
        """Join `group`, reading from its committed offsets, or from the start where it has none."""
        ...

    async def close(self) -> None: ...
