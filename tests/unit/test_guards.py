from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from shared.contracts.texts import LONGEST, TOO_LONG
from shared.http.bodies import FORM, UPLOAD
from shared.http.guards import Strict, cross_site
from shared.http.limits import Limit, Paced
from shared.runtime.launch import front
from shared.runtime.registry import load
from tests.fixtures.edge import Edge

NOTE = {"text": "一"}
MEBIBYTE = b"x" * 1024 * 1024


@pytest.fixture
def edge() -> Edge:
    return Edge()


@pytest.mark.parametrize(
    ("headers", "refused"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, False),
        ({"sec-fetch-site": "none"}, False),
        ({"sec-fetch-site": "same-site"}, True),
        ({"sec-fetch-site": "cross-site"}, True),
        ({"sec-fetch-site": ""}, True),
        ({"sec-fetch-site": "cross-site", "origin": "http://court.example"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil.example"}, False),
        ({"origin": "http://court.example"}, False),
        ({"origin": "https://court.example"}, False),
        ({"origin": "http://evil.example"}, True),
        ({"origin": "http://court.example.evil.example"}, True),
        ({"origin": "http://court.example:8000"}, True),
        ({"origin": "null"}, True),
        ({"sec-fetch-site": "cross-site", "authorization": "Bearer abc"}, False),
        ({"sec-fetch-site": "cross-site", "authorization": "Basic abc"}, True),
        ({"sec-fetch-site": "cross-site", "authorization": "bearer"}, True),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH", "PUT", "DELETE"])
def test_an_unsafe_request_from_another_site_is_told_by_its_headers(
    headers: dict[str, str], refused: bool, method: str
) -> None:
    assert cross_site(Headers({"host": "court.example", **headers}), method) is refused


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_a_safe_request_may_come_from_anywhere(method: str) -> None:
    assert not cross_site(Headers({"host": "court.example", "sec-fetch-site": "cross-site"}), method)


async def test_a_cross_site_post_never_reaches_the_route(edge: Edge) -> None:
    async with edge.client(**{"sec-fetch-site": "cross-site"}) as http:
        refused = await http.post("/api/edge", json=NOTE)
    assert (refused.status_code, refused.json()["code"]) == (403, "cross_site")
    assert edge.seen == []
    async with edge.client(**{"sec-fetch-site": "same-origin"}) as http:
        assert (await http.post("/api/edge", json=NOTE)).status_code == 201
    assert len(edge.seen) == 1


async def test_a_browser_is_refused_with_a_page(edge: Edge) -> None:
    async with edge.client(**{"sec-fetch-site": "cross-site", "accept": "text/html"}) as http:
        refused = await http.post("/edge", data={"a": "b"})
    assert refused.status_code == 403
    assert refused.headers["content-type"].startswith("text/html")
    assert "别的网站" in refused.text


@pytest.mark.parametrize("path", ["/api/edge", "/edge", "/edge/declared"])
async def test_a_body_that_says_it_is_too_large_is_refused_unread(edge: Edge, path: str) -> None:
    async def never() -> AsyncIterator[bytes]:
        edge.seen.append("read")
        yield b"x"

    async with edge.client() as http:
        refused = await http.post(path, content=never(), headers={"content-length": str(FORM + 1)})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert edge.seen == []


async def test_what_no_route_takes_is_refused_by_its_length_too(edge: Edge) -> None:
    async with edge.client() as http:
        refused = await http.post("/nowhere", content=b"x", headers={"content-length": str(UPLOAD + 1)})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert "拆分" in refused.json()["detail"]


async def test_a_text_that_no_field_takes_is_not_even_cleaned(edge: Edge) -> None:
    """Cleaning four million characters took seconds, in which nobody else was answered."""
    async with edge.client() as http:
        refused = await http.post("/api/edge", json={"text": "\u200b" * (LONGEST + 1)})
    assert (refused.status_code, refused.json()["errors"][0]["reason"]) == (422, TOO_LONG)


async def test_the_longest_text_of_a_form_fits_as_a_browser_writes_it(edge: Edge) -> None:
    async with edge.client() as http:
        answer = await http.post("/edge/declared", data={"text": "𠀀" * 5000})
    assert (answer.status_code, answer.json()) == (200, {"length": 5000})


async def test_what_stands_before_the_services_is_limited_too_and_readiness_is_asked_once_a_second() -> None:
    asked = []

    async def readyz(_request: Request) -> Response:
        asked.append(1)
        return Response("ready", 503)

    (app,) = set(front([load("duty_desk")], readyz).values())
    assert isinstance(app, Paced)
    app = Paced(app, Limit(25, 60))
    transport = httpx.ASGITransport(app)  # type: ignore[arg-type]
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as http:
        answers = [await http.get("/readyz") for _ in range(20)]
        assert {(each.status_code, each.text) for each in answers} == {(503, "ready")}
        assert len(asked) <= 2
        statuses = [(await http.get("/healthz")).status_code for _ in range(6)]
        refused = await http.get("/docs")
    assert statuses == [200] * 5 + [429]
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) >= 1


async def _endless(sent: list[int]) -> AsyncIterator[bytes]:
    while True:
        sent.append(len(MEBIBYTE))
        yield MEBIBYTE


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/edge", "application/json"),
        ("/edge", "application/x-www-form-urlencoded"),
        ("/edge", "multipart/form-data; boundary=x"),
        ("/edge/declared", "application/x-www-form-urlencoded"),
    ],
)
async def test_a_chunked_body_is_cut_off_at_the_limit(edge: Edge, path: str, kind: str) -> None:
    sent: list[int] = []
    begin = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' if "multipart" in kind else b"a="

    async def body() -> AsyncIterator[bytes]:
        yield begin
        async for chunk in _endless(sent):
            yield chunk

    async with edge.client() as http:
        refused = await http.post(path, content=body(), headers={"content-type": kind})
    assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert sum(sent) <= FORM + len(MEBIBYTE)


