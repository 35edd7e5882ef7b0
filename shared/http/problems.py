"""Errors to clients: RFC 9457 problem+json with a stable code and every faulty field at once; pages get a page."""

import logging
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.routing import Match

from shared.errors import FactorNeeded, Invalid, Question, Refusal, TooMany, Unauthenticated
from shared.http.kept import keep
from shared.http.refusals import EXPECTED, DatabaseAway, MethodNotAllowed, Unexpected, as_refusal
from shared.http.versions import Stale

log = logging.getLogger(__name__)

PageOfProblem = Callable[[Request, Refusal], Response]
Answer = Callable[[Request, Exception], Response]

CSP = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'"
)
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `detail` says what to do; `errors` names each faulty field."
    " With the code `stale_version`: `version` now, and `differences` between what was sent and what stands.",
    "required": ["type", "title", "status", "code", "detail", "instance"],
    "properties": {
        **{name: {"type": "string"} for name in ("type", "title", "code", "detail", "instance")},
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "reason"],
                "properties": {"field": {"type": "string"}, "reason": {"type": "string"}},
            },
        },
        "version": {"type": "string"},
        "differences": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["field", "mine", "theirs"],
                "properties": {name: {"type": "string"} for name in ("field", "mine", "theirs")},
            },
        },
    },
}


def problem(refusal: Refusal, instance: str) -> JSONResponse:
    """The refusal as problem+json."""
    body: dict[str, Any] = {
        "type": f"urn:yangguang:problem:{refusal.code}",
        "title": refusal.title,
        "status": refusal.status,
        "code": refusal.code,
        "detail": refusal.detail,
        "instance": instance,
    }
    if isinstance(refusal, Invalid | Question):
        body["errors"] = [{"field": fault.field, "reason": fault.reason} for fault in refusal.faults]
    if isinstance(refusal, Stale):
        body["version"] = refusal.version
        body["differences"] = [asdict(difference) for difference in refusal.differences]
    response = JSONResponse(body, refusal.status, media_type="application/problem+json")
    _head(response, refusal)
    return response


def secure(headers: MutableHeaders) -> None:
    """The security headers of every answer; what a route has set stands."""
    headers.setdefault("content-security-policy", CSP)
    headers.setdefault("x-content-type-options", "nosniff")
    headers.setdefault("referrer-policy", "same-origin")
    headers.setdefault("cache-control", "no-store")


def _head(response: Response, refusal: Refusal) -> None:
    secure(response.headers)
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, Unauthenticated) and refusal.status == response.status_code:
        response.headers["WWW-Authenticate"] = _challenge(refusal)


def _challenge(refusal: Unauthenticated) -> str:
    """What a client is told to bring: a token, or (RFC 9470) one for which the factor was given lately."""
    if isinstance(refusal, FactorNeeded):
        return f'Bearer error="insufficient_user_authentication", max_age={refusal.seconds}'
    return "Bearer"


def log_unexpected(error: Exception) -> None:
    """Where it broke, without the values: messages of exceptions may carry personal data."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("unexpected error", extra={"error": type(error).__name__, "frames": frames[-8:]})


def for_browser(request: Request) -> bool:
    """Whether a person reads the answer."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def answering(page: PageOfProblem) -> Answer:
    """How every error is answered: as problem+json for the API and for scripts, as a page for browsers."""

    def answer(request: Request, error: Exception) -> Response:
        refusal = as_refusal(error)
        if isinstance(refusal, Unexpected):
            log_unexpected(error)
        elif isinstance(refusal, DatabaseAway):
            log.warning("database away", extra={"error": type(error).__name__})
        response = page(request, refusal) if for_browser(request) else problem(refusal, request.url.path)
        _head(response, refusal)
        if isinstance(refusal, MethodNotAllowed):
            response.headers["Allow"] = ", ".join(sorted(_methods_at(request)))
        return response

    return answer


def _methods_at(request: Request) -> set[str]:
    routes = request.app.state.endpoints
    return {method for route in routes if route.matches(request.scope)[0] is not Match.NONE for method in route.methods}


def install(app: FastAPI, answer: Answer) -> None:
    """Answer every error of `app` so."""

    async def handle(request: Request, error: Exception) -> Response:
        if isinstance(error, Unauthenticated) and for_browser(request):
            await keep(request)
        return answer(request, error)

    for kind in (*EXPECTED, Exception):
        app.add_exception_handler(kind, handle)
