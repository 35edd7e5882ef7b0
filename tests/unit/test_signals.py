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


async def test_whoever_is_cancelled_as_the_signal_fires_is_cancelled() -> None:
    """Else a loop that waits in a circle outlives the order to end."""
    signals = Signals()
    waiting = asyncio.ensure_future(signals.wait("work", 10))
    for _ in range(3):
        await asyncio.sleep(0)
    signals.fire("work")
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
