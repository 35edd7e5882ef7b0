"""Signing in, staying in, going out."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, update

from services.staff.domain.factor import is_required
from services.staff.domain.people import GUARDED, Member
from services.staff.service import SERVICE
from services.staff.store import tables
from services.staff.usecases.members import change_member, enrol
from services.staff.usecases.passwords import hashed
from shared.db.tables import wrong_tries
from shared.db.transaction import new_id
from shared.db.tries import LOCK
from shared.http.versions import Edit
from shared.powers import POSTS, Role
from shared.runtime.service import Kit, Service
from tests.fixtures.factors import give_factor, recovery_code
from tests.fixtures.kits import client

PASSWORD, NEW = "kx7m-9qfw-2hcd", "  spaces count too  "
HTML = {"accept": "text/html"}
EMPTY = replace(SERVICE, start=None)
BY_ADMIN = Edit(new_id(), None)


async def add(kit: Kit[Any], role: Role, *, must_change: bool = False, login: str = "") -> Member:
    post = POSTS[role]
    member = Member(
        id=new_id(),
        login=login or role.value,
        name=post.title,
        phone="023-12345701",
        department=post.department,
        panel=None,
        roles=(role,),
        court="渝05",
        active=True,
        must_change=must_change,
    )
    password_hash = await hashed(kit.hasher, PASSWORD)
    async with kit.db.begin() as tx:
        assert await enrol(tx, member, password_hash)
    if is_required(member.roles):
        await give_factor(kit, member)
    return member


@pytest.fixture
def service() -> Service:
    return EMPTY


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as http:
        http.headers.update(HTML)
        yield http


async def come_in(
    http: httpx.AsyncClient, login: str = "clerk", password: str = PASSWORD, **more: str
) -> httpx.Response:
    """By password, and where the post asks for it by a code that was never used."""
    if login in GUARDED:
        more = {"code": recovery_code()} | more
    return await http.post("/sign-in", data={"login": login, "password": password, **more})


async def edit(kit: Kit[Any], table: Any, **values: Any) -> None:
    async with kit.db.begin() as tx:
        assert (await tx.conn.execute(update(table).values(**values))).rowcount > 0


async def test_the_door_opens_with_cookies_that_scripts_cannot_read(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    page = await http.get("/sign-in?next=/cases/1")
    assert page.status_code == 200
    assert 'value="/cases/1"' in page.text
    answer = await come_in(http, " CLERK ", next="/cases/1?tab=log")
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases/1?tab=log")
    cookies = sorted(answer.headers.get_list("set-cookie"))
    assert [cookie.split("=")[0] for cookie in cookies] == ["yg_device", "yg_refresh", "yg_refresh", "yg_session"]
    assert all("HttpOnly" in cookie and "SameSite=lax" in cookie and "Secure" not in cookie for cookie in cookies)
    assert ["Path=/sign-in" in cookies[1], "Path=/sign-out" in cookies[2], "Path=/" in cookies[3]] == [True] * 3
    caller = kit.staff_tokens.staff(http.cookies["yg_session"])
    assert (caller.login, caller.roles, caller.title) == ("clerk", frozenset({Role.CLERK}), "立案人员")
    me = await http.get("/api/staff/me")
    assert (me.json()["login"], me.json()["roles"]) == ("clerk", ["clerk"])


async def test_cookies_are_secure_where_the_site_is(kit: Kit[Any]) -> None:
    await add(kit, Role.CLERK)
    behind_tls = replace(kit, run=kit.run.model_copy(update={"site_url": "https://zhixing.court.example"}))
    async with client(SERVICE, behind_tls) as http:
        answer = await come_in(http)
    assert all("Secure" in cookie for cookie in answer.headers.get_list("set-cookie"))


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"])
async def test_nobody_is_led_to_another_site(kit: Kit[Any], http: httpx.AsyncClient, target: str) -> None:
    await add(kit, Role.CLERK)
    assert (await come_in(http, next=target)).headers["location"] == "/cases"
    renewed = await http.get("/sign-in/refresh", params={"next": target})
    assert renewed.headers["location"] == "/cases"


async def test_another_site_signs_nobody_in(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    http.headers["sec-fetch-site"] = "cross-site"
    answer = await come_in(http)
    assert answer.status_code == 403
    assert "set-cookie" not in answer.headers


async def test_the_answer_never_tells_whether_a_login_exists(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    member = await add(kit, Role.CLERK)
    known, unknown = await come_in(http, "clerk", "wrong"), await come_in(http, "nobody", "wrong")
    assert known.status_code == unknown.status_code == 401
    assert known.text.replace("clerk", "nobody") == unknown.text
    assert "登录名或密码不正确" in known.text
    await change_member(kit, member.id, {"active": False}, BY_ADMIN)
    barred = await come_in(http, "clerk", PASSWORD)
    assert (barred.status_code, barred.text) == (401, known.text)
    for answer in (known, unknown, barred):
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("login", ["clerk", "nobody"])
async def test_five_wrong_tries_lock_that_login_alone(kit: Kit[Any], http: httpx.AsyncClient, login: str) -> None:
    await add(kit, Role.CLERK)
    await add(kit, Role.JUDGE)
    assert [(await come_in(http, login, "wrong")).status_code for _ in range(5)] == [401] * 5
    refused = await come_in(http, login, PASSWORD)
    assert refused.status_code == 429
    assert 0 < int(refused.headers["retry-after"]) <= LOCK.total_seconds()
    assert "15分钟后再试" in refused.text
    assert (await come_in(http, "judge")).status_code == 303
    await edit(kit, wrong_tries, last_at=func.now() - LOCK - timedelta(seconds=1))
    assert (await come_in(http, login, PASSWORD)).status_code == (303 if login == "clerk" else 401)


async def test_the_right_password_forgets_the_wrong_tries(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    for _ in range(2):
        assert [(await come_in(http, password="wrong")).status_code for _ in range(4)] == [401] * 4
        assert (await come_in(http)).status_code == 303


async def test_tries_at_the_same_instant_do_not_outrun_the_lock(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    answers = await asyncio.gather(*(come_in(http, password="wrong") for _ in range(9)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 4


async def test_what_was_typed_is_kept_but_never_a_password(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    answer = await http.post("/sign-in", data={"login": "clerk", "next": "/cases"})
    assert answer.status_code == 422
    assert 'value="clerk"' in answer.text
    assert 'value="/cases"' in answer.text
    assert "此项必填" in answer.text
    assert "secret-word" not in (await come_in(http, "clerk", "secret-word")).text


async def test_a_page_whose_token_ran_out_is_renewed_and_goes_on(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.ADMIN)
    await come_in(http, "admin")
    http.cookies.delete("yg_session")
    away = await http.get("/staff?state=active&x=%E6%A1%88")
    assert away.status_code == 303
    back = await http.get(away.headers["location"])
    assert back.headers["location"] == "/staff?state=active&x=%E6%A1%88"
    assert (await http.get(back.headers["location"])).status_code == 200
    http.cookies.delete("yg_session")
    assert (await http.post("/sign-in/refresh")).status_code == 204
    assert (await http.get("/api/staff/me")).status_code == 200


async def test_who_cannot_renew_is_shown_the_door(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    member = await add(kit, Role.CLERK)
    assert (await http.get("/sign-in/refresh?next=/a%3Fb=c")).headers["location"] == "/sign-in?next=%2Fa%3Fb%3Dc"
    await come_in(http)
    await change_member(kit, member.id, {"active": False}, BY_ADMIN)
    assert (await http.post("/sign-in/refresh")).status_code == 401
    await change_member(kit, member.id, {"active": True}, BY_ADMIN)
    assert (await http.post("/sign-in/refresh")).status_code == 401, "barring ends sessions for good"
    await come_in(http)
    await edit(kit, tables.sessions, expires_at=func.now())
    assert (await http.post("/sign-in/refresh")).status_code == 401
    assert (await http.get("/sign-in/refresh?next=/cases")).headers["location"] == "/sign-in?next=%2Fcases"


async def test_a_new_post_shows_at_the_next_renewal(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    member = await add(kit, Role.JUDGE)
    await come_in(http, "judge")
    await change_member(kit, member.id, {"roles": (Role.PRESIDING,)}, BY_ADMIN)
    await http.post("/sign-in/refresh")
    assert kit.staff_tokens.staff(http.cookies["yg_session"]).roles == frozenset({Role.PRESIDING})


async def test_going_out_ends_the_session_and_no_other(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    await come_in(http)
    async with client(SERVICE, kit) as elsewhere:
        await come_in(elsewhere)
        secret = http.cookies.get("yg_refresh", path="/sign-in")
        answer = await http.post("/sign-out")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert [cookie.name for cookie in http.cookies.jar] == ["yg_device"]
        stolen = await http.post("/sign-in/refresh", headers={"cookie": f"yg_refresh={secret}"})
        assert stolen.status_code == 401
        assert (await elsewhere.post("/sign-in/refresh")).status_code == 204
    assert (await http.post("/sign-out")).status_code == 303, "twice does no harm"


async def test_an_initial_password_opens_only_to_a_new_one(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK, must_change=True)
    for _ in range(6):
        asked = await come_in(http)
        assert asked.status_code == 409
        assert 'name="new_password"' in asked.text
        assert "set-cookie" not in asked.headers
    weak = await come_in(http, new_password=PASSWORD, again="something else")
    assert "两次输入的新密码不一致" in weak.text
    weak = await come_in(http, new_password=PASSWORD, again=PASSWORD)
    assert (weak.status_code, "新密码不能与原密码相同" in weak.text) == (422, True)
    assert (await come_in(http, new_password=NEW)).status_code == 422, "the new password is typed twice"
    answer = await come_in(http, new_password=NEW, again=NEW)
    assert (answer.status_code, answer.headers["location"]) == (303, "/cases")
    assert (await come_in(http)).status_code == 401
    assert (await come_in(http, password=NEW)).status_code == 303


async def test_ones_own_password_ends_every_other_session(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    async with client(SERVICE, kit) as elsewhere:
        await come_in(elsewhere)
        await come_in(http)
        wrong = await http.post("/staff/password", data={"old": "wrong", "new": "short", "again": "short"})
        assert wrong.status_code == 422
        assert "原密码不正确" in wrong.text
        assert "密码至少12个字符" in wrong.text
        done = await http.post("/staff/password", data={"old": PASSWORD, "new": NEW, "again": NEW})
        assert done.headers["location"] == "/staff/password?changed=1"
        assert "密码已修改" in (await http.get(done.headers["location"])).text
        assert (await http.post("/sign-in/refresh")).status_code == 204
        assert (await elsewhere.post("/sign-in/refresh")).status_code == 401
    assert (await come_in(http, password=NEW)).status_code == 303
