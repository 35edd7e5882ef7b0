"""Wake-ups within a process."""

import asyncio

import pytest

from shared.signals import Signals


async def test_a_wait_ends_with_the_signal_or_with_its_time() -> None:
    signals = Signals()
    waiting = asyncio.ensure_future(signals.wait("work", 10))
    await asyncio.sleep(0)
    signals.fire("work")
    assert await waiting
    assert not await signals.wait("work", 0.01)


@pytest.mark.parametrize("ticks", range(5))
async def test_a_loop_that_is_cancelled_as_its_signal_fires_ends(ticks: int) -> None:
    signals = Signals()

    async def work() -> None:
        while True:
            await signals.wait("work", 10)

    working = asyncio.ensure_future(work())
    for _ in range(3):
        await asyncio.sleep(0)
    signals.fire("work")
    for _ in range(ticks):
        await asyncio.sleep(0)
    working.cancel()
    done, _ = await asyncio.wait([working], timeout=0.5)
    working.cancel()
    assert done
