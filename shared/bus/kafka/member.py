"""One member of a consumer group in Kafka."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta

from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, ConsumerRecord, TopicPartition

from shared.bus.kafka.client import bounded, end_consumer, generation_of, has_died
from shared.bus.kafka.login import Login
from shared.bus.log import BusError, BusFencedError, BusUnavailableError, Delivered, Place
from shared.bus.tenure import Tenure

_SLACK = 0.2  # seconds that getmany() may take beyond its own time-out
_DRAIN = 3  # leases that a rebalance waits for a member to commit what it was handed


class Member:
    """A subscription to the log in Kafka.

    A rebalance takes every partition from every member for a moment. It waits a while until this one has committed
    what it was handed; after that those records are handed out again, and their commit is refused.
    """

    def __init__(
        self, bootstrap: str, login: Login, group: str, topics: Sequence[str], timeout: float, lease: timedelta
    ) -> None:
        self._bootstrap = bootstrap
        self._login = login
        self._group = group
        self._topics = sorted(set(topics))
        self._timeout = timeout
        self._lease = lease.total_seconds()
        self._consumer: AIOKafkaConsumer | None = None
        self._watch: asyncio.Task[None] | None = None
        self._answered = 0.0
        self._generation: int | None = None
        self._unassigned_since = 0.0
        self._tenure = Tenure()
        self._settled = asyncio.Event()
        self._committing = asyncio.Lock()
        self._closed = False
        self.on_close: Callable[[Member], None] = lambda _: None

    async def join(self) -> None:
        """Connect and ask for partitions; poll() does it again after an outage."""
        consumer = self._new_consumer()
        try:
            async with bounded(self._timeout):
                await consumer.start()
        except BaseException:
            await end_consumer(consumer, orderly=False)
            raise
        self._answered = self._unassigned_since = time.monotonic()
        self._generation = None
        self._consumer = consumer
        # Only now, since start() would wait until the group has settled.
        consumer.subscribe(self._topics, listener=_Listener(self))
        self._watch = asyncio.get_running_loop().create_task(self._keep_asking(consumer))

    async def poll(self, limit: int, wait: float) -> Sequence[Delivered]:
        if self._closed:
            raise BusError("the subscription is closed")
        deadline = time.monotonic() + wait
        while True:
            consumer = await self._living_consumer()
            left = max(0.0, deadline - time.monotonic())
            records = await self._take(consumer, limit, min(left, self._timeout / 4))
            if records or time.monotonic() >= deadline:
                return records

    async def commit(self, offsets: Mapping[Place, int]) -> None:
        """Refused as a whole when one partition is no longer held."""
        try:
            async with self._committing:
                await self._commit(offsets)
        except BusFencedError:
            self._tenure.lose(offsets)
            raise
        finally:
            self._settled.set()

    async def behind(self) -> int:
        """By what the broker told with the latest fetches; 0 while the group settles."""
        consumer = self._consumer
        if consumer is None:
            return 0
        ends = {partition: consumer.highwater(partition) for partition in consumer.assignment()}
        try:
            async with bounded(self._timeout):
                return sum([end - await consumer.position(place) for place, end in ends.items() if end is not None])
        except BusFencedError:
            return 0

    async def close(self) -> None:
        """Leave the group; when the broker is away its lease runs out by itself."""
        self._closed = True
        await self._leave(orderly=True)
        self.on_close(self)

    async def give_back(self) -> None:
        """Called when a rebalance takes all partitions: drain, then forget them. No commit is under way any more."""
        self._unassigned_since = time.monotonic()
        try:
            async with asyncio.timeout(_DRAIN * self._lease):
                while not self._tenure.is_settled():
                    self._settled.clear()
                    await self._settled.wait()
        except TimeoutError:
            pass
        async with self._committing:
            self._tenure = Tenure()
            self._generation = None

    def take_over(self) -> None:
        """Called when a rebalance is over."""
        if self._consumer is not None:
            self._generation = generation_of(self._consumer)

    def _new_consumer(self) -> AIOKafkaConsumer:
        """Its requests must be allowed to last as long as a rebalance, since joining is one of them."""
        lease = int(self._lease * 1000)
        return AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            group_id=self._group,
            enable_auto_commit=False,
            auto_offset_reset="earliest",
            session_timeout_ms=lease,
            heartbeat_interval_ms=max(50, lease // 10),
            rebalance_timeout_ms=lease * (_DRAIN + 1),
            request_timeout_ms=int(self._patience() * 1000),
            # Topics that a broker had lost and got again are noticed only by looking again.
            metadata_max_age_ms=int(self._timeout * 1000),
            **self._login.options,
        )

    def _patience(self) -> float:
        """Seconds after which a rebalance that does not end counts as an outage."""
        return self._timeout + (_DRAIN + 2) * self._lease

    async def _living_consumer(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            await self.join()
        consumer = self._consumer
        if consumer is None or self._is_away(consumer):
            await self._leave(orderly=False)
            raise BusUnavailableError("Kafka does not answer")
        return consumer

    def _is_away(self, consumer: AIOKafkaConsumer) -> bool:
        now = time.monotonic()
        stuck = self._generation is None and now - self._unassigned_since > self._patience()
        return stuck or now - self._answered > self._timeout or has_died(consumer)

    async def _keep_asking(self, consumer: AIOKafkaConsumer) -> None:
        """Ask something small all the time: the answers alone show that Kafka is there."""
        while True:
            try:
                async with bounded(self._timeout):
                    await self._ask(consumer)
                self._answered = time.monotonic()
            except BusError:
                pass
            await asyncio.sleep(self._timeout / 10)

    async def _ask(self, consumer: AIOKafkaConsumer) -> None:
        """The group's coordinator; while the group settles, any broker.

        The coordinator then holds our request to join until every member has joined or a dead one's lease is over, and
        answers nothing else on that connection. Who gave up meanwhile would leave one more dead member behind.
        """
        if self._generation is None:
            await consumer.topics()
        else:
            await consumer.committed(TopicPartition(self._topics[0], 0))

    async def _take(self, consumer: AIOKafkaConsumer, limit: int, wait: float) -> list[Delivered]:
        try:
            async with asyncio.timeout(wait + _SLACK):
                batches = await consumer.getmany(timeout_ms=int(wait * 1000), max_records=limit)
        except TimeoutError:
            return []  # no partitions at the moment; whether that is an outage the next round tells
        except Exception as fault:
            await self._leave(orderly=False)
            raise BusUnavailableError(f"Kafka's client failed: {type(fault).__name__}") from fault
        held = consumer.assignment()
        records = [_delivered(record) for place, batch in batches.items() if place in held for record in batch]
        self._tenure.hand_out(records)
        return records

    async def _commit(self, offsets: Mapping[Place, int]) -> None:
        self._tenure.check(offsets)
        consumer = self._consumer
        if consumer is None or generation_of(consumer) != self._generation:
            raise BusFencedError("the group has gone on without this member")
        async with bounded(self._timeout):
            await consumer.commit({TopicPartition(*place): offset for place, offset in offsets.items()})
        self._tenure.committed(offsets)

    async def _leave(self, *, orderly: bool) -> None:
        consumer, self._consumer = self._consumer, None
        watch, self._watch = self._watch, None
        self._tenure = Tenure()
        self._settled.set()
        if watch is not None:
            watch.cancel()
            await asyncio.gather(watch, return_exceptions=True)
        if consumer is not None:
            await end_consumer(consumer, orderly=orderly)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Tells the member what aiokafka does with its partitions."""

    def __init__(self, member: Member) -> None:
        self._member = member

    async def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        """Every rebalance takes all of them."""
        _ = revoked
        await self._member.give_back()

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        """Reading goes on from the committed offsets."""
        _ = assigned
        self._member.take_over()


def _delivered(record: ConsumerRecord) -> Delivered:
    headers = {name: content or b"" for name, content in record.headers}
    place = Place(record.topic, record.partition)
    return Delivered(place, record.offset, record.key or b"", record.value or b"", headers)
