"""A job's loop: what failed is tried again soon, however seldom the job runs."""

import asyncio
from datetime import timedelta

from shared.runtime.jobs import JobRunner
from shared.runtime.service import MORE, Job
from shared.signals import Signals


async def test_an_hourly_job_that_failed_is_tried_again_within_seconds() -> None:
    tries: list[int] = []
    done = asyncio.Event()

    async def run() -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError
        done.set()

    runner = JobRunner(Job("hourly", timedelta(hours=1), run), Signals())
    task = asyncio.get_running_loop().create_task(runner.run())
    async with asyncio.timeout(20):
        await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(tries) == 2
    assert runner.lag_seconds() == 0


async def test_a_job_with_more_to_do_is_called_again_at_once() -> None:
    calls: list[int] = []
    done = asyncio.Event()

    async def run() -> object:
        calls.append(1)
        if len(calls) < 4:
            return MORE
        done.set()
        return None

    task = asyncio.get_running_loop().create_task(JobRunner(Job("hourly", timedelta(hours=1), run), Signals()).run())
    async with asyncio.timeout(20):
        await done.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert len(calls) == 4
