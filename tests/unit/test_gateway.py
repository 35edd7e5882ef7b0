"""The embedded gateway: which service a path goes to, and what it answers itself."""

import httpx
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from shared.runtime.gateway import Gateway, matches, paths_of
from shared.runtime.registry import load, service_names


def _named(name: str) -> ASGIApp:
    return PlainTextResponse(name)


PATHS = {
    "cases": ["/api/cases", "/cases"],
    "notices": ["/api/notices", "/p", "/"],
    "stages": ["/stages", "/stages/deep"],
    "deep": ["/stages/deep/er"],
}
GATEWAY = Gateway({prefix: _named(name) for prefix, name in paths_of(PATHS).items()})


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(GATEWAY), base_url="http://test")


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/", "notices"),
        ("/cases", "cases"),
        ("/cases/1/edit", "cases"),
        ("/cases?next=/p", "cases"),
        ("/api/cases/（2026）渝05执1号", "cases"),
        ("/p", "notices"),
        ("/p/home", "notices"),
        ("/stages/deep", "stages"),
        ("/stages/deep/er", "deep"),
        ("/stages/deep/er/est", "deep"),
        ("/stages/deeper", "stages"),
    ],
)
async def test_the_longest_prefix_wins(path: str, service: str) -> None:
    async with _client() as http:
        assert (await http.get(path)).text == service


NOBODYS = ["/casesx", "/case", "/CASES", "/api", "/api/case", "/x", "/%00"]


@pytest.mark.parametrize("path", NOBODYS)
async def test_what_nobody_owns_the_service_at_home_refuses_in_words(path: str) -> None:
    async with _client() as http:
        assert (await http.get(path)).text == "notices"


@pytest.mark.parametrize("path", NOBODYS)
async def test_without_a_home_the_gateway_refuses_itself(path: str) -> None:
    homeless = Gateway({"/cases": _named("cases")})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(homeless), base_url="http://test") as http:
        assert (await http.get(path)).status_code == 404


@pytest.mark.parametrize("path", ["/cases/%2e%2e/api/notices", "/cases/%2e/x", "/%2e%2e", "/cases/..%2fp"])
async def test_what_climbs_is_not_found(path: str) -> None:
    async with _client() as http:
        answer = await http.get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/cases/1..2", "/cases/.well-known", "/cases/a.b"])
async def test_dots_within_a_name_pass(path: str) -> None:
    async with _client() as http:
        assert (await http.get(path)).text == "cases"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/cases/", "/cases"),
        ("/cases///", "/cases"),
        ("/cases/?q=%E6%A1%88&cursor=1", "/cases?q=%E6%A1%88&cursor=1"),
        ("//evil.example/", "/evil.example"),
        ("///evil.example//", "/evil.example"),
        ("/%5Cevil.example/", "/%5Cevil.example"),
        ("/%0d%0aset-cookie:a=b/", "/%0D%0Aset-cookie%3Aa%3Db"),
        ("/a%3Fb/", "/a%3Fb"),
        ("//", "/"),
    ],
)
async def test_a_slash_at_the_end_leads_to_the_same_page_of_this_site(path: str, target: str) -> None:
    scope = {"type": "http", "method": "GET", "headers": [], "root_path": "", "scheme": "http"}
    url = (
        httpx.URL("http://test" + path)
        if not path.startswith("//")
        else httpx.URL("http://test").copy_with(raw_path=path.encode())
    )
    heard: list[dict[str, object]] = []

    async def send(message: object) -> None:
        assert isinstance(message, dict)
        heard.append(message)

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    await GATEWAY({**scope, "path": url.path, "query_string": url.query}, receive, send)
    headers = dict(heard[0]["headers"])  # type: ignore[call-overload]
    assert (heard[0]["status"], headers[b"location"].decode()) == (308, target)


async def test_only_reading_is_redirected() -> None:
    async with _client() as http:
        assert (await http.post("/cases/")).text == "cases"


def test_a_prefix_has_one_owner() -> None:
    with pytest.raises(ValueError, match="/cases is claimed by a and b"):
        paths_of({"a": ["/cases"], "b": ["/cases"]})


def test_a_prefix_ends_at_a_slash() -> None:
    assert matches("/p", "/p")
    assert matches("/p/x", "/p")
    assert not matches("/px", "/p")
    assert matches("/", "/")
    assert not matches("/x", "/")


def test_the_names_of_the_services_lead_to_themselves() -> None:
    assert [load(name).name for name in service_names()] == service_names()
    with pytest.raises(KeyError):
        load("nobody")
