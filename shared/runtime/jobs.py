"""Runs a service's recurring jobs. A job that fails is logged and tried again; it never stops the others."""

import asyncio
import logging
import time

from shared.db.failures import is_away
from shared.http.problems import log_unexpected
from shared.runtime.service import MORE, Job
from shared.signals import Signals

log = logging.getLogger(__name__)

_AGAIN = 5.0  # seconds until a job that failed is tried again, however seldom it runs


class JobRunner:
    """One job's loop; `lag_seconds` tells how long ago it last came to its end."""

    def __init__(self, job: Job, signals: Signals) -> None:
        self.job = job
        self._signals = signals
        self._progress = time.monotonic()

    def lag_seconds(self) -> float:
        """Seconds since the job's last success, beyond its own interval."""
        return max(0.0, time.monotonic() - self._progress - self.job.every.total_seconds())

    async def run(self) -> None:
        """Call the job for ever."""
        while True:
            pause = await self._try()
            await (self._signals.wait(self.job.signal, pause) if self.job.signal else asyncio.sleep(pause))

    async def _try(self) -> float:
        """Seconds until the next call."""
        every = self.job.every.total_seconds()
        try:
            answer = await self.job.run()
        except Exception as error:  # noqa: BLE001 - a failing job is reported by its lag, and tried again
            log.warning("job failed", extra={"job": self.job.name, "error": type(error).__name__})
            if not is_away(error):
                log_unexpected(error)
            return min(every, _AGAIN)
        self._progress = time.monotonic()
        return 0.0 if answer is MORE else every
