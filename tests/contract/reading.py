"""How the conformance tests append and read."""

import time
from collections.abc import Sequence
from uuid import uuid4

from shared.bus.log import Delivered, Log, Place, Record, Subscription


def unique(word: str) -> str:
    """A topic or group that no other test uses."""
    return f"{word}-{uuid4().hex[:12]}"


def numbered(topic: str, count: int, keys: int = 1, start: int = 0) -> list[Record]:
    """Records whose values count up; number n has key n modulo `keys`."""
    return [Record(topic, f"key-{n % keys}", str(n).encode(), {"number": str(n)}) for n in range(start, start + count)]


async def append(log: Log, records: Sequence[Record]) -> None:
    """Append, and insist that every record was acknowledged."""
    assert await log.append(records) == [None] * len(records)


async def read(subscription: Subscription, count: int, seconds: float = 20) -> list[Delivered]:
    """Poll until `count` records have come; fail when they have not within `seconds`."""
    records: list[Delivered] = []
    deadline = time.monotonic() + seconds
    while len(records) < count:
        assert time.monotonic() < deadline, f"{len(records)} of {count} records within {seconds} s"
        records.extend(await subscription.poll(count - len(records), 0.5))
    return records


def numbers(records: Sequence[Delivered]) -> list[int]:
    return [int(record.value) for record in records]


def ends(records: Sequence[Delivered]) -> dict[Place, int]:
    """What to commit when all of `records` are done."""
    return {record.place: record.offset + 1 for record in records}


def in_order_per_key(records: Sequence[Delivered]) -> bool:
    """Leaving repetitions out, the numbers of each key only rise."""
    highest: dict[bytes, int] = {}
    seen: set[int] = set()
    for record in records:
        number = int(record.value)
        if number in seen:
            continue
        seen.add(number)
        if number < highest.get(record.key, -1):
            return False
        highest[record.key] = number
    return True
