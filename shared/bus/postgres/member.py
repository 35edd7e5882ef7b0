"""One member of a consumer group: reads the partitions it holds, and keeps holding them."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

import asyncpg
from asyncpg.pool import PoolConnectionProxy

from shared.bus.log import BusError, BusFencedError, Delivered, Place
from shared.bus.postgres.connections import CHANNEL, Connections
from shared.bus.postgres.shares import Share, share
from shared.bus.tenure import Tenure

_log = logging.getLogger(__name__)
_POLL_EVERY = 1.0  # seconds; a notification is a hint, this is the truth

# Only what is still held under the same epoch is read.
_READ = """
    SELECT r.topic, r.partition, r."offset", r.key, r.headers, r.value
    FROM unnest($3::text[], $4::integer[], $5::bigint[], $6::bigint[]) AS held (topic, partition, epoch, "next")
    JOIN claims c ON c.consumer_group = $1 AND c.topic = held.topic AND c.partition = held.partition
        AND c.holder = $2 AND c.epoch = held.epoch
    CROSS JOIN LATERAL (
        SELECT * FROM records WHERE topic = held.topic AND partition = held.partition AND "offset" >= held."next"
        ORDER BY "offset" LIMIT $7
    ) r
    LIMIT $7
"""
_COMMIT = """
    UPDATE claims c SET next_offset = done."next"
    FROM unnest($3::text[], $4::integer[], $5::bigint[], $6::bigint[]) AS done (topic, partition, epoch, "next")
    WHERE c.consumer_group = $1 AND c.topic = done.topic AND c.partition = done.partition
        AND c.holder = $2 AND c.epoch = done.epoch
    RETURNING c.topic, c.partition
"""
_JOIN = """
    INSERT INTO claims (consumer_group, topic, partition)
    SELECT $1, topic, partition FROM partitions WHERE topic = ANY ($2::text[]) ORDER BY topic, partition
    ON CONFLICT DO NOTHING
"""
_RENEW = """
    INSERT INTO members (consumer_group, id, topics, lease_until) VALUES ($1, $2, $3, now() + $4)
    ON CONFLICT (consumer_group, id) DO UPDATE SET lease_until = excluded.lease_until
    RETURNING xmax = 0
"""
_RELEASE = """
    UPDATE claims c SET holder = NULL FROM unnest($3::text[], $4::integer[]) AS given (topic, partition)
    WHERE c.consumer_group = $1 AND c.holder = $2 AND c.topic = given.topic AND c.partition = given.partition
"""
_TAKE = """
    UPDATE claims c SET holder = $2, epoch = c.epoch + 1
    FROM unnest($3::text[], $4::integer[]) AS free (topic, partition)
    WHERE c.consumer_group = $1 AND c.topic = free.topic AND c.partition = free.partition
"""
_BEHIND = """
    SELECT coalesce(sum(p.next_offset - c.next_offset), 0) FROM claims c JOIN partitions p USING (topic, partition)
    WHERE c.consumer_group = $1 AND c.holder = $2
