"""A service's endless loops: one that dies of something unexpected is reported and begun again; the others go on."""

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable

from shared.http.problems import log_unexpected

log = logging.getLogger(__name__)


class Loop:
    """One endless loop. `pause`: seconds until it is begun again."""

    def __init__(self, name: str, run: Callable[[], Awaitable[object]], pause: float = 5.0) -> None:
        self.name = name
        self._run = run
        self._pause = pause
        self._died_at = -math.inf

    def is_well(self) -> bool:
        """Whether it has not died lately; after its restart it must first go on for as long as the pause was."""
        return time.monotonic() - self._died_at > 2 * self._pause

    async def run(self) -> None:
        """Run it for ever, until cancelled."""
        while True:
            try:
                await self._run()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is None or task.cancelling():
                    raise  # else something below was cancelled, not this loop
            except Exception as error:  # noqa: BLE001 - whatever it is, the loop comes back, and health tells of it
                log_unexpected(error)
            log.critical("loop died, begins again", extra={"loop": self.name})
            self._died_at = time.monotonic()
            await asyncio.sleep(self._pause)
