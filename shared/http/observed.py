"""Every request counted, timed, traced and logged, under its route's template: a path may hold ids or codes."""

import logging
import time
from typing import Any

from opentelemetry.trace import Span
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.telemetry.metrics import HTTP_REQUESTS, HTTP_SECONDS
from shared.telemetry.traces import TRACING, SpanKind

log = logging.getLogger(__name__)

_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
NOWHERE = "-"
"""Stands for the template where no route was met."""


class Observed:
    """The layer around all others of one service."""

    def __init__(self, app: ASGIApp, service: str) -> None:
        self._app = app
        self._service = service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note what came of it. A stream's time ends with its beginning."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status, seconds = 500, 0.0

        async def noting(message: Message) -> None:
            nonlocal status, seconds
            if message["type"] == "http.response.start":
                status, seconds = message["status"], time.perf_counter() - began
            await send(message)

        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        with TRACING.span(method, SpanKind.SERVER, _traceparent(scope), service=self._service) as span:
            try:
                await self._app(scope, receive, noting)
            finally:
                self._note(span, scope, method, (status, seconds or time.perf_counter() - began))

    def _note(self, span: Span, scope: Scope, method: str, outcome: tuple[int, float]) -> None:
        status, seconds = outcome
        route = template(scope)
        HTTP_REQUESTS.labels(self._service, method, route, str(status)).inc()
        HTTP_SECONDS.labels(self._service, method, route).observe(seconds)
        span.update_name(f"{method} {route}")
        span.set_attributes({"http.request.method": method, "http.route": route, "http.response.status_code": status})
        about = {"service": self._service, "method": method, "route": route, "status": status}
        log.info("request", extra={**about, "ms": round(seconds * 1000, 1)})


def template(scope: Scope) -> str:
    """The path of the route that was met, with names in place of values."""
    route: Any = scope.get("route")
    return getattr(route, "path", None) or NOWHERE


def _traceparent(scope: Scope) -> str | None:
    found = next((value for name, value in scope["headers"] if name == b"traceparent"), None)
    return None if found is None else found.decode("latin-1")
