"""What it takes to live with aiokafka 0.14.

With the broker gone its producer's sends and stop(), and its consumer's commit() and stop(), hang for good; getmany()
returns nothing in silence, waits without end for an assignment, and stays silent when its own reader has died. So every
call is bounded, and what has failed is taken apart here, where stop() would wait.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Collection, Iterable
from contextlib import asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import CommitFailedError, IllegalStateError, KafkaError, KafkaTimeoutError

from shared.bus.log import BusError, BusFencedError, BusUnavailableError

# While a broker is away aiokafka says so many times a second; every call here says it once, with a typed error.
logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
_GRACE = 2.0  # seconds for an orderly end; the broker answers at once or is not there


@asynccontextmanager
async def bounded(seconds: float) -> AsyncIterator[None]:
    """Let no call take longer, and none fail with another error than the bus's own."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (TimeoutError, OSError, KafkaTimeoutError) as fault:
        raise BusUnavailableError("Kafka did not answer in time") from fault
    except (CommitFailedError, IllegalStateError) as fault:
        raise BusFencedError("Kafka has given the partitions to another member") from fault
    except KafkaError as fault:
        kind = BusUnavailableError if fault.retriable else BusError
        raise kind(f"Kafka refused: {type(fault).__name__}") from fault


def request_milliseconds(seconds: float) -> int:
    """A part of a call's time, so that aiokafka ends its own requests before the call's time is up."""
    return int(seconds * 400)


async def tidy(ending: Awaitable[Any]) -> bool:
    """Wait a moment for an orderly end; False when it did not come."""
    try:
        async with bounded(_GRACE):
            await ending
    except BusError:
        return False
    return True


async def cut_off_producer(producer: AIOKafkaProducer) -> None:
    """End a producer without sending what it still holds; its requests under way may take one more time-out."""
    producer._closed = True  # noqa: SLF001 - stop() would first try for ever to send what failed
    sender = producer._sender.sender_task  # noqa: SLF001
    if sender is not None:
        await _cancel([sender])
    await tidy(producer.client.close())


async def end_consumer(consumer: AIOKafkaConsumer, *, orderly: bool) -> None:
    """Leave the group when `orderly` and possible; leave nothing running behind in any case."""
    if orderly and await tidy(consumer.stop()):
        return
    consumer._closed = True  # noqa: SLF001 - stop() would wait for answers that do not come
    await _cancel(_tasks_of(consumer))
    await tidy(consumer._client.close())  # noqa: SLF001


def has_died(consumer: AIOKafkaConsumer) -> bool:
    """Tell whether the task that fetches records has ended; getmany() itself never says so."""
    return bool(consumer._fetcher.error_future.done())  # noqa: SLF001


def generation_of(consumer: AIOKafkaConsumer) -> int:
    """Number of the group's generation that the consumer belongs to; -1 once the broker has put it out."""
    return int(consumer._coordinator.generation)  # noqa: SLF001


def _tasks_of(consumer: AIOKafkaConsumer) -> Collection["asyncio.Task[Any]"]:
    coordinator, fetcher = consumer._coordinator, consumer._fetcher  # noqa: SLF001
    names = ("_coordination_task", "_heartbeat_task", "_commit_refresh_task")
    tasks = [getattr(coordinator, name, None) for name in names]
    tasks.append(getattr(fetcher, "_fetch_task", None))
    tasks += getattr(fetcher, "_pending_tasks", ())
    return [task for task in tasks if task is not None]


async def _cancel(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel until it is true: aiokafka's tasks answer a first cancellation by waiting for their requests."""
    left = {task for task in tasks if not task.done()}
    for _ in range(10):
        if not left:
            return
        for task in left:
            task.cancel()
        done, left = await asyncio.wait(left, timeout=0.2)
        for task in done:
            if not task.cancelled():
                task.exception()
