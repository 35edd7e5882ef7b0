"""The log goes away, comes back, or comes back empty."""

import asyncio
import contextlib
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import pytest

from shared.bus.log import BusUnavailableError, Delivered, Log, Record, Subscription
from tests.contract.proxy import Proxy
from tests.contract.reading import append, ends, in_order_per_key, numbered, numbers, read, unique
from tests.contract.stores import Broker, Store, eventually
from tests.fixtures.databases import FreshDatabase

TIMEOUT = 2.0  # seconds
T = TypeVar("T")
SLACK = 1.0  # seconds for tearing down what hangs


@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_an_absent_log_is_told_in_time_and_found_again(cuttable: tuple[Store, Proxy], how: str) -> None:
    store, proxy = cuttable
    topic = unique("outage")
    async with _nothing_left_behind(), store.started(topic, timeout=TIMEOUT) as log:
        member = await log.subscribe(unique("g"), [topic])
        await append(log, numbered(topic, 3))
        records = await read(member, 3)
        async with proxy.outage(how):
            for fault in await _bounded(log.append(numbered(topic, 2, start=3))):
                assert isinstance(fault, BusUnavailableError)
            await _unavailable(log.identity)
            await _unavailable(lambda: member.commit(ends(records[:2])))
            await _unavailable(lambda: member.poll(10, 60))
        await eventually(lambda: _appends(log, topic), 20)
        seen = await _read_until(member, {3, 4})
        assert in_order_per_key(records + seen)
        await member.commit(ends(seen))


async def test_order_and_records_survive_outages(cuttable: tuple[Store, Proxy]) -> None:
    """A relay that repeats what was not acknowledged, held back per key, through one cut after the other."""
    store, proxy = cuttable
    topic = unique("relay")
    async with store.started(topic, partitions=2, timeout=TIMEOUT) as log:
        cuts = asyncio.ensure_future(_cut_again_and_again(proxy))
        failed = await _relay(log, numbered(topic, 8000, keys=5))
        await cuts
        assert failed
        member = await log.subscribe(unique("g"), [topic])
        seen = await _read_until(member, set(range(8000)))
    assert in_order_per_key(seen)


async def _relay(log: Log, waiting: list[Record]) -> int:
    """Append in order, again what was not acknowledged; how often that was. `waiting` shrinks as it goes."""
    failed = 0
    while waiting:
        batch = waiting[:100]
        outcome = await log.append(batch)
        again = [record for record, fault in zip(batch, outcome, strict=True) if fault]
        waiting[:100] = again
        failed += len(again)
        await asyncio.sleep(0.05 if again else 0)
    return failed


async def _cut_again_and_again(proxy: Proxy) -> None:
    for seconds in (0.1, TIMEOUT + 0.5, 0.1):
        await asyncio.sleep(0.02)
        async with proxy.outage("cut"):
            await asyncio.sleep(seconds)


@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_closing_never_hangs(cuttable: tuple[Store, Proxy], how: str) -> None:
    store, proxy = cuttable
    topic = unique("hang")
    async with _nothing_left_behind():
        log = store.log(timeout=TIMEOUT)
        await log.start({topic: 1})
        member = await log.subscribe(unique("g"), [topic])
        await append(log, numbered(topic, 1))
        await read(member, 1)
        async with proxy.outage(how):
            await _bounded(member.close(), 2)
            await _bounded(log.close(), 2)


@pytest.mark.parametrize("how", ["cut", "freeze"])
async def test_starting_without_a_log_is_told_in_time(cuttable: tuple[Store, Proxy], how: str) -> None:
    store, proxy = cuttable
    log, topic = store.log(timeout=TIMEOUT), unique("late")
    async with proxy.outage(how):
        await _unavailable(lambda: log.start({topic: 1}))
    await log.start({topic: 1})
    await append(log, numbered(topic, 1))
    await log.close()


async def test_identity_stays_the_same_over_connections(store: Store) -> None:
    topic = unique("id")
    async with store.started(topic) as log:
        first = await log.identity()
    async with store.started(topic) as log:
        assert await log.identity() == first != ""


async def test_a_fresh_database_has_another_identity(fresh_database: FreshDatabase) -> None:
    identities = set()
    for _ in range(2):
        async with Store("postgres", await fresh_database()).started("t") as log:
            identities.add(await log.identity())
    assert len(identities) == 2


@pytest.mark.kafka
async def test_a_kafka_that_came_back_empty_has_another_identity_and_works(
    kafka_behind_proxy: tuple[Broker, Proxy],
) -> None:
    broker, _ = kafka_behind_proxy
    topic = unique("wiped")
    async with broker.store.started(topic, partitions=2, timeout=TIMEOUT) as log:
        before = await log.identity()
        member = await log.subscribe(unique("g"), [topic])
        await append(log, numbered(topic, 10, keys=4))
        await member.commit(ends(await read(member, 10)))
        broker.stop()
        shutil.rmtree(broker.data)
        await broker.start()
        assert await log.identity() != before
        await eventually(lambda: _appends(log, topic), 20)
        assert sorted(set(numbers(await _read_until(member, {3, 4})))) == [3, 4]


@pytest.mark.kafka
async def test_a_kafka_that_was_killed_goes_on_with_its_data(kafka_behind_proxy: tuple[Broker, Proxy]) -> None:
    """Records, offsets, members and producers outlive kill -9, although its controller then has another port."""
    broker, _ = kafka_behind_proxy
    topic, group = unique("killed"), unique("g")
    async with broker.store.started(topic, partitions=2, timeout=TIMEOUT) as log:
        before = await log.identity()
        member = await log.subscribe(group, [topic])
        await append(log, numbered(topic, 200, keys=5))
        done = [record for record in await read(member, 200) if int(record.value) < 100]
        await member.commit(ends(done))
        waiting = numbered(topic, 8000, keys=5, start=200)
        relaying = asyncio.ensure_future(_relay(log, waiting))
        while len(waiting) > 7000:
            await asyncio.sleep(0)
        broker.kill()
        await _unavailable(log.identity)
        await broker.start()
        assert await relaying
        assert await log.identity() == before
        again = await _read_until(member, set(range(100, 8200)))
        assert in_order_per_key(again)
        assert min(numbers(again)) == 100, "what was committed came again"
        await member.commit(ends(again))
        await member.close()
        heir = await log.subscribe(group, [topic])
        await append(log, numbered(topic, 1, start=8200))
        assert numbers(await read(heir, 1)) == [8200]


@asynccontextmanager
async def _nothing_left_behind() -> AsyncIterator[None]:
    """No task is left over but the proxy's."""
    before = asyncio.all_tasks()
    yield
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() - before if "Proxy" not in repr(task)]


async def _appends(log: Log, topic: str) -> bool:
    return await log.append(numbered(topic, 2, start=3)) == [None, None]


async def _read_until(member: Subscription, wanted: set[int]) -> list[Delivered]:
    """Poll through the last of the outage until everything wanted has come."""
    records: list[Delivered] = []

    async def come() -> bool:
        with contextlib.suppress(BusUnavailableError):
            records.extend(await member.poll(500, 0.5))
        return wanted <= set(numbers(records))

    await eventually(come, 30)
    return records


async def _unavailable(call: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(BusUnavailableError):
        await _bounded(call())


async def _bounded(call: Awaitable[T], times: int = 1) -> T:
    began = time.monotonic()
    try:
        return await call
    finally:
        assert time.monotonic() - began < TIMEOUT * times + SLACK
