"""Every refusal and every exception, as a client gets to see it."""

import inspect
import json
import logging
import re
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any, Literal
from uuid import UUID

import asyncpg
import pytest
from fastapi.exceptions import RequestValidationError
from pydantic import AwareDatetime, Field, ValidationError
from sqlalchemy import exc as database
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from shared import errors
from shared.errors import (
    Conflict,
    FactorNeeded,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    Question,
    Refusal,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
)
from shared.http import observed, refusals, versions
from shared.http.faults import faults_of
from shared.http.inputs import Input, Line, Prose
from shared.http.refusals import Malformed, MethodNotAllowed, Unexpected, as_refusal
from shared.http.versions import Difference, Stale
from shared.runtime.logging import JsonLines
from tests.fixtures.edge import Edge

SECRET = "刘艳 19900000005"
CHINESE = re.compile(r"[\u4e00-\u9fff]")

REFUSALS: list[tuple[Refusal, int]] = [
    (Refusal("refused", "不办理。"), 400),
    (Malformed("malformed_request", "格式不正确。"), 400),
    (Unauthenticated("not_signed_in", "请先登录。"), 401),
    (FactorNeeded(900), 401),
    (Forbidden("not_allowed", "没有权限。"), 403),
    (NotFound("no_such_case", "没有这个案件。"), 404),
    (MethodNotAllowed("method_not_allowed", "不支持。"), 405),
    (Conflict("taken", "已有人办理。"), 409),
    (Question("serial_far", "请核对序号。", "case_number"), 409),
    (Stale("v2", (Difference("cause", "甲", "乙"),)), 409),
    (TooLarge("too_large", "太大。"), 413),
    (Invalid([Fault("parties.0.phone", "应为11位手机号码。"), Fault("cause", "此项必填。")]), 422),
    (TooMany("too_many", "请稍后。", 300), 429),
    (Unexpected(), 500),
    (Unavailable("carrier_away", "短信通道暂停。"), 503),
    (refusals.DatabaseAway(), 503),
]


def test_every_kind_of_refusal_is_tried_here() -> None:
    kinds = {
        each
        for module in (errors, refusals, versions)
        for _, each in inspect.getmembers(module, inspect.isclass)
        if issubclass(each, Refusal)
    }
    assert {type(refusal) for refusal, _ in REFUSALS} == kinds


@pytest.mark.parametrize(("refusal", "status"), REFUSALS, ids=lambda value: getattr(value, "code", value))
async def test_a_refusal_becomes_an_rfc_9457_problem(refusal: Refusal, status: int) -> None:
    edge = Edge()
    edge.failing = refusal
    async with edge.client() as http:
        answer = await http.get("/api/edge/failing?phone=19900000005")
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    faults = getattr(refusal, "faults", None)
    expected: dict[str, Any] = {
        "type": f"urn:yangguang:problem:{refusal.code}",
        "title": refusal.title,
        "status": status,
        "code": refusal.code,
        "detail": refusal.detail,
        "instance": "/api/edge/failing",
    }
    if isinstance(refusal, Stale):
        expected |= {"version": "v2", "differences": [{"field": "cause", "mine": "甲", "theirs": "乙"}]}
    named = {"errors": [{"field": fault.field, "reason": fault.reason} for fault in faults]} if faults else {}
    assert answer.json() == expected | named
    assert answer.headers.get("retry-after") == ("300" if status == 429 else None)
    fresh = ' error="insufficient_user_authentication", max_age=900' if isinstance(refusal, FactorNeeded) else ""
    assert answer.headers.get("www-authenticate") == (f"Bearer{fresh}" if status == 401 else None)
    assert CHINESE.search(refusal.title)


@pytest.mark.parametrize(("refusal", "status"), REFUSALS, ids=lambda value: getattr(value, "code", value))
async def test_a_browser_gets_the_same_refusal_as_a_page(refusal: Refusal, status: int) -> None:
    edge = Edge()
    edge.failing = refusal
    async with edge.client(accept="text/html,*/*") as http:
        answer = await http.get("/edge/failing")
    if status == 401:
        door = "code" if isinstance(refusal, FactorNeeded) else "refresh"
        assert (answer.status_code, answer.headers["location"]) == (303, f"/sign-in/{door}?next=%2Fedge%2Ffailing")
        return
    assert answer.status_code == status
    assert answer.headers["content-type"].startswith("text/html")
    assert refusal.detail in answer.text
    for fault in getattr(refusal, "faults", ()):
        assert fault.reason in answer.text
    assert refusal.code not in answer.text, "no internal codes on pages"
    assert answer.headers.get("retry-after") == ("300" if status == 429 else None)


class Size(StrEnum):
    SMALL = "small"


