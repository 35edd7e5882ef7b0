"""Reads an uploaded file in a child process, within limits of memory, time and number.

The child has a bare environment, no file but its three pipes, and no secret. However it ends, the server goes on, and
whoever sent the file gets a sentence that says what to do.
"""

import asyncio
import json
import logging
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from shared.errors import Fault, Invalid, TooMany
from shared.uploads.child import OUT_OF_MEMORY

log = logging.getLogger(__name__)

AT_ONCE = 1
"""Children of this process at the same time."""
WAITING = 8
"""Files that may wait for a place; a further one is asked to come again."""
_PIECE = 1 << 16
_MIB = 1 << 20


class End(StrEnum):
    """How a child ended that did not answer."""

    MEMORY = "memory"
    TIME = "time"
    ANSWER = "answer"
    CRASH = "crash"


_SENTENCES = {
    End.MEMORY: "文件展开后内容过多，超出了系统读取一份文件的限度。请拆成几个文件后分别上传。",
    End.TIME: "文件读取时间过长，系统已停止读取。请拆成几个文件后分别上传。",
    End.ANSWER: "文件展开后内容过多，超出了系统读取一份文件的限度。请拆成几个文件后分别上传。",
    End.CRASH: "文件无法读取，可能已损坏。请在原来的软件中打开核对，另存后重新上传。",
}


@dataclass(frozen=True)
class Reader:
    """A way to read a kind of file: `read` takes the bytes, and the options as keywords, in the child.

    It yields what JSON can say, or raises Invalid. It must be found by its name, in a module that imports little.
    `refused` heads a refusal, `field` is the form's field.
    """

    read: Callable[..., Iterable[Any]]
    refused: str
    field: str = "file"
    memory_mib: int = 640
    cpu_seconds: int = 60
    wall_seconds: float = 240
    answer_mib: int = 48

    def head(self, options: dict[str, Any]) -> str:
        """What the child is told; no part of the file stands in it."""
        limits = {"memory": self.memory_mib * _MIB, "cpu": self.cpu_seconds}
        entry = f"{self.read.__module__}:{self.read.__qualname__}"
        return json.dumps({"entry": entry, "options": options, "limits": limits})


class _Places:
    """So many at once, and so many that wait."""

    def __init__(self, at_once: int, waiting: int) -> None:
        self._free = asyncio.Semaphore(at_once)
        self._most = at_once + waiting
        self._taken = 0

    @asynccontextmanager
    async def one(self) -> AsyncIterator[None]:
        """A place, as soon as there is one. Raises TooMany when too many wait."""
        if self._taken >= self._most:
            raise TooMany("uploads_busy", "同时上传的文件太多，请等约半分钟再上传。", retry_after=30)
        self._taken += 1
        try:
            async with self._free:
                yield
        finally:
            self._taken -= 1


_PLACES = _Places(AT_ONCE, WAITING)


async def read_apart(reader: Reader, content: bytes, **options: Any) -> list[Any]:
    """The items that the reader finds. Raises Invalid for a file that it refuses or breaks at, TooMany."""
    async with _PLACES.one():
        answer = await _answer_of(reader, content, options)
        items, faults = await asyncio.to_thread(_told, answer) if isinstance(answer, bytes) else ([], answer)
    if isinstance(faults, End):
        log.warning("an uploaded file was not read", extra={"end": faults.value, "bytes": len(content)})
        raise Invalid([Fault(reader.field, _SENTENCES[faults])], reader.refused)
    if faults:
        raise Invalid([Fault(field, reason) for field, reason in faults], reader.refused)
    return items


def _told(answer: bytes) -> tuple[list[Any], list[Any] | End]:
    """The items and the faults."""
    try:
        *items, faults = map(json.loads, answer.splitlines())
    except ValueError:
        return [], End.CRASH
    return items, faults


async def _answer_of(reader: Reader, content: bytes, options: dict[str, Any]) -> bytes | End:
    child = await _start(reader, options)
    try:
        async with asyncio.timeout(reader.wall_seconds):
            _, answer = await asyncio.gather(_feed(child, content), _listen(child, reader.answer_mib * _MIB))
            status = await child.wait() if answer is not None else 0
    except TimeoutError:
        return End.TIME
    finally:
        await _end(child)
    return End.ANSWER if answer is None else _ended(status) or answer


async def _start(reader: Reader, options: dict[str, Any]) -> Process:
    # Without `site`: the child starts in a third of the time, and finds what this process finds.
    command = (sys.executable, "-S", "-P", "-X", "utf8", "-m", "shared.uploads.child", reader.head(options))
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        cwd="/",
        env={"PYTHONPATH": ":".join(filter(None, sys.path))},
        start_new_session=True,
    )


async def _feed(child: Process, content: bytes) -> None:
    pipe = child.stdin
    assert pipe is not None  # noqa: S101 - it was asked for
    try:
        for at in range(0, len(content), _PIECE):
            pipe.write(content[at : at + _PIECE])
            await pipe.drain()
        pipe.close()
        await pipe.wait_closed()
    except (BrokenPipeError, ConnectionResetError):
        return  # the child has ended; how, its status says


async def _listen(child: Process, most: int) -> bytes | None:
    """Everything it says; None as soon as that is more than `most` bytes."""
    pipe, said = child.stdout, bytearray()
    assert pipe is not None  # noqa: S101 - it was asked for
    while piece := await pipe.read(_PIECE):
        said += piece
        if len(said) > most:
            return None
    return bytes(said)


def _ended(status: int) -> End | None:
    if status == 0:
        return None
    if status == OUT_OF_MEMORY or -status in {signal.SIGABRT, signal.SIGKILL}:
        return End.MEMORY
    return End.TIME if -status == signal.SIGXCPU else End.CRASH


async def _end(child: Process) -> None:
    """Gone for good. What it has still said is read away: a loop does not hear of an end behind a full pipe."""
    if child.returncode is None:
        child.kill()
    pipe = child.stdout
    assert pipe is not None  # noqa: S101 - it was asked for
    while await pipe.read(_PIECE):
        pass
    await child.wait()