async def test_a_body_of_just_the_limit_passes(edge: Edge) -> None:
    async with edge.client() as http:
        answer = await http.post("/api/edge", content=b" " * (FORM - 12) + b'{"text":"a"}', headers=JSON)
    assert answer.status_code == 201


JSON = {"content-type": "application/json"}


@pytest.mark.parametrize("length", ["-1", "x", "1.5", "", " ", "²", "9" * 5000])
async def test_a_length_that_is_none_is_refused(edge: Edge, length: str) -> None:
    headers = [(b"content-length", length.encode("latin-1")), (b"content-type", b"application/json")]
    async with edge.client() as http:
        refused = await http.post("/api/edge", content=b"{}", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed_request")


@pytest.mark.parametrize("path", ["/api/edge%00", "/api/%00edge", "/%00"])
async def test_nul_in_the_path_is_refused(edge: Edge, path: str) -> None:
    async with edge.client() as http:
        refused = await http.get(path)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")


@pytest.mark.parametrize(("query", "field"), [("q=a%00b", "q"), ("a=1&q=%00", "q"), ("%00", ""), ("q%00=1", "")])
async def test_nul_in_the_query_is_refused_and_named(edge: Edge, query: str, field: str) -> None:
    async with edge.client() as http:
        refused = await http.get(f"/api/edge?{query}")
    assert refused.status_code == 422
    assert [error["field"] for error in refused.json()["errors"]] == [field]


@pytest.mark.parametrize("charset", ["utf-7", "utf-16", "idna", "unicode_escape", "latin-1"])
@pytest.mark.parametrize("spelling", ["charset={}", 'charset="{}"', "charset*=us-ascii''{}", "CHARSET={}"])
async def test_another_charset_than_utf8_is_refused(edge: Edge, charset: str, spelling: str) -> None:
    kind = "multipart/form-data; boundary=x"
    body = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n+2AA-\r\n--x--\r\n'
    async with edge.client() as http:
        named = {"content-type": f"{kind}; {spelling.format(charset)}"}
        refused = await http.post("/edge", content=body, headers=named)
        assert (refused.status_code, refused.json()["code"]) == (400, "charset_not_supported")
        taken = await http.post("/edge", content=body, headers={"content-type": kind})
    assert taken.status_code == 200


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=UTF-8", 'application/json;charset="utf8"']
)
async def test_utf8_may_be_named(edge: Edge, kind: str) -> None:
    async with edge.client() as http:
        assert (
            await http.post("/api/edge", content=b'{"text":"a"}', headers={"content-type": kind})
        ).status_code == 201


SECURE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cache-control": "no-store",
}


async def _answers(edge: Edge) -> list[httpx.Response]:
    edge.failing = ZeroDivisionError("of no concern to anybody")
    async with edge.client() as http, edge.client(**{"sec-fetch-site": "cross-site"}) as foreign:
        page = {"accept": "text/html"}
        return [
            await http.get("/api/edge"),
            await http.get("/api/edge/nothing"),
            await http.put("/api/edge"),
            await http.post("/api/edge", json={}),
            await http.get("/api/edge/me"),
            await http.get("/api/edge/failing"),
            await http.get("/edge/failing", headers=page),
            await http.get("/edge/staff", headers=page),
            await http.get("/api/edge?q=%00"),
            await foreign.post("/api/edge", json=NOTE),
        ]


async def test_every_answer_bears_the_security_headers(edge: Edge) -> None:
    answers = await _answers(edge)
    assert [answer.status_code for answer in answers] == [200, 404, 405, 422, 401, 500, 500, 303, 422, 403]
    for answer in answers:
        policy = answer.headers.get("content-security-policy", "")
        assert "default-src 'self'" in policy, answer
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert {name: answer.headers.get(name) for name in SECURE} == SECURE, answer


@pytest.mark.parametrize(
    "path", ["/docs", "/docs/duty_desk", "/asyncapi", "/static/app.css", "/healthz", "/static/none"]
)
async def test_what_stands_before_the_services_has_the_security_headers_too(path: str) -> None:
    async def readyz(_request: Request) -> Response:
        return Response()

    app = front([load("duty_desk")], readyz)["/docs"]
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://court.test") as http:
        headers = (await http.get(path)).headers
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "cache-control" in headers


async def test_a_site_over_https_tells_browsers_to_stay_there(edge: Edge) -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(Strict(edge.app)), base_url="https://test") as http:
        for path in ("/api/edge", "/nowhere"):
            assert (await http.get(path)).headers["strict-transport-security"] == "max-age=31536000"
    async with edge.client() as http:
        assert "strict-transport-security" not in (await http.get("/api/edge")).headers
