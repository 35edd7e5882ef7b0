"""A loop that dies is reported, red and begun again; its siblings never notice."""

import asyncio
import logging

import pytest

from shared.runtime.loops import Loop


@pytest.mark.parametrize("death", [RuntimeError("boom"), asyncio.CancelledError(), None])
async def test_a_loop_that_dies_is_red_then_begins_again(
    death: BaseException | None, caplog: pytest.LogCaptureFixture
) -> None:
    starts, again, well_between = 0, asyncio.Event(), True
    sibling_goes_on = asyncio.Event()

    async def run() -> None:
        nonlocal starts, well_between
        starts += 1
        if starts == 1:
            if death is not None:
                raise death
            return
        well_between = loop.is_well()
        again.set()
        await asyncio.Event().wait()

    async def sibling() -> None:
        await again.wait()
        sibling_goes_on.set()
        await asyncio.Event().wait()

    loop, other = Loop("bench", run, 0.05), Loop("sibling", sibling, 0.05)
    assert loop.is_well()
    with caplog.at_level(logging.ERROR):
        tasks = [asyncio.ensure_future(each.run()) for each in (loop, other)]
        async with asyncio.timeout(10):
            await sibling_goes_on.wait()
            while not loop.is_well():
                await asyncio.sleep(0.01)
        for task in tasks:
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
    assert not well_between, "red until it has gone on for a while"
    assert other.is_well()
    assert all(isinstance(end, asyncio.CancelledError) for end in ends)
    assert "loop died, begins again" in caplog.messages
