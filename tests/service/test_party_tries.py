"""Tries at the party's door and at the pages that ask for less: one count, and no easier secret clears it."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from services.party_notification.service import SERVICE
from shared.contracts.cases import PartyFacts
from shared.crypto.slow import LINE
from shared.db.tables import wrong_tries
from shared.runtime.service import Kit
from tests.fixtures.case_story import APPLICANT, RESPONDENT, Story, person
from tests.fixtures.kits import client

ASKS = {
    "/p": {"code": "", "last_six": "060005"},
    "/verify": {"number": "", "last_four": "0005"},
    "/p/not-me": {"reference": "", "contact": "0005"},
}


@pytest.fixture
def story(kit: Kit[Any]) -> Story:
    return Story(kit)


@pytest.fixture
async def web(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as web:
        web.headers["accept"] = "text/html"
        yield web


@pytest.fixture
async def code(story: Story) -> str:
    applicant: PartyFacts = person(APPLICANT, "刘艳", 5)
    await story.file(applicant, person(RESPONDENT, "张静", 6))
    return await story.code(applicant)


async def ask(web: httpx.AsyncClient, page: str, code: str, **typed: str) -> int:
    """The answer's status: the secret that the page asks for is the right one unless another is typed."""
    form = {name: value or code for name, value in ASKS[page].items()}
    return (await web.post(page, data=form | typed)).status_code


@pytest.mark.parametrize("page", ["/verify", "/p/not-me"])
async def test_the_easier_secret_buys_no_more_tries_at_the_harder_one(
    web: httpx.AsyncClient, code: str, page: str
) -> None:
    guesses = [await ask(web, "/p", code, last_six=f"0600{end}") for end in (10, 11, 12, 13)]
    assert guesses == [422] * 4
    assert [await ask(web, page, code) for _ in range(3)] != [429] * 3
    assert await ask(web, "/p", code, last_six="060014") == 422
    assert await ask(web, "/p", code, last_six="060015") == 429
    assert await ask(web, "/p", code) == 429


@pytest.mark.parametrize("page", ["/verify", "/p/not-me"])
async def test_right_answers_alone_lock_nobody_out(web: httpx.AsyncClient, code: str, page: str) -> None:
    assert await ask(web, "/p", code, last_six="060010") == 422
    answers = {await ask(web, page, code) for _ in range(7)}
    assert 429 not in answers
    assert await ask(web, "/p", code) == 303


async def test_who_opens_the_door_begins_anew(web: httpx.AsyncClient, code: str) -> None:
    for _ in range(2):
        assert [await ask(web, "/verify", code, last_four="9999") for _ in range(4)] == [422] * 4
        assert await ask(web, "/p", code) == 303


@asynccontextmanager
async def _full_line() -> AsyncIterator[None]:
    """Nobody who is not known finds a place."""
    gate = threading.Event()
    held = [asyncio.create_task(LINE.run(gate.wait)) for _ in range(LINE.places)]
    await asyncio.sleep(0)
    try:
        yield
    finally:
        gate.set()
        await asyncio.gather(*held)


@pytest.mark.parametrize("page", list(ASKS))
async def test_a_busy_line_is_no_wrong_try(story: Story, web: httpx.AsyncClient, code: str, page: str) -> None:
    async with _full_line():
        assert [await ask(web, page, code) for _ in range(6)] == [429] * 6
    assert [row.tried for row in await story.rows(wrong_tries)] == [0]
    assert await ask(web, page, code) in {200, 303, 422}
