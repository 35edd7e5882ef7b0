"""Errors to clients: RFC 9457 problem+json with a stable code and every faulty field at once; pages get a page."""

import logging
import traceback
from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from sqlalchemy.exc import DBAPIError
from starlette.exceptions import HTTPException

from shared.errors import Conflict, Fault, Invalid, NotFound, Refusal, TooMany, Unavailable
from shared.http.faults import faults_of

log = logging.getLogger(__name__)

PageOfProblem = Callable[[Request, Refusal], Response]


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
    headers = {"Retry-After": str(refusal.retry_after)} if isinstance(refusal, TooMany) else {}
    return JSONResponse(body, refusal.status, headers, media_type="application/problem+json")


_DATABASE_AWAY = Unavailable("database_away", "数据库暂时无法访问，内容没有保存。请稍后用原内容重试。")
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
            answer = _of_database(error)
        case OSError() | TimeoutError():
            answer = _DATABASE_AWAY
        case _:
            answer = Unexpected("unexpected", _UNEXPECTED)
    return answer


def _of_protocol(error: HTTPException) -> Refusal:
    if error.status_code == 404:
        return NotFound("not_found", "没有这个页面或事项，请核对地址。")
    if error.status_code == 405:
        return MethodNotAllowed("method_not_allowed", "这个地址不支持该操作，请查看接口说明。")
    return Malformed("malformed_request", "请求的格式不正确，请检查后重试。")


def _of_database(error: DBAPIError) -> Refusal:
    state = str(getattr(error.orig, "sqlstate", None) or "")
    if state.startswith("22"):
        return Invalid([Fault("", "内容中有不能保存的字符或超出范围的数值，请检查。")])
    if state in {"40001", "40P01", "55P03"}:
        return Conflict("busy", "同一事项正由他人办理，请稍后重试。")
    if error.connection_invalidated or state.startswith(("08", "53", "57P")):
        return _DATABASE_AWAY
    return Unexpected("unexpected", _UNEXPECTED)


def log_unexpected(error: Exception) -> None:
    """Where it broke, without the values: messages of exceptions may carry personal data."""
    frames = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(error.__traceback__)]
    log.error("unexpected error", extra={"error": type(error).__name__, "frames": frames[-8:]})


def install(app: FastAPI, page: PageOfProblem) -> None:
    """Answer every error of `app`: JSON for the API and for scripts, a page for browsers."""

    async def answer(request: Request, error: Exception) -> Response:
        refusal = as_refusal(error)
        if isinstance(refusal, Unexpected):
            log_unexpected(error)
        if not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", ""):
            return page(request, refusal)
        return problem(refusal, request.url.path)

    for kind in (Refusal, RequestValidationError, HTTPException, DBAPIError, OSError, Exception):
        app.add_exception_handler(kind, answer)
