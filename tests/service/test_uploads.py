"""Uploaded files are read in a child process: whatever a file does to its reader, the server goes on."""

import asyncio
import resource
import tracemalloc
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from services.case_intake.domain import places
from services.case_intake.domain.refusals import NOT_TAKEN
from services.case_intake.usecases.tables import TABLE
from shared.errors import Invalid, TooMany
from shared.uploads import apart
from shared.uploads.apart import Reader, read_apart
from tests.fixtures import odd_readers
from tests.fixtures.tables import ATTACKS

MIB = 1 << 20


def reader(read: Callable[..., Iterable[Any]], **limits: Any) -> Reader:
    return Reader(read, "未读取。", "evidence", **limits)


async def refused(read: Callable[..., Iterable[Any]], **limits: Any) -> str:
    with pytest.raises(Invalid) as refusal:
        await read_apart(reader(read, **limits), b"x" * 1_000_000)
    assert refusal.value.detail == "未读取。"
    (fault,) = refusal.value.faults
    assert fault.field == "evidence"
    return fault.reason


async def test_a_file_is_read_and_the_child_is_told_its_options() -> None:
    assert await read_apart(reader(odd_readers.echo), "文件".encode(), word="选项") == ["文件", "选项"]


async def test_a_child_has_no_secret_and_no_open_file_of_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YANGGUANG_MASTER_KEY", "secret")
    names, files = await read_apart(reader(odd_readers.surroundings), b"")
    assert set(names) <= {"PYTHONPATH", "LC_CTYPE"}
    assert [name for name in files if not name.startswith(("pipe:", "socket:", "/dev/null", "/proc/"))] == []
    assert len(files) <= 5


@pytest.mark.parametrize(
    ("read", "limits", "words"),
    [
        (odd_readers.hoard, {"memory_mib": 128}, "请拆成几个文件"),
        (odd_readers.babble, {"answer_mib": 1}, "请拆成几个文件"),
        (odd_readers.spin, {"cpu_seconds": 1}, "读取时间过长"),
        (odd_readers.sleep, {"wall_seconds": 1}, "读取时间过长"),
        (odd_readers.abort, {}, "可能已损坏"),
        (odd_readers.stumble, {}, "可能已损坏"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
async def test_however_a_child_ends_the_sender_is_told_what_to_do(
    read: Callable[..., Iterable[Any]], limits: dict[str, Any], words: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert words in await refused(read, **limits)
    (record,) = caplog.records
    assert (record.getMessage(), record.__dict__["bytes"]) == ("an uploaded file was not read", 1_000_000)
    assert "name" not in str(record.__dict__["end"])


async def test_what_a_child_says_never_fills_the_server() -> None:
    """The 50,000 rows that a file may have come to 37 MiB."""
    tracemalloc.start()
    try:
        assert "请拆成几个文件" in await refused(odd_readers.babble)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert 37 * MIB < most < 128 * MIB


async def test_whoever_goes_away_takes_the_child_along() -> None:
    task = asyncio.ensure_future(read_apart(reader(odd_readers.sleep), b""))
    await asyncio.sleep(0.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await read_apart(reader(odd_readers.echo), b"", word="") == ["", ""]


async def test_the_server_answers_while_a_file_is_read_and_only_so_many_wait() -> None:
    turns = 0
    waiting = [
        asyncio.ensure_future(read_apart(reader(odd_readers.spin, cpu_seconds=1), b""))
        for _ in range(apart.AT_ONCE + apart.WAITING)
    ]
    while turns < 20:
        await asyncio.sleep(0.01)
        turns += 1
    with pytest.raises(TooMany):
        await read_apart(reader(odd_readers.echo), b"", word="")
    for task in waiting:
        task.cancel()
    assert {type(end) for end in await asyncio.gather(*waiting, return_exceptions=True)} == {asyncio.CancelledError}
    assert await read_apart(reader(odd_readers.echo), b"", word="") == ["", ""]


@pytest.mark.parametrize("name", ATTACKS)
async def test_a_workbook_made_to_kill_its_reader_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        await read_apart(TABLE, ATTACKS[name], max_rows=50_000)
    assert [fault.reason for fault in refusal.value.faults] == [places.BROKEN]
    assert refusal.value.detail == NOT_TAKEN
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
    assert most < TABLE.memory_mib * MIB
