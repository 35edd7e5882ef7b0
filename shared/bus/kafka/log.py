"""An event log in Apache Kafka: topics and appends; what members do stands in member.py."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import lru_cache

from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.partitioner import murmur2
from aiokafka.producer.message_accumulator import BatchBuilder

from shared.bus.kafka.client import bounded, cut_off_producer, request_milliseconds, tidy
from shared.bus.kafka.login import OPEN, Door, Login
from shared.bus.kafka.member import Member
from shared.bus.log import BusError, BusUnavailableError, Place, Record
from shared.bus.screening import screen

_BATCH_BYTES = 1_000_000  # below the 1 MiB that a broker takes unless told otherwise
_TOPIC_EXISTS = 36  # error codes of the protocol
_DENIED = frozenset({29, 31})


class KafkaLog:
    """The log in the cluster that `bootstrap` (host:port, comma-separated) leads to, entered with `login`.

    `timeout` in seconds bounds every call. A member that stays silent for `lease` loses its partitions. `replication`
    and `retention` go to the topics that start() creates.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        timeout: float = 10.0,
        replication: int = 1,
        lease: timedelta = timedelta(seconds=10),
        retention: timedelta = timedelta(days=30),
        login: Login = OPEN,
    ) -> None:
        self._bootstrap = bootstrap
        self._login = login
        self._door = Door(bootstrap, login)
        self._timeout = timeout
        self._replication = replication
        self._lease = lease
        self._retention = retention
        self._wanted: dict[str, int] = {}
        self._partitions: dict[str, list[int]] = {}
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()
        self._one_asks = asyncio.Lock()
        self._asking: AIOKafkaAdminClient | None = None
        self._members: set[Member] = set()

    async def start(self, topics: Mapping[str, int]) -> None:
        """Connect, and create what is missing; an existing topic keeps its number of partitions."""
        self._wanted.update(topics)
        async with self._admin() as admin:
            await self._create_missing(admin)
        self._door.opened()

    async def identity(self) -> str:
        """The cluster's id, asked anew each time: the broker behind an address can be another one tomorrow.

        The connection is kept, since relays ask all the time; one that broke is made anew before anybody hears of it.
        """
        async with self._one_asks:
            if self._asking is not None:
                with suppress(BusError):
                    return await self._ask_identity()
                await self._stop_asking()
            try:
                return await self._ask_identity()
            except BaseException:
                await self._stop_asking()
                raise

    async def _ask_identity(self) -> str:
        async with bounded(self._timeout):
            if self._asking is None:
                self._asking = self._new_admin()
                await self._door.enter(self._asking, request_milliseconds(self._timeout))
            found = (await self._asking.describe_cluster())["cluster_id"]
        if not found:
            raise BusUnavailableError("Kafka does not say which cluster it is")
        return str(found)

    async def _stop_asking(self) -> None:
        admin, self._asking = self._asking, None
        if admin is not None:
            await tidy(admin.close())

    async def append(self, records: Sequence[Record]) -> Sequence[BusError | None]:
        """Append, all partitions at once, each batch of a partition after the one before it was acknowledged.

        When a batch fails, nothing more goes to its partition in this call, and the producer is replaced: one that
        failed may have lost count of its sequence numbers, and would go on trying behind our back.
        """
        try:
            producer = await self._take_producer()
            await self._learn_topics(records)
        except BusError as fault:
            return [fault] * len(records)
        outcome = screen(records, self._partitions)
        if await self._send(producer, records, outcome):
            await self._replace(producer)
        return outcome

    async def subscribe(self, group: str, topics: Sequence[str]) -> Member:
        """Join `group`; partitions follow when its members have settled."""
        async with self._admin() as admin:
            await self._look(admin, topics)
        unknown = set(topics) - self._partitions.keys()
        if unknown:
            raise BusError(f"the log has no topic {', '.join(sorted(unknown))}")
        member = Member(self._bootstrap, self._login, group, topics, self._timeout, self._lease)
        await member.join()
        self._members.add(member)
        member.on_close = self._members.discard
        return member

    async def close(self) -> None:
        """Close the members that are left, the producer and what asks for the identity."""
        await self._stop_asking()
        for member in list(self._members):
            await member.close()
        producer, self._producer = self._producer, None
        if producer is not None:
            await tidy(producer.flush())
            await cut_off_producer(producer)

    def _new_admin(self) -> AIOKafkaAdminClient:
        milliseconds = request_milliseconds(self._timeout)
        options = self._login.options
        return AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=milliseconds, **options)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = self._new_admin()
        try:
            async with bounded(self._timeout):
                await self._door.enter(admin, request_milliseconds(self._timeout))
                yield admin
        finally:
            await tidy(admin.close())

    async def _create_missing(self, admin: AIOKafkaAdminClient) -> None:
        """Return when each partition wanted has a leader."""
        await self._look(admin, self._wanted)
        missing = [self._new_topic(topic) for topic in self._wanted if topic not in self._partitions]
        if missing:
            answer = await admin.create_topics(missing)
            refused = [error for error in answer.topic_errors if error[1] not in {0, _TOPIC_EXISTS}]
            denied = [error[0] for error in refused if error[1] in _DENIED]
            if denied:
                raise self._door.closed_to(denied)
            if refused:
                raise BusError(f"topics were not created: {refused}")
        while not self._wanted.keys() <= self._partitions.keys():
            await asyncio.sleep(0.05)
            await self._look(admin, self._wanted)

    def _new_topic(self, name: str) -> NewTopic:
        settings = {
            "retention.ms": str(self._retention // timedelta(milliseconds=1)),
            "min.insync.replicas": str(max(1, self._replication - 1)),
        }
        return NewTopic(name, self._wanted[name], self._replication, topic_configs=settings)

    async def _look(self, admin: AIOKafkaAdminClient, topics: Iterable[str]) -> None:
        """Learn the partitions of the topics that exist and are ready to be used."""
        for found in await admin.describe_topics(sorted(topics)):
            partitions = found["partitions"]
            if partitions and all(one["leader"] >= 0 for one in partitions):
                self._partitions[found["topic"]] = sorted(one["partition"] for one in partitions)

    async def _learn_topics(self, records: Iterable[Record]) -> None:
        unknown = {record.topic for record in records} - self._partitions.keys()
        if unknown:
            async with self._admin() as admin:
                await self._look(admin, unknown)

    async def _take_producer(self) -> AIOKafkaProducer:
        """The producer, or a new one. A broker that came back empty gets its topics again first."""
        async with self._making:
            if self._producer is None:
                await self.start({})
                self._producer = await self._new_producer()
            return self._producer

    async def _new_producer(self) -> AIOKafkaProducer:
        """Whole batches are handed to it, so it never lingers to gather them."""
        producer = AIOKafkaProducer(
            bootstrap_servers=self._bootstrap,
            acks="all",
            enable_idempotence=True,
            max_batch_size=_BATCH_BYTES,
            request_timeout_ms=request_milliseconds(self._timeout),
            **self._login.options,
        )
        try:
            async with bounded(self._timeout):
                await producer.start()
        except BaseException:
            await cut_off_producer(producer)
            raise
        return producer

    async def _replace(self, producer: AIOKafkaProducer) -> None:
        if self._producer is producer:
            self._producer = None
            self._partitions.clear()
        await cut_off_producer(producer)

    async def _send(
        self, producer: AIOKafkaProducer, records: Sequence[Record], outcome: list[BusError | None]
    ) -> bool:
        """Send what is sound, write into `outcome` what was not acknowledged, and tell whether there is such."""
        runs = self._runs(records, outcome)
        sends = [self._send_run(producer, place, [records[i] for i in run]) for place, run in runs.items()]
        failed = False
        for run, (done, fault) in zip(runs.values(), await asyncio.gather(*sends), strict=True):
            for position in run[done:]:
                outcome[position] = fault
                failed = True
        return failed

    def _runs(self, records: Sequence[Record], outcome: Sequence[BusError | None]) -> dict[Place, list[int]]:
        """Per partition the positions of its sound records, in order."""
        runs: dict[Place, list[int]] = defaultdict(list)
        for position, record in enumerate(records):
            if outcome[position] is None:
                partitions = self._partitions[record.topic]
                partition = partitions[_hash(record.key) % len(partitions)]
                runs[Place(record.topic, partition)].append(position)
        return runs

    async def _send_run(
        self, producer: AIOKafkaProducer, place: Place, records: Sequence[Record]
    ) -> tuple[int, BusError | None]:
        """How many were acknowledged, and why the rest was not."""
        done = 0
        try:
            async with bounded(self._timeout):
                while done < len(records):
                    batch = producer.create_batch()
                    taken = _fill(batch, records[done:])
                    await (await producer.send_batch(batch, place.topic, partition=place.partition))
                    done += taken
        except BusError as fault:
            return done, fault
        return done, None


@lru_cache(maxsize=50_000)
def _hash(key: str) -> int:
    """Murmur2, as every other Kafka client reckons it; remembered, since it is slow here and keys come again."""
    return int(murmur2(key.encode())) & 0x7FFFFFFF


def _fill(batch: BatchBuilder, records: Sequence[Record]) -> int:
    """Put in what fits; how many that were."""
    taken = 0
    for record in records:
        headers = [(name, text.encode()) for name, text in record.headers.items()]
        if batch.append(timestamp=None, key=record.key.encode(), value=record.value, headers=headers) is None:
            break
        taken += 1
    batch.close()
    return taken
