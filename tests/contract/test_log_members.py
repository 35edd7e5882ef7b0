"""Members of a group that come, go, crash and come back late, on both logs."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from shared.bus.log import Delivered, Log, Subscription
from tests.contract.member import PASSWORD
from tests.contract.reading import append, ends, in_order_per_key, numbered, numbers, read, unique
from tests.contract.stores import ROOT, Store, eventually


class Outsider:
    """A member in a process of its own; see member.py."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    async def says(self) -> str:
        assert self.process.stdout
        return (await asyncio.to_thread(self.process.stdout.readline)).strip()

    async def commits(self) -> str:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return await self.says()


@contextmanager
def outsider(store: Store, group: str, topic: str, lease: float = 1.0) -> Iterator[Outsider]:
    command = [sys.executable, "-m", "tests.contract.member", store.kind, store.address, group, topic, str(lease)]
    env = {**os.environ, PASSWORD: store.login.password}
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with process:
        try:
            yield Outsider(process)
        finally:
            process.kill()


async def test_a_crashed_members_records_are_delivered_again(store: Store) -> None:
    topic, group = unique("crash"), unique("g")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 5))
        with outsider(store, group, topic) as member:
            assert [await member.says(), await member.says()] == ["joined", "read 5"]
            member.process.kill()
        assert numbers(await read(await log.subscribe(group, [topic]), 5)) == [0, 1, 2, 3, 4]


async def test_waiting_for_a_dead_members_lease_is_no_outage(store: Store) -> None:
    """The lease is longer than any call may take: whoever gave up before its end would leave one more dead member."""
    topic, group, lease = unique("dead"), unique("g"), 6.0
    async with store.started(topic, timeout=2.0, lease=lease) as log:
        await append(log, numbered(topic, 5))
        with outsider(store, group, topic, lease) as member:
            assert [await member.says(), await member.says()] == ["joined", "read 5"]
            member.process.kill()
        began = time.monotonic()
        assert numbers(await read(await log.subscribe(group, [topic]), 5)) == [0, 1, 2, 3, 4]
        assert time.monotonic() - began < lease + 3


async def test_a_member_that_slept_too_long_is_fenced(store: Store) -> None:
    topic, group = unique("fence"), unique("g")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 5))
        with outsider(store, group, topic) as member:
            assert [await member.says(), await member.says()] == ["joined", "read 5"]
            member.process.send_signal(signal.SIGSTOP)
            heir = await log.subscribe(group, [topic])
            records = await read(heir, 5)
            await heir.commit(ends(records[:3]))
            member.process.send_signal(signal.SIGCONT)
            assert await member.commits() == "fenced"
            await heir.close()
        assert numbers(await read(await log.subscribe(group, [topic]), 2)) == [3, 4]


async def test_the_outsider_can_commit(store: Store) -> None:
    """The probe of the two tests above is sound."""
    topic, group = unique("sound"), unique("g")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 5))
        with outsider(store, group, topic) as member:
            assert [await member.says(), await member.says()] == ["joined", "read 5"]
            assert await member.commits() == "committed"


async def test_closing_hands_over_at_once(store: Store) -> None:
    topic, group = unique("close"), unique("g")
    log = store.log(lease=60)
    try:
        await log.start({topic: 2})
        await append(log, numbered(topic, 4, keys=4))
        first = await log.subscribe(group, [topic])
        await read(first, 4)
        await first.close()
        began = time.monotonic()
        await read(await log.subscribe(group, [topic]), 4)
        assert time.monotonic() - began < 5
    finally:
        await log.close()


class Crew:
    """Members of one group that read and commit as long as the test runs, and what they were handed."""

    def __init__(self) -> None:
        self.records: list[Delivered] = []
        self.per_member: dict[int, int] = {}

    def seen(self) -> set[int]:
        return set(numbers(self.records))

    async def work(self, name: int, subscription: Subscription) -> None:
        self.per_member[name] = 0
        while True:
            batch = await subscription.poll(5, 0.1)
            self.records.extend(batch)
            self.per_member[name] += len(batch)
            if batch:
                await asyncio.sleep(0.002)  # the handlers' time
                await subscription.commit(ends(batch))


async def _append_slowly(log: Log, topic: str) -> None:
    number = 0
    while True:
        await append(log, numbered(topic, 12, keys=12, start=number))
        number += 12
        await asyncio.sleep(0.02)


async def test_a_second_member_takes_a_share_and_nothing_is_lost(store: Store) -> None:
    topic, group = unique("share"), unique("g")
    crew = Crew()
    async with store.started(topic, partitions=4) as log, asyncio.TaskGroup() as tasks:
        source = tasks.create_task(_append_slowly(log, topic))
        first = tasks.create_task(crew.work(1, await log.subscribe(group, [topic])))
        await eventually(_async(lambda: crew.per_member.get(1, 0) > 50), 20)
        subscription = await log.subscribe(group, [topic])
        second = tasks.create_task(crew.work(2, subscription))
        await eventually(_async(lambda: crew.per_member.get(2, 0) > 50), 20)
        before = dict(crew.per_member)
        await eventually(_async(lambda: all(crew.per_member[n] > before[n] + 50 for n in (1, 2))), 20)
        second.cancel()
        await subscription.close()
        source.cancel()
        last = crew.seen()
        await append(log, numbered(topic, 12, keys=12, start=1_000_000))
        await eventually(_async(lambda: set(range(1_000_000, 1_000_012)) <= crew.seen()), 20)
        first.cancel()
    regular = {number for number in crew.seen() if number < 1_000_000}
    assert last <= regular == set(range(max(regular) + 1))
    assert in_order_per_key(crew.records)


async def test_a_rebalance_waits_for_what_is_being_handled(store: Store) -> None:
    topic, group = unique("drain"), unique("g")
    async with store.started(topic, partitions=2) as log:
        await append(log, numbered(topic, 20, keys=20))
        first = await log.subscribe(group, [topic])
        records = await read(first, 20)
        second = await log.subscribe(group, [topic])
        assert list(await second.poll(100, 1)) == []
        await first.commit(ends(records))
        await append(log, numbered(topic, 20, keys=20, start=20))
        shares = await _read_together([first, second], 20)
    assert sorted(numbers([record for share in shares for record in share])) == list(range(20, 40))
    assert all(shares)


async def _read_together(subscriptions: list[Subscription], count: int) -> list[list[Delivered]]:
    shares: list[list[Delivered]] = [[] for _ in subscriptions]

    async def all_read() -> bool:
        polls = await asyncio.gather(*(subscription.poll(100, 0.2) for subscription in subscriptions))
        for share, batch in zip(shares, polls, strict=True):
            share.extend(batch)
        return sum(map(len, shares)) >= count

    await eventually(all_read, 20)
    return shares


def _async(true: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def ask() -> bool:
        return true()

    return ask
