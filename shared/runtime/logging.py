"""Logs: one JSON object a line, with ids and never with personal data. Messages of exceptions are left out."""

import json
import logging
import re
import sys
import time
from collections.abc import Mapping
from typing import Any

from shared.telemetry.traces import TRACING

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """Formats a record with its extras and, in each line, who speaks (`always`); of an exception only the type."""

    converter = staticmethod(time.gmtime)

    def __init__(self, always: Mapping[str, str] | None = None) -> None:
        super().__init__()
        self._always = dict(always or {})

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON, times in UTC."""
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
            **self._always,
        }
        line |= {name: str(value) for name, value in record.__dict__.items() if name not in _STANDARD}
        if (trace := TRACING.trace_id()) is not None:
            line["trace"] = trace
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """The message; of the event loop's own only what happened: it goes on with the exception and what it says."""
    message = record.getMessage()
    return re.split(r"[\n(<]", message, maxsplit=1)[0].strip() if record.name == "asyncio" else message


def configure(level: str = "INFO", **always: str) -> None:
    """Send all logs to standard error as JSON lines; `always` names what every line carries."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(always))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn.access", "aiosmtpd", "mail.log", "httpx", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