"""


class Member:
    """A subscription to the log in PostgreSQL.

    A background task renews the lease and keeps to the fair share. A partition that another member should have is
    first read no further; it is given up when what was handed out of it is committed, or after one more lease.
    """

    def __init__(self, connections: Connections, group: str, topics: Sequence[str], lease: timedelta) -> None:
        self._connections = connections
        self._group = group
        self._topics = sorted(set(topics))
        self._lease = lease
        self._id = uuid.uuid4()
        self._epochs: dict[Place, int] = {}
        self._next: dict[Place, int] = {}
        self._leaving: dict[Place, float] = {}
        self._tenure = Tenure()
        self._news = asyncio.Event()
        self._prod = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._closed = False
        self.on_close: Callable[[Member], None] = lambda _: None

    async def join(self) -> None:
        """Enter the group, and take what is free. BusError when a topic does not exist."""
        async with self._connections.use() as connection:
            known = await connection.fetch("SELECT DISTINCT topic FROM partitions")
            unknown = set(self._topics) - {row["topic"] for row in known}
            if unknown:
                raise BusError(f"the log has no topic {', '.join(sorted(unknown))}")
            await connection.execute(_JOIN, self._group, self._topics)
        await self._balance()
        self._keeper = asyncio.get_running_loop().create_task(self._keep())

    def hear(self, words: frozenset[str]) -> None:
        """Take a hint: topics that were appended to, or the group that has changed."""
        if not words.isdisjoint(self._topics):
            self._news.set()
        if _word(self._group) in words:
            self._prod.set()

    async def poll(self, limit: int, wait: float) -> Sequence[Delivered]:
        if self._closed:
            raise BusError("the subscription is closed")
        deadline = time.monotonic() + wait
        while True:
            self._news.clear()
            records = await self._read(limit)
            left = deadline - time.monotonic()
            if records or left <= 0:
                return records
            await _wait(self._news, min(left, _POLL_EVERY))

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """What is still held is committed even when BusFencedError tells that something is not."""
        self._tenure.check(offsets)
        places = sorted(offsets)
        epochs = [self._epochs[place] for place in places]
        async with self._connections.use() as connection:
            rows = await connection.fetch(
                _COMMIT,
                self._group,
                self._id,
                *_columns(places),
                epochs,
                [offsets[place] for place in places],
            )
        done = {Place(row["topic"], row["partition"]) for row in rows}
        self._tenure.committed({place: offsets[place] for place in done})
        self._drop(set(places) - done)
        if self._leaving:
            self._prod.set()
        if len(done) < len(places):
            raise BusFencedError(f"{len(places) - len(done)} of {len(places)} partitions are no longer held")

    async def behind(self) -> int:
        async with self._connections.use() as connection:
            return int(await connection.fetchval(_BEHIND, self._group, self._id))

    async def close(self) -> None:
        """Leave the group; when the database is away the lease runs out by itself."""
        keeper, self._keeper = self._keeper, None
        self._closed = True
        if keeper is None:
            return
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)
        self.on_close(self)
        self._drop(list(self._epochs))
        try:
            async with self._connections.use() as connection, connection.transaction():
                await self._lock(connection)
                await connection.execute(
                    "DELETE FROM members WHERE consumer_group = $1 AND id = $2", self._group, self._id
                )
                await self._tell(connection)
        except BusError:
            _log.warning("a member of %s left without telling; its lease runs out", self._group)

    async def _read(self, limit: int) -> list[Delivered]:
        """Asks the database even when nothing is held: an answer shows that it is there."""
        places = [place for place in self._next if place not in self._leaving]
        epochs = {place: self._epochs[place] for place in places}
        async with self._connections.use() as connection:
            rows = await connection.fetch(
                _READ,
                self._group,
                self._id,
                *_columns(places),
                list(epochs.values()),
                [self._next[place] for place in places],
                limit,
            )
        # What was lost, or is about to be given up, while the answer was on its way is not handed out.
        records = [
            record
            for record in map(_delivered, rows)
            if self._epochs.get(record.place) == epochs[record.place] and record.place not in self._leaving
        ]
        self._tenure.hand_out(records)
        for record in records:
            # Whoever was read goes to the end of the line, so that a full partition starves no other.
            self._next.pop(record.place)
            self._next[record.place] = record.offset + 1
        return records

    async def _keep(self) -> None:
        while True:
            await _wait(self._prod, self._lease.total_seconds() / 4)
            self._prod.clear()
            try:
                await self._balance()
            except BusError as fault:
                _log.warning("the lease of a member of %s was not renewed: %s", self._group, fault)
                await asyncio.sleep(self._lease.total_seconds() / 8)

    async def _balance(self) -> None:
        """Renew the lease, give up and take, in one transaction; one member of a group at a time."""
        async with self._connections.use() as connection, connection.transaction():
            await self._lock(connection)
            changed = await self._renew(connection)
            what = await self._share(connection)
            given = self._give_up(what.surplus)
            await connection.execute(_RELEASE, self._group, self._id, *_columns(given))
            await connection.execute(_TAKE, self._group, self._id, *_columns(what.take))
            if changed or given or what.take:
                await self._tell(connection)
            held = await connection.fetch(
                "SELECT topic, partition, epoch, next_offset FROM claims WHERE consumer_group = $1 AND holder = $2",
                self._group,
                self._id,
            )
        self._settle(held)

    async def _lock(self, connection: PoolConnectionProxy) -> None:
        """A crash of the server may forget the latest leases: nobody then holds by an epoch that is not written."""
        await connection.execute("SET LOCAL synchronous_commit TO off")
        await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", self._group)

    async def _renew(self, connection: PoolConnectionProxy) -> bool:
        """Tell whether the group has changed: somebody's lease has run out, or this member is new in it."""
        gone = await connection.execute(
            "DELETE FROM members WHERE consumer_group = $1 AND lease_until < now() AND id <> $2", self._group, self._id
        )
        new = await connection.fetchval(_RENEW, self._group, self._id, self._topics, self._lease)
        return bool(new) or gone != "DELETE 0"

    async def _share(self, connection: PoolConnectionProxy) -> Share:
        rows = await connection.fetch("SELECT id, topics FROM members WHERE consumer_group = $1", self._group)
        members = {str(row["id"]): row["topics"] for row in rows}
        claims = await connection.fetch(
            "SELECT topic, partition, holder FROM claims WHERE consumer_group = $1", self._group
        )
        holders = {
            Place(row["topic"], row["partition"]): holder if (holder := str(row["holder"])) in members else None
            for row in claims
        }
        return share(str(self._id), members, holders)

    def _give_up(self, surplus: Iterable[Place]) -> list[Place]:
        """Of the surplus, what may go now; the rest is read no further until it may."""
        now = time.monotonic()
        until = now + self._lease.total_seconds()
        self._leaving = {place: self._leaving.get(place, until) for place in surplus}
        return [place for place, end in self._leaving.items() if self._tenure.is_idle(place) or end <= now]

    def _settle(self, held: Sequence[asyncpg.Record]) -> None:
        """Compare what the rows say with what this member believes."""
        now = {Place(row["topic"], row["partition"]): row for row in held}
        self._drop([p for p, epoch in self._epochs.items() if p not in now or now[p]["epoch"] != epoch])
        for place, row in now.items():
            if place not in self._epochs:
                self._epochs[place] = row["epoch"]
                self._next[place] = row["next_offset"]
                self._news.set()

    def _drop(self, places: Iterable[Place]) -> None:
        places = list(places)
        self._tenure.lose(places)
        for place in places:
            self._epochs.pop(place, None)
            self._next.pop(place, None)
            self._leaving.pop(place, None)

    async def _tell(self, connection: PoolConnectionProxy) -> None:
        await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, _word(self._group))


def _word(group: str) -> str:
    """What a notification says when the shares of a group have changed; no topic is called so."""
    return f"group:{group.replace(' ', '_')}"


def _columns(places: Sequence[Place]) -> tuple[list[str], list[int]]:
    return [place.topic for place in places], [place.partition for place in places]


def _delivered(row: asyncpg.Record) -> Delivered:
    topic, partition, offset, key, headers, value = row
    texts: dict[str, str] = json.loads(headers)
    return Delivered(Place(topic, partition), offset, key, value, {name: text.encode() for name, text in texts.items()})


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        pass
