"""The event log in Apache Kafka: the only module that knows aiokafka, and the traps of its version 0.14.

With the broker gone its producer's sends and stop(), and its consumer's commit() and stop(), hang for good; getmany()
returns nothing in silence, waits without end for an assignment, and stays silent when its own reader has died. So every
call here is bounded, a watch asks the broker whether it is there, and what has failed is torn down and made anew.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError
from aiokafka.partitioner import DefaultPartitioner
from aiokafka.producer.producer import BatchBuilder

from shared.bus.log import BusError, BusFencedError, BusUnavailableError, Delivered, Place, Record
from shared.bus.screening import screen
from shared.bus.tenure import Tenure

_log = logging.getLogger(__name__)
_BATCH_BYTES = 1_000_000  # below the 1 MiB that a broker takes unless told otherwise
_TOPIC_EXISTS = 36  # the protocol's error code
_GIVE_UP = 1.0  # seconds for what is only tidied away
_partition_of = DefaultPartitioner()


class KafkaLog:
    """The log in the cluster that `bootstrap` (host:port, comma-separated) leads to.

    `timeout` in seconds bounds every call. A member that stays silent for `lease` loses its partitions. `replication`
    and `retention` are given to the topics that start() creates.
    """

    def __init__(
        self,
        bootstrap: str,
        *,
        timeout: float = 10.0,
        replication: int = 1,
        lease: timedelta = timedelta(seconds=10),
        retention: timedelta = timedelta(days=30),
    ) -> None:
        self._bootstrap = bootstrap
        self._timeout = timeout
        self._replication = replication
        self._lease = lease
        self._retention = retention
        self._wanted: dict[str, int] = {}
        self._partitions: dict[str, list[int]] = {}
        self._producer: AIOKafkaProducer | None = None
        self._making = asyncio.Lock()
        self._members: set[Member] = set()

    async def start(self, topics: Mapping[str, int]) -> None:
        """Connect, and create what is missing; an existing topic keeps its number of partitions."""
        self._wanted |= topics
        async with self._admin() as admin:
            await self._create_missing(admin)

    async def identity(self) -> str:
        """The cluster's id, asked anew each time: the broker behind an address can be another one tomorrow."""
        async with self._admin() as admin:
            return str((await admin.describe_cluster())["cluster_id"])

    async def append(self, records: Sequence[Record]) -> Sequence[BusError | None]:
        """Append, all partitions at once, each batch of a partition after the one before it was acknowledged.

        When a batch fails, nothing more goes to its partition in this call, and the producer is replaced: one that
        failed may have lost count of its sequence numbers, and would go on trying behind our back.
        """
        try:
            await self._learn_topics(records)
            outcome = screen(records, self._partitions)
            if None in outcome:
                await self._send(records, outcome)
        except BusError as fault:
            return [fault] * len(records)
        return outcome

    async def subscribe(self, group: str, topics: Sequence[str]) -> "Member":
        """Join `group`; bounded by the time that the group's members take to settle, or else BusUnavailableError."""
        await self._must_know(topics)
        member = Member(self._bootstrap, group, topics, self._timeout, self._lease)
        await member.join()
        self._members.add(member)
        member.on_close = self._members.discard
        return member

    async def close(self) -> None:
        """Close the members that are left, and the producer."""
        for member in list(self._members):
            await member.close()
        producer, self._producer = self._producer, None
        if producer is not None:
            await _end_producer(producer)

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap, request_timeout_ms=_part(self._timeout))
        try:
            async with _bounded(self._timeout):
                await admin.start()
                yield admin
        finally:
            await _tidy(admin.close())

    async def _create_missing(self, admin: AIOKafkaAdminClient) -> None:
        """Returns when each partition wanted has a leader."""
        await self._look(admin, self._wanted)
        missing = [self._new_topic(topic) for topic in self._wanted if topic not in self._partitions]
        if missing:
            answer = await admin.create_topics(missing)
            refused = [error for error in answer.topic_errors if error[1] not in {0, _TOPIC_EXISTS}]
            if refused:
                raise BusError(f"topics were not created: {refused}")
        while not self._wanted.keys() <= self._partitions.keys():
            await asyncio.sleep(0.05)
            await self._look(admin, self._wanted)

    def _new_topic(self, name: str) -> NewTopic:
        settings = {
            "retention.ms": str(int(self._retention.total_seconds() * 1000)),
            "min.insync.replicas": str(max(1, self._replication - 1)),
        }
        return NewTopic(name, self._wanted[name], self._replication, topic_configs=settings)

    async def _look(self, admin: AIOKafkaAdminClient, topics: Iterable[str]) -> None:
        for found in await admin.describe_topics(sorted(topics)):
            partitions = found["partitions"]
            if partitions and all(one["leader"] >= 0 for one in partitions):
                self._partitions[found["topic"]] = sorted(one["partition"] for one in partitions)

    async def _learn_topics(self, records: Iterable[Record]) -> None:
        unknown = {record.topic for record in records} - self._partitions.keys()
        if unknown:
            async with self._admin() as admin:
                await self._look(admin, unknown)

    async def _must_know(self, topics: Sequence[str]) -> None:
        async with self._admin() as admin:
            await self._look(admin, topics)
        unknown = set(topics) - self._partitions.keys()
        if unknown:
            raise BusError(f"the log has no topic {', '.join(sorted(unknown))}")

    async def _send(self, records: Sequence[Record], outcome: list[BusError | None]) -> None:
        """Send what is sound; write into `outcome` what was not acknowledged."""
        producer = await self._take_producer()
        runs = self._runs(records, outcome)
        tasks = [_send_run(producer, place, [records[i] for i in run]) for place, run in runs.items()]
        for run, (done, fault) in zip(runs.values(), await asyncio.gather(*tasks), strict=True):
            for position in run[done:]:
                outcome[position] = fault
        if any(outcome[position] for run in runs.values() for position in run):
            await self._replace(producer)

    def _runs(self, records: Sequence[Record], outcome: Sequence[BusError | None]) -> dict[Place, list[int]]:
        """Per partition the positions of its sound records, in order."""
        runs: dict[Place, list[int]] = defaultdict(list)
        for position, record in enumerate(records):
            if outcome[position] is None:
                partitions = self._partitions[record.topic]
                runs[Place(record.topic, _partition_of(record.key.encode(), partitions, partitions))].append(position)
        return runs
