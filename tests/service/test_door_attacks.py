"""Attacks on sign-in by whoever holds a part of it: an API token, a password, a session that is being taken back."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from services.staff.domain.people import Member
from services.staff.service import SERVICE
from services.staff.store import tables
from services.staff.usecases import sessions, tokens
from services.staff.usecases.admission import caller_for, session_token
from services.staff.usecases.revoking import take_back
from shared.clock import SystemClock
from shared.db.revocations import standing
from shared.errors import Unauthenticated
from shared.powers import IN_PERSON, Action, Role
from shared.runtime.service import Kit, Service
from tests.fixtures.factors import give_factor
from tests.fixtures.kits import client
from tests.service.test_staff_door import NEW, PASSWORD, add, come_in

EMPTY = replace(SERVICE, start=None)
WANTED = {"name": "审判系统：查询案件", "scopes": ["cases.read", "staff.read"], "days": 30}


@pytest.fixture
def service() -> Service:
    return EMPTY


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as http:
        yield http


def bearer(kit: Kit[Any], member: Member) -> dict[str, str]:
    caller = caller_for(member, SystemClock().now(), factor_at=SystemClock().now())
    return {"authorization": f"Bearer {kit.staff_signer.for_staff(caller, timedelta(minutes=5))}"}


async def api_token(kit: Kit[Any], http: httpx.AsyncClient, member: Member) -> str:
    answer = await http.post("/api/staff/tokens", json=WANTED, headers=bearer(kit, member))
    return str(answer.json()["secret"])


async def exchanged(http: httpx.AsyncClient, secret: str) -> httpx.Response:
    return await http.post("/api/staff/tokens/exchange", headers={"authorization": f"Bearer {secret}"})


async def test_an_api_token_and_the_password_open_no_session(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    duty = await add(kit, Role.DUTY)
    secret = await api_token(kit, http, duty)
    system = {"authorization": f"Bearer {(await exchanged(http, secret)).json()['token']}"}
    form = {"old": PASSWORD, "new": NEW, "again": NEW}
    answers = [
        await http.post("/api/staff/password", json={"old": PASSWORD, "new": NEW}, headers=system),
        await http.post("/staff/password", data=form, headers=system),
    ]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["code"] == "in_person_only"
    assert not http.cookies


async def test_a_session_without_a_code_is_not_renewed_for_whoever_has_a_factor(
    kit: Kit[Any], http: httpx.AsyncClient
) -> None:
    """Whether their post asks for one or not."""
    judge = await add(kit, Role.JUDGE)
    await come_in(http, "judge")
    assert (await http.post("/sign-in/refresh")).status_code == 204
    await give_factor(kit, judge)
    assert (await http.post("/sign-in/refresh")).status_code == 401


@pytest.mark.parametrize("way", ["password", "reset", "factor", "everywhere", "barred"])
async def test_what_takes_sign_in_back_takes_the_api_tokens_too(
    kit: Kit[Any], http: httpx.AsyncClient, way: str
) -> None:
    admin, judge = await add(kit, Role.ADMIN), await add(kit, Role.JUDGE)
    await give_factor(kit, judge)
    secret = await api_token(kit, http, judge)
    system = {"authorization": f"Bearer {(await exchanged(http, secret)).json()['token']}"}
    own, office, at = bearer(kit, judge), bearer(kit, admin), f"/api/staff/members/{judge.id}"
    done = {
        "password": lambda: http.post("/api/staff/password", json={"old": PASSWORD, "new": NEW}, headers=own),
        "reset": lambda: http.post(f"{at}/password", headers=office),
        "factor": lambda: http.delete(f"{at}/factor", headers=office),
        "everywhere": lambda: http.post("/api/staff/sign-out-everywhere", headers=own),
        "barred": lambda: http.patch(at, json={"active": False}, headers=office),
    }
    assert (await done[way]()).is_success
    assert (await exchanged(http, secret)).json()["code"] == "api_token_refused"
    taken = await standing(kit.db)
    caller = kit.staff_tokens.staff(system["authorization"].partition(" ")[2])
    assert taken.covers(caller.staff_id, caller.session, caller.born)
    async with client(SERVICE, kit) as office_http:
        await office_http.patch(at, json={"active": True}, headers=office)
        assert (await exchanged(office_http, secret)).json()["code"] == "api_token_refused", "for good"


async def test_the_owner_is_shown_an_api_token_that_a_stolen_session_made(
    kit: Kit[Any], http: httpx.AsyncClient
) -> None:
    judge = await add(kit, Role.JUDGE)
    await api_token(kit, http, judge)
    assert (await come_in(http, "judge")).headers["location"].startswith("/staff/notices")
    page = await http.get("/staff/notices", headers={"accept": "text/html"})
    assert ("新建访问令牌" in page.text, WANTED["name"] in page.text) == (True, True)


async def test_what_is_done_in_person_is_never_handed_on(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    """Not asked for anew; and what an older release let a token carry is worth nothing."""
    for role in Role:
        member = await add(kit, role)
        mine = caller_for(member, SystemClock().now())
        assert not IN_PERSON & set(tokens.offered(mine))
        every = frozenset(Action)
        assert not any(replace(mine, scopes=every).can(action) for action in IN_PERSON)
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(tables.api_tokens).values(scopes=[*Action]))
    scopes = [*IN_PERSON]
    for scope in scopes:
        asked = WANTED | {"scopes": [scope]}
        assert (await http.post("/api/staff/tokens", json=asked, headers=bearer(kit, member))).status_code == 422


async def test_no_token_is_minted_past_a_revocation_that_is_under_way(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    judge = await add(kit, Role.JUDGE)
    secret = await api_token(kit, http, judge)
    await come_in(http, "judge")
    refresh = next(cookie.value for cookie in http.cookies.jar if cookie.name == "yg_refresh")

    async def renewed() -> str:
        return session_token(kit, await sessions.renew(kit, refresh))

    async def swapped() -> str:
        return (await tokens.exchange(kit, secret))[0]

    async with kit.db.begin() as tx:
        await take_back(tx, judge.id, judge.id)
        minting = [asyncio.create_task(renewed()), asyncio.create_task(swapped())]
        await asyncio.wait(minting, timeout=0.3)
    taken = await standing(kit.db)
    for minted in await asyncio.gather(*minting, return_exceptions=True):
        if isinstance(minted, str):
            caller = kit.staff_tokens.staff(minted)
            assert taken.covers(caller.staff_id, caller.session, caller.born), "it outlives what took it back"
        else:
            assert isinstance(minted, Unauthenticated)


async def test_a_session_just_taken_back_makes_nothing_that_lasts(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    """A process looks at what was taken back every two seconds; an API token would last a year."""
    judge = await add(kit, Role.JUDGE)
    own = bearer(kit, judge)
    assert (await http.get("/api/staff/me", headers=own)).status_code == 200
    async with kit.db.begin() as tx:
        await take_back(tx, judge.id, judge.id)
    answer = await http.post("/api/staff/tokens", json=WANTED, headers=own)
    assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")
