"""An event log in PostgreSQL: appends, topics, retention; what members do stands in member.py."""

import asyncio
import contextlib
import json
import logging
from collections.abc import Mapping, Sequence
from datetime import timedelta
from zlib import crc32

import asyncpg

from shared.bus.log import BusError, BusUnavailableError, Record
from shared.bus.postgres.connections import CHANNEL, Connections
from shared.bus.postgres.member import Member
from shared.bus.postgres.schema import migrate
from shared.bus.screening import screen

_log = logging.getLogger(__name__)
_SWEEP = 5_000  # records of one partition looked at by one sweep
_SWEEP_EVERY = 60.0  # seconds
_LISTEN_AGAIN = 1.0  # seconds

# The rows of `partitions` are locked in order, so two appends never wait for each other in a circle. They stay locked
# until the commit, so offsets become visible in their order: a reader that saw one has seen all before it.
_APPEND = """
    WITH batch AS MATERIALIZED (
        SELECT * FROM unnest($1::text[], $2::integer[], $3::bytea[], $4::text[], $5::bytea[])
            WITH ORDINALITY AS b (topic, partition, key, headers, value, rank)
    ), tally AS MATERIALIZED (
        SELECT topic, partition, count(*) AS records FROM batch GROUP BY topic, partition
    ), held AS MATERIALIZED (
        SELECT p.topic, p.partition, t.records FROM partitions p JOIN tally t USING (topic, partition)
        ORDER BY p.topic, p.partition FOR UPDATE OF p
    ), taken AS (
        UPDATE partitions p SET next_offset = p.next_offset + h.records FROM held h
        WHERE p.topic = h.topic AND p.partition = h.partition
        RETURNING p.topic, p.partition, p.next_offset - h.records AS first
    ), added AS (
        INSERT INTO records (topic, partition, "offset", key, headers, value)
        SELECT topic, partition, t.first - 1 + row_number() OVER (PARTITION BY topic, partition ORDER BY b.rank),
               b.key, b.headers, b.value
        FROM batch b JOIN taken t USING (topic, partition)
    )
    SELECT pg_notify($6, $7)
"""
_FORGET = """
    DELETE FROM records USING (
        SELECT r.topic, r.partition, r."offset" FROM partitions p
        CROSS JOIN LATERAL (
            SELECT coalesce(min(c.next_offset), p.next_offset) AS "end" FROM claims c
            WHERE c.topic = p.topic AND c.partition = p.partition
        ) committed
        CROSS JOIN LATERAL (
            SELECT topic, partition, "offset", appended_at FROM records
            WHERE topic = p.topic AND partition = p.partition AND "offset" < committed."end"
            ORDER BY "offset" LIMIT $2
        ) r
        WHERE r.appended_at < now() - $1::interval
    ) old
    WHERE records.topic = old.topic AND records.partition = old.partition AND records."offset" = old."offset"
"""


class PostgresLog:
    """The log in the database at `url`, which holds nothing else. Uses up to `size` + 1 connections.

    A member that stays silent for `lease` loses its partitions. Records older than `retention` are deleted once
    every group has committed beyond them. `timeout` in seconds bounds every call.
    """

    def __init__(
        self,
        url: str,
        *,
        lease: timedelta = timedelta(seconds=10),
        retention: timedelta = timedelta(days=30),
        timeout: float = 10.0,
        size: int = 4,
    ) -> None:
        self._lease = lease
        self._retention = retention
        self._connections = Connections(url, timeout, lease.total_seconds() / 2, size)
        self._partitions: dict[str, int] = {}
        self._members: set[Member] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, topics: Mapping[str, int]) -> None:
        """Make or migrate the tables and the missing topics; an existing topic keeps its number of partitions."""
        await self._connections.open()
        async with self._connections.use() as connection:
            await migrate(connection)
            known = await _count_partitions(connection)
            rows = [(topic, n) for topic, count in topics.items() if topic not in known for n in range(count)]
            await connection.executemany("INSERT INTO partitions VALUES ($1, $2) ON CONFLICT DO NOTHING", sorted(rows))
            self._partitions = await _count_partitions(connection)
        if not self._tasks:
            loop = asyncio.get_running_loop()
            self._tasks = [loop.create_task(self._listen()), loop.create_task(self._sweep())]

    async def identity(self) -> str:
        """The random id that the first start gave to these tables."""
        async with self._connections.use() as connection:
            return str(await connection.fetchval("SELECT id FROM log"))

    async def append(self, records: Sequence[Record]) -> Sequence[BusError | None]:
        """Append all that is sound by itself in one transaction: all of it or, with an error for each, nothing.

        When the connection breaks during the commit the records may be there all the same; a repetition doubles them.
        """
        try:
            await self._learn_topics(records)
            outcome = screen(records, self._partitions)
            sound = [record for record, fault in zip(records, outcome, strict=True) if fault is None]
            if sound:
                await self._insert(sound)
        except BusError as fault:
            return [fault] * len(records)
        return outcome

    async def subscribe(self, group: str, topics: Sequence[str]) -> Member:
        """Join `group`; partitions follow at once as far as they are free."""
        member = Member(self._connections, group, topics, self._lease)
        await member.join()
        self._members.add(member)
        member.on_close = self._members.discard
        return member

    async def forget(self) -> int:
        """Delete one bounded portion of the records whose time is over; return how many."""
        async with self._connections.use() as connection:
            status = await connection.execute(_FORGET, self._retention, _SWEEP)
        return int(status.rpartition(" ")[2])

    async def close(self) -> None:
        """Close the members that are left, and every connection."""
        for member in list(self._members):
            await member.close()
        tasks, self._tasks = self._tasks, []
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._connections.close()

    async def _learn_topics(self, records: Sequence[Record]) -> None:
        """Another process may have made a topic since our start."""
        if any(record.topic not in self._partitions for record in records):
            async with self._connections.use() as connection:
                self._partitions = await _count_partitions(connection)

    async def _insert(self, records: Sequence[Record]) -> None:
        keys = [record.key.encode() for record in records]
        topics = [record.topic for record in records]
        async with self._connections.use() as connection:
            await connection.fetchval(
                _APPEND,
                topics,
                [_partition(key, self._partitions[topic]) for key, topic in zip(keys, topics, strict=True)],
                keys,
                [json.dumps(dict(record.headers)) for record in records],
                [record.value for record in records],
                CHANNEL,
                " ".join(sorted(set(topics))),
            )

    async def _listen(self) -> None:
        """Keep one connection that hears of appends. While it is away the members' own polls find them."""
        while True:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._connections.listen(self._heard)
            await asyncio.sleep(_LISTEN_AGAIN)

    def _heard(self, *said: object) -> None:
        """A notification names the topics appended to, or one group whose shares have changed."""
        words = frozenset(str(said[-1]).split(" "))
        for member in self._members:
            member.hear(words)

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_EVERY)
            try:
                while await self.forget() >= _SWEEP:
                    pass
            except BusUnavailableError:
                continue
            except BusError:
                _log.exception("old records were not deleted")


def _partition(key: bytes, partitions: int) -> int:
    """CRC-32, not Kafka's murmur2: it is built in and fast, and no record ever moves between the two logs."""
    return crc32(key) % partitions


async def _count_partitions(connection: asyncpg.pool.PoolConnectionProxy) -> dict[str, int]:
    rows = await connection.fetch("SELECT topic, count(*) AS partitions FROM partitions GROUP BY topic")
    return {row["topic"]: row["partitions"] for row in rows}
