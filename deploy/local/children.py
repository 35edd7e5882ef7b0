"""Child processes that come back when they die, until they are told to end."""

import asyncio
import logging
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

_PATIENCE = 30.0  # seconds for an orderly end
_STEADY = 10.0  # seconds after which a process counts as well; one that dies sooner waits longer before it returns
_LONGEST = 10.0


@dataclass(frozen=True)
class Command:
    """What to run: its name in the logs, its words, its environment, where its output goes."""

    name: str
    words: Sequence[str]
    env: Mapping[str, str]
    output: Path


class Child:
    """One process, kept alive."""

    def __init__(self, command: Command) -> None:
        self.command = command
        self._process: asyncio.subprocess.Process | None = None

    async def run(self) -> None:
        """Start it, and again whenever it ends by itself, until cancelled; then end it."""
        pause = 0.5
        try:
            while True:
                began = time.monotonic()
                status = await self._once()
                pause = 0.5 if time.monotonic() - began > _STEADY else min(2 * pause, _LONGEST)
                log.error("process ended", extra={"child": self.command.name, "status": status})
                await asyncio.sleep(pause)
        finally:
            await self._end()

    async def _once(self) -> int:
        with self.command.output.open("ab") as output:
            # A session of its own: Ctrl-C is for whoever started us, who then ends all in order.
            self._process = await asyncio.create_subprocess_exec(
                *self.command.words, env=dict(self.command.env), stdout=output, stderr=output, start_new_session=True
            )
        return await self._process.wait()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(_PATIENCE):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()
