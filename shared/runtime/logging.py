"""Logs: one JSON object a line, with ids and never with personal data. Messages of exceptions are left out."""

import json
import logging
import re
import sys
import time
from typing import Any

_STANDARD = set(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "color_message"}


class JsonLines(logging.Formatter):
    """Formats a record with its extras; of an exception only the type."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON, times in UTC."""
        line: dict[str, Any] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%SZ"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        line |= {name: str(value) for name, value in record.__dict__.items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
        return json.dumps(line, ensure_ascii=False)


def _message(record: logging.LogRecord) -> str:
    """The message; of the event loop's own only what happened: it goes on with the exception and what it says."""
    message = record.getMessage()
    return re.split(r"[\n(<]", message, maxsplit=1)[0].strip() if record.name == "asyncio" else message


def configure(level: str = "INFO") -> None:
    """Send all logs to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in ("uvicorn.access", "aiosmtpd", "mail.log", "httpx", "alembic"):
        logging.getLogger(name).setLevel(logging.WARNING)
