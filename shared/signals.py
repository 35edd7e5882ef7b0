"""Wake-ups within one process. A signal is a hint that there is work; the poll behind it is the truth."""

import asyncio
from collections import defaultdict


class Signals:
    """Named wake-ups: whoever waits for a name is woken when it fires."""

    def __init__(self) -> None:
        self._events: dict[str, asyncio.Event] = defaultdict(asyncio.Event)

    def fire(self, name: str) -> None:
        """Wake everybody who waits for `name` now."""
        self._events.pop(name, asyncio.Event()).set()

    async def wait(self, name: str, seconds: float) -> bool:
        """Wait for `name`, at most `seconds`; whether it fired."""
        try:
            async with asyncio.timeout(seconds):  # wait_for() would lose a cancellation that comes with the signal
                await self._events[name].wait()
        except TimeoutError:
            return False
        return True
