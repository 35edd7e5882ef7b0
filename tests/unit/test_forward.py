"""The gateway before separate processes: what it says itself when the process behind it is away."""

import socket
from collections.abc import Iterator
from functools import partial

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from shared.http.problem_page import problem_page
from shared.http.problems import answering
from shared.runtime.forward import Forward, forwarding_client
from shared.runtime.gateway import Gateway
from shared.settings import CourtSettings
from tests.fixtures.serving import answering as served

WORDS = "系统的这一部分正在重新启动，请过一分钟再试。已经保存的内容不受影响。"
BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"


@pytest.fixture
def nobody() -> Iterator[str]:
    """An address where nobody listens, held so that nobody can."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{held.getsockname()[1]}"


async def _asked(nobody: str, path: str, accept: str) -> httpx.Response:
    async with forwarding_client() as client:
        refused = answering(partial(problem_page, court=CourtSettings()))
        away = Forward(client, [nobody], refused)
        front = httpx.ASGITransport(Gateway({"/cases": away, "/api": away}))
        async with httpx.AsyncClient(transport=front, base_url="http://test", headers={"accept": accept}) as http:
            return await http.get(path)


async def test_a_browser_gets_a_page_while_a_process_is_away(nobody: str) -> None:
    answer = await _asked(nobody, "/cases/1", BROWSER)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-security-policy"].startswith("default-src 'self'")
    assert WORDS in answer.text
    assert "您可以怎么做" in answer.text
    assert CourtSettings().supervision_phone in answer.text
    assert "process_away" not in answer.text


@pytest.mark.parametrize(("path", "accept"), [("/cases/1", "application/json"), ("/api/cases", BROWSER)])
async def test_everybody_else_gets_a_problem(nobody: str, path: str, accept: str) -> None:
    answer = await _asked(nobody, path, accept)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")
    assert answer.headers["content-type"] == "application/problem+json"
    assert (answer.json()["code"], answer.json()["instance"]) == ("process_away", path)


async def _who(request: Request) -> Response:
    """Says which session came; `?name=` begins one."""
    answer = PlainTextResponse(request.cookies.get("session", "nobody"))
    if name := request.query_params.get("name"):
        answer.set_cookie("session", name)
    return answer


async def test_one_visitors_session_never_goes_out_with_anothers_request() -> None:
    app = Starlette(routes=[Route("/who", _who)])
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off")
    async with served(config) as (_, url), forwarding_client() as client:
        refused = answering(partial(problem_page, court=CourtSettings()))
        front = httpx.ASGITransport(Gateway({"/who": Forward(client, [url], refused)}))
        async with httpx.AsyncClient(transport=front, base_url="http://test") as clerk:
            await clerk.get("/who?name=clerk")
            assert (await clerk.get("/who")).text == "clerk"
        async with httpx.AsyncClient(transport=front, base_url="http://test") as stranger:
            assert (await stranger.get("/who")).text == "nobody"
