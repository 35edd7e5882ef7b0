"""The gateway before separate processes: what it says itself when the process behind it is away."""

import socket
from collections.abc import Iterator
from functools import partial

import httpx
import pytest

from shared.http.problem_page import problem_page
from shared.http.problems import answering
from shared.runtime.forward import Forward, forwarding_client
from shared.runtime.gateway import Gateway
from shared.settings import CourtSettings

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
