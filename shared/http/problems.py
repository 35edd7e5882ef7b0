"""Errors to clients: RFC 9457 problem+json with a stable code and every faulty field at once; pages get a page."""

import logging
import traceback
from collections.abc import Callable
from typing import Any

import asyncpg
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from shared.errors import Conflict, Fault, Invalid, NotFound, Refusal, TooMany, Unauthenticated, Unavailable
from shared.http.faults import faults_of

log = logging.getLogger(__name__)

PageOfProblem = Callable[[Request, Refusal], Response]
Answer = Callable[[Request, Exception], Response]

CSP = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; form-action 'self'; "
    "base-uri 'none'; object-src 'none'"
)
PROBLEM_SCHEMA: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457. `code` is stable; `detail` says in Chinese what to do; `errors` names every faulty field.",
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
    },
}


class MethodNotAllowed(Refusal):
    """The path exists, the method does not."""

    status = 405
    title = "不支持该操作"


class Malformed(Refusal):
    """The request is not what its protocol promises."""


class Unexpected(Refusal):
    """A fault of ours. Nothing was half written: the act's transaction was rolled back."""

    status = 500
    title = "系统出错"


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
    if isinstance(refusal, Invalid):
        body["errors"] = [{"field": fault.field, "reason": fault.reason} for fault in refusal.faults]
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
        response.headers["WWW-Authenticate"] = "Bearer"


_DATABASE_AWAY = Unavailable("database_away", "数据库暂时无法访问，内容没有保存。请稍后用原内容重试。")
_MALFORMED = Malformed("malformed_request", "请求的格式不正确，请检查后重试。")
_UNEXPECTED = "系统出现意外错误，本次操作没有生效。请稍后重试；如仍出错，请联系系统管理员。"


def as_refusal(error: Exception) -> Refusal:
    """The typed refusal that any exception means at the edge."""
    match error:
        case Refusal():
            answer: Refusal = error
        case RequestValidationError():
            answer = Invalid(faults_of(error.errors()))
        case HTTPException():
            answer = _of_protocol(error)
        case DBAPIError():
            away = error.connection_invalidated
            answer = _DATABASE_AWAY if away else _of_database(error.orig)
        case asyncpg.PostgresError():
            answer = _of_database(error)
        case PoolTimeoutError():
            answer = _DATABASE_AWAY
        case ClientDisconnect():
            answer = _MALFORMED
        case OSError() if error.filename is None:  # one about a file is a fault of ours
            answer = _DATABASE_AWAY
        case _:
            answer = Unexpected("unexpected", _UNEXPECTED)
    return answer


def _of_protocol(error: HTTPException) -> Refusal:
    if isinstance(error.__cause__, Refusal):  # raised while the framework was reading the body
        return error.__cause__
    if error.status_code == 404:
        return NotFound("not_found", "没有这个页面或事项，请核对地址。")
    if error.status_code == 405:
        return MethodNotAllowed("method_not_allowed", "这个地址不支持该操作，请查看接口说明。")
    return _MALFORMED


def _of_database(error: BaseException | None) -> Refusal:
    state = str(getattr(error, "sqlstate", None) or "")
    unfit = isinstance(error, asyncpg.DataError) or isinstance(getattr(error, "__cause__", None), asyncpg.DataError)
    if unfit or state.startswith("22"):
        return Invalid([Fault("", "内容中有不能保存的字符或超出范围的数值，请检查。")])
    if state in {"23505", "40001", "40P01", "55P03"}:
        return Conflict("busy", "同一事项正由他人办理，请稍后重试。")
    if state.startswith(("08", "53", "57P")):
        return _DATABASE_AWAY
    return Unexpected("unexpected", _UNEXPECTED)


def log_unexpected(error: Exception) -> None:
    """Where it broke, without the values: messages of exceptions may carry personal data."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("unexpected error", extra={"error": type(error).__name__, "frames": frames[-8:]})


def answering(page: PageOfProblem) -> Answer:
    """How every error is answered: as problem+json for the API and for scripts, as a page for browsers."""

    def answer(request: Request, error: Exception) -> Response:
        refusal = as_refusal(error)
        if isinstance(refusal, Unexpected):
            log_unexpected(error)
        elif refusal is _DATABASE_AWAY:
            log.warning("database away", extra={"error": type(error).__name__})
        browser = not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
        response = page(request, refusal) if browser else problem(refusal, request.url.path)
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
        return answer(request, error)

    for kind in (Refusal, RequestValidationError, HTTPException, DBAPIError, OSError, Exception):
        app.add_exception_handler(kind, handle)
