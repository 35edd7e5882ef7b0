"""What shared/bus/log.py promises, asked of both logs."""

import asyncio
import time

import pytest

from shared.bus.log import BusError, BusFencedError, Record
from tests.contract.reading import append, ends, in_order_per_key, numbered, numbers, read, unique
from tests.contract.stores import Store


async def test_records_of_a_key_come_in_their_order(store: Store) -> None:
    topic = unique("order")
    async with store.started(topic, partitions=4) as log:
        for start in range(0, 300, 50):
            await append(log, numbered(topic, 50, keys=7, start=start))
        records = await read(await log.subscribe(unique("g"), [topic]), 300)
    assert sorted(numbers(records)) == list(range(300))
    assert in_order_per_key(records)
    assert len({record.place for record in records if record.key == b"key-3"}) == 1
    assert len({record.place for record in records}) > 1
    assert all(record.headers == {"number": record.value} for record in records)


async def test_offsets_count_up_from_zero_without_a_gap(store: Store) -> None:
    topic = unique("offsets")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 3))
        await append(log, numbered(topic, 3, start=3))
        records = await read(await log.subscribe(unique("g"), [topic]), 6)
    assert [record.offset for record in records] == list(range(6))


async def test_reading_goes_on_from_the_committed_offset(store: Store) -> None:
    topic, group = unique("resume"), unique("g")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 20))
        first = await log.subscribe(group, [topic])
        records = await read(first, 20)
        await first.commit(ends(records[:10]))
        await first.close()
        rest = await read(await log.subscribe(group, [topic]), 10)
    assert numbers(rest) == list(range(10, 20))


async def test_a_committed_offset_outlives_the_log_object(store: Store) -> None:
    topic, group = unique("outlive"), unique("g")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 2))
        member = await log.subscribe(group, [topic])
        records = await read(member, 2)
        await member.commit(ends(records[:1]))
    async with store.started(topic) as log:
        assert numbers(await read(await log.subscribe(group, [topic]), 1)) == [1]


async def test_each_group_reads_all(store: Store) -> None:
    topic = unique("groups")
    async with store.started(topic, partitions=2) as log:
        await append(log, numbered(topic, 30, keys=5))
        for _ in range(2):
            member = await log.subscribe(unique("g"), [topic])
            records = await read(member, 30)
            await member.commit(ends(records))
            assert sorted(numbers(records)) == list(range(30))


async def test_what_was_appended_while_nobody_listened_is_read_later(store: Store) -> None:
    topic, group = unique("absent"), unique("g")
    async with store.started(topic) as log:
        member = await log.subscribe(group, [topic])
        await append(log, numbered(topic, 1))
        await member.commit(ends(await read(member, 1)))
        await member.close()
        await append(log, numbered(topic, 5, start=1))
        assert numbers(await read(await log.subscribe(group, [topic]), 5)) == [1, 2, 3, 4, 5]


async def test_a_poll_never_returns_more_than_its_limit_and_loses_nothing(store: Store) -> None:
    topic = unique("limit")
    async with store.started(topic, partitions=3) as log:
        await append(log, numbered(topic, 100, keys=9))
        member = await log.subscribe(unique("g"), [topic])
        records = await read(member, 1)
        while len(records) < 100:
            batch = await member.poll(7, 1)
            assert len(batch) <= 7
            records += batch
    assert sorted(numbers(records)) == list(range(100))
    assert in_order_per_key(records)


async def test_a_new_record_is_polled_at_once(store: Store) -> None:
    topic = unique("prompt")
    async with store.started(topic) as log:
        member = await log.subscribe(unique("g"), [topic])
        await append(log, numbered(topic, 1))
        await read(member, 1)
        waiting = asyncio.ensure_future(member.poll(10, 10))
        done, _ = await asyncio.wait([waiting], timeout=0.3)
        assert not done
        appended = time.monotonic()
        await append(log, numbered(topic, 1, start=1))
        assert numbers(await waiting) == [1]
        assert time.monotonic() - appended < 1


