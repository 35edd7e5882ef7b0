"""What every exception means to a client: one typed refusal each."""

import asyncpg
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared.db.failures import BUSY, is_away, sqlstate
from shared.errors import Conflict, Fault, Invalid, NotFound, Refusal, TooLarge, Unavailable
from shared.http.faults import faults_of

EXPECTED: tuple[type[Exception], ...] = (
    Refusal,
    RequestValidationError,
    HTTPException,
    DBAPIError,
    asyncpg.PostgresError,
    PoolTimeoutError,
    ClientDisconnect,
    OSError,
)
"""What is answered without being raised again to the server."""


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

    def __init__(self) -> None:
        super().__init__("unexpected", "系统出现意外错误，本次操作没有生效。请稍后重试；如仍出错，请联系系统管理员。")


class DatabaseAway(Unavailable):
    """The service's database does not answer."""

    def __init__(self) -> None:
        super().__init__("database_away", "数据库暂时无法访问，内容没有保存。请稍后用原内容重试。")


def _malformed() -> Refusal:
    return Malformed("malformed_request", "请求的格式不正确，请检查后重试。")


def as_refusal(error: Exception) -> Refusal:
    """The typed refusal that any exception means at the edge."""
    match error:
        case Refusal():
            answer: Refusal = error
        case RequestValidationError():
            answer = Invalid(faults_of(error.errors()))
        case HTTPException():
            answer = _of_protocol(error)
        case ClientDisconnect():
            answer = _malformed()
        case _:
            answer = DatabaseAway() if is_away(error) else _of_others(error)
    return answer


def _of_others(error: Exception) -> Refusal:
    match error:
        case DBAPIError():
            return _of_database(error.orig)
        case asyncpg.PostgresError():  # while connecting, before anybody wraps it
            return _of_database(error)
        case _:
            return Unexpected()


def _of_protocol(error: HTTPException) -> Refusal:
    if isinstance(error.__cause__, Refusal):  # raised while the framework was reading the body
        return error.__cause__
    if error.status_code == 404:
        return NotFound("not_found", "没有这个页面或事项，请核对地址。")
    if error.status_code == 405:
        return MethodNotAllowed("method_not_allowed", "这个地址不支持该操作，请查看接口说明。")
    if "maximum" in str(error.detail).lower():  # what the form parsers say of a field too long, or too many
        return TooLarge("too_large", "表单中有一项超过1 MB，或项目太多，请缩短或分几次提交。")
    return _malformed()


def _of_database(error: BaseException | None) -> Refusal:
    state = sqlstate(error)
    unfit = isinstance(error, asyncpg.DataError) or isinstance(getattr(error, "__cause__", None), asyncpg.DataError)
    if unfit or state.startswith("22"):
        return Invalid([Fault("", "内容中有不能保存的字符或超出范围的数值，请检查。")])
    if state == "23505" or state in BUSY:
        return Conflict("busy", "同一事项正由他人办理，请稍后重试。")
    return Unexpected()
