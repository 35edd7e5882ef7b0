"""Logs: one JSON object a line; never what an exception says, never a value of somebody's."""

import ast
import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.runtime.logging import JsonLines

ROOT = Path(__file__).parents[2]
SECRET = "刘艳 19900000005"


def _line(record: logging.LogRecord) -> dict[str, Any]:
    text = JsonLines().format(record)
    assert "\n" not in text
    line: dict[str, Any] = json.loads(text)
    return line


def _record(message: str, *args: object, name: str = "shared.x", **more: Any) -> logging.LogRecord:
    return logging.getLogger(name).makeRecord(
        name, logging.WARNING, __file__, 1, message, args, more.pop("exc_info", None), **more
    )


def _caught() -> Any:
    try:
        int(SECRET)
    except ValueError:
        return sys.exc_info()


def test_a_record_is_one_json_object() -> None:
    record = _record("job failed: %s", "卷\n宗", extra={"job": "send", "tries": 3})
    record.created = 0.0
    assert _line(record) == {
        "at": "1970-01-01T00:00:00Z",
        "level": "WARNING",
        "logger": "shared.x",
        "message": "job failed: 卷\n宗",
        "job": "send",
        "tries": "3",
    }


def test_of_an_exception_only_its_type_is_told() -> None:
    line = _line(_record("it failed", exc_info=_caught()))
    assert line["error"] == "ValueError"
    assert SECRET not in json.dumps(line, ensure_ascii=False)


def test_a_cached_traceback_or_stack_is_not_told_either() -> None:
    record = _record("it failed", exc_info=_caught())
    logging.Formatter().format(record)
    assert record.exc_text
    assert SECRET in record.exc_text
    record.stack_info = SECRET
    assert SECRET not in JsonLines().format(record)


async def test_what_the_event_loop_says_of_a_forgotten_task_is_cut_off(caplog: pytest.LogCaptureFixture) -> None:
    async def fail() -> None:
        raise ValueError(SECRET)

    loop = asyncio.get_running_loop()
    task = loop.create_task(fail())
    await asyncio.wait([task])
    context = {"message": "Task exception was never retrieved", "exception": task.exception(), "future": task}
    with caplog.at_level(logging.DEBUG, "asyncio"):
        loop.default_exception_handler(context)
        loop.default_exception_handler({**context, "message": f"Exception in callback {fail}({SECRET!r})"})
    lines = [_line(record) for record in caplog.records if record.name == "asyncio"]
    assert [line["message"] for line in lines] == ["Task exception was never retrieved", "Exception in callback"]
    assert [line["error"] for line in lines] == ["ValueError"] * 2
    assert SECRET not in str(lines)


def _run(program: str) -> list[dict[str, Any]]:
    """What a process of its own writes to standard error, in a time zone that is not UTC."""
    env = {**os.environ, "TZ": "Asia/Shanghai", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", program], env=env, capture_output=True, text=True, check=False)
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_a_process_logs_json_in_utc_and_keeps_noisy_libraries_down() -> None:
    lines = _run(
        "import logging\n"
        "from shared.runtime.logging import configure\n"
        "configure()\n"
        "logging.getLogger('httpx').info('HTTP Request: GET http://carrier/?PhoneNumbers=19900000005')\n"
        "logging.getLogger('mail.log').info('RCPT TO liu@example.com')\n"
        "logging.getLogger('services.x').debug('too fine')\n"
        "logging.getLogger('services.x').info('started', extra={'port': 8000})\n"
        "import datetime, json, sys\n"
        "print(json.dumps({'now': datetime.datetime.now(datetime.UTC).isoformat()}), file=sys.stderr)\n"
    )
    assert [line.get("message") for line in lines] == ["started", None]
    assert lines[0]["at"][:16] <= lines[1]["now"][:16]
    assert lines[0]["at"][:13] == lines[1]["now"][:13] or lines[0]["at"][14:16] == "59", (
        "UTC, whatever the machine's zone"
    )


def _log_calls(tree: ast.AST) -> list[ast.Call]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    return [call for call in calls if isinstance(call.func.value, ast.Name) and call.func.value.id in {"log", "logger"}]  # type: ignore[attr-defined]


def _told(call: ast.Call, name: str) -> bool:
    """Whether a call of the log gives the exception `name` away: as itself, formatted or as a text."""
    typed = {id(node.args[0]) for node in ast.walk(call) if isinstance(node, ast.Call) and _is_type(node) and node.args}
    return any(isinstance(node, ast.Name) and node.id == name and id(node) not in typed for node in ast.walk(call))


def _is_type(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "type"


def leaks(source: str) -> list[int]:
    """The lines where a message of an exception goes into a log."""
    handlers = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ExceptHandler) and node.name]
    return [call.lineno for each in handlers for call in _log_calls(each) if each.name and _told(call, each.name)]


def test_a_leak_would_be_seen() -> None:
    source = "try:\n    x()\nexcept OSError as error:\n    {}\n"
    assert leaks(source.format('log.error("it failed: %s", error)')) == [4]
    assert leaks(source.format('log.error(f"it failed: {error}")')) == [4]
    assert leaks(source.format('log.warning("failed", extra={"why": str(error)})')) == [4]
    assert leaks(source.format('log.warning("failed", extra={"error": type(error).__name__})')) == []


def test_no_message_of_an_exception_goes_into_a_log() -> None:
    files = [path for folder in ("shared", "services") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    found = [f"{path.relative_to(ROOT)}:{line}" for path in files for line in leaks(path.read_text())]
    assert found == []