async def test_a_poll_without_news_ends_when_its_time_is_over(store: Store) -> None:
    topic = unique("nothing")
    async with store.started(topic) as log:
        member = await log.subscribe(unique("g"), [topic])
        await append(log, numbered(topic, 1))
        await read(member, 1)
        began = time.monotonic()
        assert list(await member.poll(10, 0.5)) == []
        assert 0.4 < time.monotonic() - began < 1.5


async def test_bytes_that_are_no_text_travel_whole(store: Store) -> None:
    topic, value = unique("raw"), bytes(range(256))
    async with store.started(topic) as log:
        await append(log, [Record(topic, "键", value, {"题": "值\x00"})])
        await store.append_raw(topic, b"\xff\xfe\x00", b"\x80\x00\xff")
        ours, theirs = await read(await log.subscribe(unique("g"), [topic]), 2)
    assert (ours.key, ours.value, dict(ours.headers)) == ("键".encode(), value, {"题": "值\x00".encode()})
    assert (theirs.key, theirs.value) == (b"\xff\xfe\x00", b"\x80\x00\xff")


async def test_a_refused_record_holds_back_its_key_alone(store: Store) -> None:
    topic = unique("refused")
    async with store.started(topic) as log:
        records = [
            Record(topic, "a", b"1"),
            Record(topic, "a", bytes(2_000_000)),
            Record(topic, "b", b"2"),
            Record(topic, "a", b"3"),
            Record("no-such-topic", "b", b"4"),
            Record(topic, "b", b"5"),
        ]
        outcome = await log.append(records)
        assert [isinstance(fault, BusError) for fault in outcome] == [False, True, False, True, True, False]
        assert numbers(await read(await log.subscribe(unique("g"), [topic]), 3)) == [1, 2, 5]


async def test_a_large_call_is_appended_whole(store: Store) -> None:
    topic = unique("large")
    records = [Record(topic, f"key-{n % 3}", str(n).ljust(100_000).encode()) for n in range(60)]
    async with store.started(topic, partitions=2) as log:
        await append(log, records)
        read_back = await read(await log.subscribe(unique("g"), [topic]), 60)
    assert sorted(numbers(read_back)) == list(range(60))
    assert in_order_per_key(read_back)


async def test_an_empty_call_appends_nothing(store: Store) -> None:
    async with store.started(unique("empty")) as log:
        assert list(await log.append([])) == []


async def test_a_topic_that_does_not_exist_is_refused(store: Store) -> None:
    async with store.started(unique("t")) as log:
        with pytest.raises(BusError, match="no topic nowhere"):
            await log.subscribe(unique("g"), ["nowhere"])


async def test_starting_again_changes_nothing(store: Store) -> None:
    topic = unique("again")
    async with store.started(topic, partitions=2) as log:
        await append(log, numbered(topic, 4, keys=4))
        await asyncio.gather(*(log.start({topic: 5, unique("more"): 1}) for _ in range(3)))
        await append(log, numbered(topic, 4, keys=4, start=4))
        records = await read(await log.subscribe(unique("g"), [topic]), 8)
    assert {record.place.partition for record in records} <= {0, 1}
    assert in_order_per_key(records)


async def test_only_what_was_handed_out_can_be_committed(store: Store) -> None:
    topic, group = unique("unseen"), unique("g")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 5))
        member = await log.subscribe(group, [topic])
        (record,) = await read(member, 1)
        with pytest.raises(BusFencedError):
            await member.commit({record.place: 4})


async def test_a_member_tells_how_far_it_is_behind(store: Store) -> None:
    topic = unique("behind")
    async with store.started(topic) as log:
        await append(log, numbered(topic, 30, keys=5))
        member = await log.subscribe(unique("g"), [topic])
        await member.commit(ends(await read(member, 30)))
        assert await member.behind() == 0
        await append(log, numbered(topic, 10, keys=5, start=30))
        await member.commit(ends(await read(member, 1)))
        assert await member.behind() == 9