class Whole(Input):
    line: Line
    prose: Prose
    uuid: UUID
    day: date
    instant: AwareDatetime
    number: Annotated[int, Field(ge=1, le=9)]
    amount: Annotated[Decimal, Field(max_digits=5, decimal_places=2, gt=0)]
    size: Size
    word: Literal["yes", "no"]
    switch: bool
    many: Annotated[list[Line], Field(min_length=1, max_length=2)]
    part: Annotated["Part", Field()]


class Part(Input):
    of: Line


FAULTY: dict[str, list[Any]] = {
    "line": [None, 1, "", "  ", "x" * 201, "a\x00b", "a\x1bb", "\ud800", ["a"]],
    "prose": [None, "", "x" * 5001, "a\x07b", {}],
    "uuid": [None, 1, "", "no", "0" * 33],
    "day": [None, "", "2026-02-30", "26-1-1", "23.11.2026", [], "2026-11-23T05:00:00Z"],
    "instant": [None, "", "2026-11-23", "2026-11-23T05:00:00", "x"],
    "number": [None, 0, 10, "x", 1.5, 10**30, [1]],
    "amount": [None, 0, "-1", "1.234", "123456", "NaN", "Infinity", "1e99", "x", {}],
    "size": [None, "large", 1],
    "word": [None, "maybe", True],
    "switch": [None, "perhaps", 2, []],
    "many": [None, [], ["a", "b", "c"], "a", {}, [""]],
    "part": [None, "x", {}, {"of": ""}, []],
}
SOUND = {
    "line": "一",
    "prose": "一\n二",
    "uuid": "01890000-0000-7000-8000-000000000000",
    "day": "2026-11-23",
    "instant": "2026-11-23T05:00:00Z",
    "number": 1,
    "amount": "1.50",
    "size": "small",
    "word": "yes",
    "switch": True,
    "many": ["a"],
    "part": {"of": "a"},
}


def _faults(body: dict[str, Any]) -> list[Fault]:
    try:
        Whole.model_validate(body)
    except ValidationError as error:
        return faults_of([{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()])
    return []


def test_a_sound_body_has_no_faults() -> None:
    assert _faults(SOUND) == []


@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in FAULTY.items() for value in values])
def test_a_faulty_field_is_named_with_a_chinese_reason(field: str, value: Any) -> None:
    faults = _faults({**SOUND, field: value})
    assert faults, f"{field} takes {value!r}"
    for fault in faults:
        assert fault.field == field or fault.field.startswith(f"{field}.")
        assert CHINESE.search(fault.reason), fault
        assert not re.search(r"[{}]|Value error|None", fault.reason), fault


def test_all_faults_come_at_once() -> None:
    everything = {field: values[1] for field, values in FAULTY.items()}
    assert {fault.field.partition(".")[0] for fault in _faults({**everything, "extra": 1})} == {*FAULTY, "extra"}
    assert {fault.field for fault in _faults({})} == set(FAULTY)


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize(
    ("content", "headers", "status", "field"),
    [
        (b"", JSON, 422, ""),
        (b"{", JSON, 422, ""),
        (b"\xff\xfe", JSON, 422, ""),
        (b"null", JSON, 422, ""),
        (b"[1]", JSON, 422, ""),
        (b'{"text": "a"', JSON, 422, ""),
        (b'{"text": "a"}', {"content-type": "text/plain"}, 422, ""),
        (b"text=a", {"content-type": "application/x-www-form-urlencoded"}, 422, ""),
        (b'{"text": "a", "number": 1e400}', JSON, 422, "number"),
        (b'{"text": "a", "number": NaN}', JSON, 422, "number"),
        (b'{"text": "\\ud800"}', JSON, 422, "text"),
        (b'{"text": "\\u0000"}', JSON, 422, "text"),
        (b'{"text": "a", "b": 1}', JSON, 422, "b"),
        (b'{"text": "a", "\\ud800": 1}', JSON, 422, ""),
        (b'{"text": "a", "number": ' + b"9" * 5000 + b"}", JSON, 400, None),
        (b"[" * 100_000, JSON, 400, None),
    ],
)
async def test_a_body_that_is_none_is_refused(
    content: bytes, headers: dict[str, str], status: int, field: str | None
) -> None:
    async with Edge().client() as http:
        answer = await http.post("/api/edge", content=content, headers=headers)
    assert answer.status_code == status
    problem = answer.json()
    assert problem["status"] == status
    if field is not None:
        assert [error["field"] for error in problem["errors"]] == [field]
        assert all(CHINESE.search(error["reason"]) for error in problem["errors"])


async def test_a_method_that_is_not_offered_is_answered_with_those_that_are() -> None:
    async with Edge().client() as http:
        answer = await http.put("/api/edge")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


class _PostgresError(Exception):
    """What the driver raises, as far as the edge looks at it."""

    def __init__(self, sqlstate: str | None) -> None:
        super().__init__(f"value too long: {SECRET}")
        self.sqlstate = sqlstate


