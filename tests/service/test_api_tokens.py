"""Tokens for other systems: hashed, scoped, ending, taken back; and what is kept of what was done at the door."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select, update

from services.staff.domain.people import Member
from services.staff.service import SERVICE
from services.staff.store import tables
from services.staff.usecases.admission import caller_for
from shared.clock import SystemClock
from shared.db.revocations import standing
from shared.http.access import Access
from shared.powers import Role
from shared.runtime.service import Kit, Service
from tests.fixtures.kits import app_of, client
from tests.service.test_staff_door import NEW, add, come_in

EMPTY = replace(SERVICE, start=None)
WANTED = {"name": "审判系统：查询案件", "scopes": ["cases.read", "staff.read"], "days": 30}


@pytest.fixture
def service() -> Service:
    return EMPTY


def signed_in(kit: Kit[Any], member: Member) -> httpx.AsyncClient:
    http = client(SERVICE, kit)
    caller = caller_for(member, SystemClock().now())
    http.headers["authorization"] = f"Bearer {kit.staff_signer.for_staff(caller, timedelta(minutes=5))}"
    return http


async def bearer_for(kit: Kit[Any], secret: str) -> httpx.Response:
    async with client(SERVICE, kit) as system:
        return await system.post("/api/staff/tokens/exchange", headers={"authorization": f"Bearer {secret}"})


async def test_a_token_does_what_its_scopes_name_and_nothing_else(kit: Kit[Any]) -> None:
    judge = await add(kit, Role.JUDGE)
    async with signed_in(kit, judge) as http:
        made = await http.post("/api/staff/tokens", json=WANTED)
        assert made.status_code == 201
        secret = made.json()["secret"]
        answer = await bearer_for(kit, secret)
        assert 0 < answer.json()["expires_in"] <= 900
        system = {"authorization": f"Bearer {answer.json()['token']}"}
        assert (await http.get("/api/staff/me", headers=system)).json()["login"] == "judge"
        caller = kit.staff_tokens.staff(answer.json()["token"])
        assert (caller.can("cases.read"), caller.can("stages.act")) == (True, False)
        for personal in ("/api/staff/tokens", "/api/staff/sign-out-everywhere", "/api/staff/password"):
            refused = await http.post(personal, json=WANTED, headers=system)
            assert (refused.status_code, refused.json()["code"]) == (403, "in_person_only")
        listed = (await http.get("/api/staff/tokens")).json()["items"]
        assert [(each["name"], each["scopes"], bool(each["last_used_at"])) for each in listed] == [
            (WANTED["name"], WANTED["scopes"], True)
        ]
        assert "secret" not in listed[0]
    async with kit.db.read() as conn:
        (kept,) = (await conn.execute(select(tables.api_tokens))).all()
    assert secret not in str(kept)


async def test_a_route_out_of_scope_is_refused(kit: Kit[Any]) -> None:
    admin = await add(kit, Role.ADMIN)
    async with signed_in(kit, admin) as http:
        secret = (await http.post("/api/staff/tokens", json=WANTED | {"scopes": ["staff.watch"]})).json()["secret"]
        system = {"authorization": f"Bearer {(await bearer_for(kit, secret)).json()['token']}"}
        answer = await http.get("/api/staff/me", headers=system)
        assert (answer.status_code, answer.json()["code"]) == (403, "out_of_scope")


async def test_nobody_hands_on_what_they_may_not_do_themselves(kit: Kit[Any]) -> None:
    judge = await add(kit, Role.JUDGE)
    async with signed_in(kit, judge) as http:
        for scopes in (["cases.file"], ["staff.manage"], [], ["emperor"]):
            answer = await http.post("/api/staff/tokens", json=WANTED | {"scopes": scopes})
            assert answer.status_code == 422, scopes
        assert (await http.post("/api/staff/tokens", json=WANTED | {"days": 367})).status_code == 422
        assert (await http.get("/api/staff/tokens")).json()["items"] == []


async def test_what_was_taken_back_is_worth_nothing_within_seconds(kit: Kit[Any]) -> None:
    judge = await add(kit, Role.JUDGE)
    async with signed_in(kit, judge) as http:
        made = (await http.post("/api/staff/tokens", json=WANTED)).json()
        system = {"authorization": f"Bearer {(await bearer_for(kit, made['secret'])).json()['token']}"}
        assert (await http.delete(f"/api/staff/tokens/{made['id']}")).status_code == 204
        assert (await bearer_for(kit, made["secret"])).json()["code"] == "api_token_refused"
        app_of(SERVICE, kit).state.access = Access(lambda: standing(kit.db))  # two seconds later
        async with client(SERVICE, kit) as later:
            assert (await later.get("/api/staff/me", headers=system)).json()["code"] == "signed_out"
        assert (await http.get("/api/staff/me")).status_code == 200, "the owner stays"


async def test_an_end_is_an_end_and_a_stranger_takes_nothing_back(kit: Kit[Any]) -> None:
    judge, chief = await add(kit, Role.JUDGE), await add(kit, Role.CHIEF)
    async with signed_in(kit, judge) as http, signed_in(kit, chief) as other:
        made = (await http.post("/api/staff/tokens", json=WANTED)).json()
        assert (await other.delete(f"/api/staff/tokens/{made['id']}")).status_code == 404
        assert (await other.get("/api/staff/tokens")).json()["items"] == []
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(tables.api_tokens).values(ends_at=func.now()))
    assert (await bearer_for(kit, made["secret"])).status_code == 401
    assert (await bearer_for(kit, "ygt_made-up")).status_code == 401


async def test_the_page_makes_a_token_and_takes_it_back(kit: Kit[Any]) -> None:
    judge = await add(kit, Role.JUDGE)
    async with signed_in(kit, judge) as http:
        http.headers["accept"] = "text/html"
        faulty = await http.post("/staff/tokens", data={"name": "审判系统", "days": "0"})
        assert (faulty.status_code, 'value="审判系统"' in faulty.text) == (422, True)
        made, again = [await http.post("/staff/tokens", data={**WANTED, "_once": "key"}) for _ in range(2)]
        assert (again.status_code, "已经创建" in again.text, "ygt_" in again.text) == (409, True, False)
        assert (made.status_code, "ygt_" in made.text, "只在此处显示一次" in made.text) == (200, True, True)
        async with kit.db.read() as conn:
            token_id = (await conn.execute(select(tables.api_tokens.c.id))).scalar_one()
        done = await http.post(f"/staff/tokens/{token_id}/revoke")
        page = (await http.get(done.headers["location"])).text
        assert ("已撤销" in page, "ygt_" in page) == (True, False)


async def test_the_administrator_becomes_nobody_unseen(kit: Kit[Any]) -> None:
    """The owner is shown the reset at the next sign-in and may disown it; the integrity office looks into both."""
    admin, judge, watcher = await add(kit, Role.ADMIN), await add(kit, Role.JUDGE), await add(kit, Role.INTEGRITY)
    async with signed_in(kit, admin) as http:
        reset = await http.post(f"/api/staff/members/{judge.id}/password")
    async with client(SERVICE, kit) as owner:
        owner.headers["accept"] = "text/html"
        came = await come_in(owner, "judge", reset.json()["initial_password"], new_password=NEW, again=NEW)
        assert came.headers["location"] == "/staff/notices?next=%2Fwork"
        page = await owner.get(came.headers["location"])
        assert ("密码被重置" in page.text, admin.name in page.text) == (True, True)
        done = await owner.post("/staff/notices", data={"answer": "disowned", "next": "/work"})
        assert done.headers["location"] == "/work"
        again = await come_in(owner, "judge", NEW)
        assert again.headers["location"] == "/staff/notices?next=%2Fwork", "for 30 days: who saw it may be another"
    async with signed_in(kit, watcher) as http:
        http.headers["accept"] = "text/html"
        page = (await http.get("/staff/record")).text
        assert page.count('/review"') == 2
        assert "本人称重置并非其要求" in page
        async with kit.db.read() as conn:
            first, second = (await conn.execute(select(tables.door_events.c.id).order_by("id"))).scalars()
        for event_id in (first, second):
            assert (await http.post(f"/staff/record/{event_id}/review")).status_code == 303
        assert (await http.post(f"/staff/record/{first}/review")).status_code == 404
        assert "没有待核对的记录" in (await http.get("/staff/record")).text
    async with signed_in(kit, admin) as http:
        assert (await http.get("/staff/record")).status_code == 200
        assert (await http.post(f"/staff/record/{first}/review")).status_code == 403, "nobody looks into themselves"
