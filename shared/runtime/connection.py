"""The server's end of a connection: what is sent by halves ends, however slowly its drops fall.

uvicorn has no such limit: a request whose head or body never ends would hold its connection, and the task that reads
it, for good. A head must be whole within `PATIENCE`; a body gets as long again for what has come at a fair pace, so
that a large file over a thin line still arrives.
"""

import asyncio
import json
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

PATIENCE = 10.0
PACE = 16 * 1024
"""Bytes a second of a body that buy it more time."""
MAX_HEAD = 64 * 1024

_ANSWERS = {
    408: ("Request Timeout", "request_timeout", "请求没有在规定时间内发完，连接已关闭。请检查网络后重试。"),
    431: ("Request Header Fields Too Large", "head_too_large", "请求头过大，请清除本站的 Cookie 后重试。"),
}


def _answer(status: int) -> bytes:
    phrase, code, detail = _ANSWERS[status]
    facts = {"type": f"urn:yangguang:problem:{code}", "title": phrase, "status": status, "code": code, "detail": detail}
    body = json.dumps(facts, ensure_ascii=False).encode()
    lines = [f"HTTP/1.1 {status} {phrase}", "content-type: application/problem+json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "cache-control: no-store", "connection: close", "", ""]).encode() + body


class Connection(HttpToolsProtocol):
    """uvicorn's, with a timer that runs while a request is awaited or half sent."""

    patience = PATIENCE
    pace = PACE

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._timer: asyncio.TimerHandle | None = None
        self._began = 0.0
        self._head = 0
        self._taken: int | None = None
        """Bytes of the body, once the head is whole."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._timer is None and not self._answering():
            self._expect()
        if self._timer is not None and self._taken is None:
            self._head += len(data)
        super().data_received(data)
        if self._taken is None and self._head > MAX_HEAD:
            self._end(431)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._expect()

    def on_headers_complete(self) -> None:
        self._taken, self._head = 0, 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._taken = (self._taken or 0) + len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._rest()
        super().on_message_complete()

    def _expect(self) -> None:
        self._rest()
        self._began, self._taken = self.loop.time(), None
        self._timer = self.loop.call_later(self.patience, self._look)

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        """The time is over: unless we ourselves held the sender up, or what came has bought more."""
        self._timer = None
        if self.flow.read_paused:
            self._timer = self.loop.call_later(self.patience, self._look)
            return
        left = self._began + self.patience + (self._taken or 0) / self.pace - self.loop.time()
        if left > 0:
            self._timer = self.loop.call_later(left, self._look)
        else:
            self._end(408)

    def _end(self, status: int) -> None:
        """Say why, where a request has begun and nothing has been answered, and hang up."""
        self._rest()
        if self.transport.is_closing():
            return
        head_began = self._taken is None and self._head > 0
        if head_began or (self._taken is not None and not self.cycle.response_started):
            self.transport.write(_answer(status))
        self.transport.close()

    def _answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


def server_config(app: Any, **options: Any) -> uvicorn.Config:
    """How every listener of the product is set up."""
    return uvicorn.Config(
        app, http=Connection, ws="none", log_config=None, access_log=False, timeout_graceful_shutdown=2, **options
    )