def _of_database(sqlstate: str | None, *, cut: bool = False) -> Exception:
    return database.DBAPIError(f"INSERT {SECRET}", None, _PostgresError(sqlstate), connection_invalidated=cut)


def _refused_by_the_driver() -> Exception:
    wrapped = _PostgresError(None)
    wrapped.__cause__ = asyncpg.DataError(f"invalid input for query argument $1: {SECRET}")
    return database.DBAPIError(f"INSERT {SECRET}", None, wrapped)


def _while_reading(refusal: Refusal) -> Exception:
    error = HTTPException(400, "There was an error parsing the body")
    error.__cause__ = refusal
    return error


CAUSES: list[tuple[Exception, int, str]] = [
    (_of_database("22001"), 422, "invalid"),
    (_of_database("22021"), 422, "invalid"),
    (_of_database("22003"), 422, "invalid"),
    (_refused_by_the_driver(), 422, "invalid"),
    (_of_database("40001"), 409, "busy"),
    (_of_database("40P01"), 409, "busy"),
    (_of_database("55P03"), 409, "busy"),
    (_of_database("23505"), 409, "busy"),
    (_of_database("23503"), 500, "unexpected"),
    (_of_database("42703"), 500, "unexpected"),
    (_of_database(None), 500, "unexpected"),
    (_of_database("08006"), 503, "database_away"),
    (_of_database("53300"), 503, "database_away"),
    (_of_database("57P01"), 503, "database_away"),
    (_of_database(None, cut=True), 503, "database_away"),
    (asyncpg.CannotConnectNowError(SECRET), 503, "database_away"),
    (asyncpg.TooManyConnectionsError(SECRET), 503, "database_away"),
    (asyncpg.UndefinedTableError(SECRET), 500, "unexpected"),
    (database.TimeoutError("QueuePool limit of size 10 reached"), 503, "database_away"),
    (ConnectionRefusedError(111, SECRET), 503, "database_away"),
    (OSError(SECRET), 503, "database_away"),
    (TimeoutError(SECRET), 503, "database_away"),
    (FileNotFoundError(2, "No such file", SECRET), 500, "unexpected"),
    (PermissionError(13, "denied", SECRET), 500, "unexpected"),
    (HTTPException(404, SECRET), 404, "not_found"),
    (HTTPException(405, SECRET), 405, "method_not_allowed"),
    (HTTPException(400, SECRET), 400, "malformed_request"),
    (HTTPException(415, SECRET), 400, "malformed_request"),
    (HTTPException(400, "Field exceeded maximum size of 1024KB."), 413, "too_large"),
    (HTTPException(400, "Too many fields. Maximum number of fields is 1000."), 413, "too_large"),
    (_while_reading(TooLarge("too_large", "太大。")), 413, "too_large"),
    (ClientDisconnect(), 400, "malformed_request"),
    (
        RequestValidationError([{"type": "missing", "loc": ("body", "a"), "msg": SECRET, "input": SECRET}]),
        422,
        "invalid",
    ),
    (RuntimeError(SECRET), 500, "unexpected"),
    (KeyError(SECRET), 500, "unexpected"),
    (UnicodeEncodeError("utf-8", SECRET, 0, 1, SECRET), 500, "unexpected"),
    (RecursionError(SECRET), 500, "unexpected"),
]


@pytest.mark.parametrize(
    ("error", "status", "code"), CAUSES, ids=lambda value: value if isinstance(value, str) else type(value).__name__
)
async def test_an_exception_is_answered_and_logged_without_what_it_says(
    error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert as_refusal(error).status == status
    edge = Edge()
    edge.failing = error
    with caplog.at_level(logging.DEBUG):
        async with edge.client() as http, edge.client(accept="text/html") as browser:
            answer = await http.get("/api/edge/failing")
            page = await browser.get("/edge/failing")
    assert (answer.status_code, answer.json()["code"], page.status_code) == (status, code, status)
    written = [record for record in caplog.records if record.name.startswith("shared")]
    for text in (answer.text, page.text, *map(JsonLines().format, written)):
        assert not any(part in text for part in SECRET.split()), text
    lines = [JsonLines().format(record) for record in written if record.name != observed.__name__]
    if status >= 500:
        assert [json.loads(line)["error"] for line in lines] == [type(error).__name__] * 2
    else:
        assert lines == []


async def test_the_log_tells_where_it_broke(caplog: pytest.LogCaptureFixture) -> None:
    edge = Edge()
    async with edge.client() as http:
        await http.get("/api/edge/failing")
    (record,) = [record for record in caplog.records if record.name == "shared.http.problems"]
    assert "edge.py" in json.loads(JsonLines().format(record))["frames"]
