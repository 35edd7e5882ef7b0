"""A stolen password alone opens nothing where most could be done; a lost telephone keeps nobody out for good."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from services.staff.domain.factor import ENROLMENT
from services.staff.domain.people import GUARDED, Member
from services.staff.service import SERVICE
from services.staff.store import tables
from services.staff.store.record import Wanted
from services.staff.usecases import record
from services.staff.usecases.enrolment import hand_out
from services.staff.usecases.members import reset_factor
from services.staff.usecases.seeds import factor_name, seed
from shared.clock import SystemClock
from shared.contracts.staff import AccessRevoked
from shared.db.lists import Part
from shared.db.tables import wrong_tries
from shared.db.tries import LOCK, TRIES
from shared.powers import POSTS, Role
from shared.runtime.secrets import secret_path
from shared.runtime.service import Kit, Service
from tests.fixtures.factors import SECRET, code_now, give_factor, recovery_code
from tests.fixtures.kits import as_owner, client, told
from tests.fixtures.page_forms import MEMBER
from tests.service.test_staff_door import HTML, NEW, PASSWORD, add, come_in

EMPTY = replace(SERVICE, start=None)
COOKIE = "yg_session"
WRONG = "000000"


@pytest.fixture
def service() -> Service:
    return EMPTY


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as http:
        http.headers.update(HTML)
        yield http


@pytest.fixture
async def duty(kit: Kit[Any]) -> Member:
    return await add(kit, Role.DUTY)


@pytest.fixture
async def newcomer(kit: Kit[Any]) -> Member:
    """A duty officer who has no second factor yet."""
    member = await add(kit, Role.DUTY)
    async with kit.db.begin() as tx:
        await tx.conn.execute(tables.recovery_codes.delete())
        await tx.conn.execute(tables.factors.delete())
    return member


async def give_password(http: httpx.AsyncClient, login: str = "duty", **more: str) -> httpx.Response:
    return await http.post("/sign-in", data={"login": login, "password": PASSWORD, **more})


def hidden(page: str, name: str) -> str:
    return unescape(page.split(f'name="{name}" value="')[1].split('"', maxsplit=1)[0])


def secret_in(page: str) -> str:
    return page.split('class="mono secret">')[1].split("<", maxsplit=1)[0].replace(" ", "")


def recovery_in(page: str) -> list[str]:
    return re.findall(r"<li>(\d{4}-\d{4}-\d{4})</li>", page)


def is_in(http: httpx.AsyncClient) -> bool:
    return COOKIE in {cookie.name for cookie in http.cookies.jar}


async def granted(kit: Kit[Any], member: Member) -> str:
    async with kit.db.begin() as tx:
        return await hand_out(tx, member.id)


def granted_in(page: str) -> str:
    return page.split('启用码 <strong class="mono">')[1].split("<", maxsplit=1)[0]


async def events(kit: Kit[Any]) -> list[tuple[str, str]]:
    found, _ = await record.look(kit, Wanted(), Part())
    return [(event.kind.value, event.doer) for event in found]


async def test_a_stolen_password_alone_gets_no_session(kit: Kit[Any], http: httpx.AsyncClient, duty: Member) -> None:
    asked = await give_password(http, next="/desk")
    assert ("输入验证码" in asked.text, "set-cookie" in asked.headers) == (True, False)
    api = await http.post("/api/staff/sign-in", json={"login": "duty", "password": PASSWORD})
    assert (api.status_code, api.json()["code"], "token" in api.json()) == (401, "code_needed", False)
    ticket = {"passed": hidden(asked.text, "passed"), "next": "/desk"}
    for code in (WRONG, "", code_now(around=-3), code_now(around=3)):
        refused = await http.post("/sign-in/code", data={**ticket, "code": code})
        assert (refused.status_code in {401, 422}, is_in(http)) == (True, False)
    for path in ("/staff/factor", "/api/staff/me", "/sign-in/code"):
        assert (await http.get(path)).status_code in {303, 401}
    assert (await http.post("/sign-in/refresh")).status_code == 401
    assert (await http.post("/sign-in/enrol", data={**ticket, "offer": "x", "code": WRONG})).status_code in {409, 422}
    assert not is_in(http)
    answer = await http.post("/sign-in/code", data={**ticket, "code": code_now()})
    assert (answer.status_code, answer.headers["location"], is_in(http)) == (303, "/desk", True)


async def test_a_code_is_good_once(kit: Kit[Any], http: httpx.AsyncClient, duty: Member) -> None:
    code = code_now()
    assert (await give_password(http, code=code)).status_code == 303
    async with client(SERVICE, kit) as thief:
        assert (await give_password(thief, code=code)).status_code == 401
        assert (await give_password(thief, code=code_now(around=-1))).status_code == 401, "nor an older one"
        given = {"login": "duty", "password": PASSWORD, "code": code}
        assert (await thief.post("/api/staff/sign-in", json=given)).json()["code"] == "wrong_code"
        given["code"] = recovery_code()
        assert (await thief.post("/api/staff/sign-in", json=given)).status_code == 200
        assert (await thief.post("/api/staff/sign-in", json=given)).json()["code"] == "wrong_code"
    assert ("recovery_used", duty.name) in await events(kit)


async def test_a_token_says_when_the_code_was_given_by_the_real_clock(
    kit: Kit[Any], http: httpx.AsyncClient, duty: Member
) -> None:
    """The product's clock stands elsewhere: telephones do not follow it."""
    assert abs(kit.clock.now() - SystemClock().now()) > timedelta(hours=1)
    given = {"login": "duty", "password": PASSWORD, "code": code_now()}
    token = (await http.post("/api/staff/sign-in", json=given)).json()["token"]
    await come_in(http, "duty")
    for shown in (token, http.cookies[COOKIE]):
        given_at = kit.staff_tokens.staff(shown).factor_at
        assert given_at is not None
        assert timedelta(0) <= SystemClock().now() - given_at < timedelta(minutes=1)
    before = kit.staff_tokens.staff(http.cookies[COOKIE]).factor_at
    await http.post("/sign-in/refresh")
    assert kit.staff_tokens.staff(http.cookies[COOKIE]).factor_at == before, "a renewal is no code"


async def test_who_has_none_comes_in_by_password_where_the_post_allows_it(
    kit: Kit[Any], http: httpx.AsyncClient
) -> None:
    await add(kit, Role.CLERK)
    assert (await come_in(http)).status_code == 303
    assert kit.staff_tokens.staff(http.cookies[COOKIE]).factor_at is None


async def test_a_required_post_without_a_factor_reaches_the_enrolment_alone(
    kit: Kit[Any], http: httpx.AsyncClient, newcomer: Member
) -> None:
    api = await http.post("/api/staff/sign-in", json={"login": "duty", "password": PASSWORD, "code": WRONG})
    assert (api.status_code, api.json()["code"]) == (401, "factor_due")
    page = await give_password(http, next="/desk/wall")
    assert ("启用两步验证" in page.text, "data:image/png" in page.text, is_in(http)) == (True, True, False)
    form = {name: hidden(page.text, name) for name in ("passed", "offer", "next")}
    form["granted"] = await granted(kit, newcomer)
    again = await http.post("/sign-in/enrol", data={**form, "code": WRONG})
    assert (again.status_code, "验证码不正确" in again.text, is_in(http)) == (422, True, False)
    assert secret_in(again.text) == secret_in(page.text), "the telephone has this one already"
    done = await http.post("/sign-in/enrol", data={**form, "code": code_now(secret_in(page.text))})
    assert (done.status_code, len(recovery_in(done.text)), 'href="/desk/wall"' in done.text) == (200, 10, True)
    assert (is_in(http), await events(kit)) == (True, [("factor_set", newcomer.name)])
    twice = await http.post("/sign-in/enrol", data={**form, "code": code_now(secret_in(page.text), around=1)})
    assert (twice.status_code, "已经启用" in twice.text) == (409, True)
    async with client(SERVICE, kit) as elsewhere:
        assert (await give_password(elsewhere, code=recovery_in(done.text)[3])).status_code == 303


async def test_a_post_that_asks_for_a_factor_ends_sessions_without_one(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    clerk = await add(kit, Role.CLERK)
    await come_in(http)
    async with kit.db.begin() as tx:
        await tx.conn.execute(tables.members.update().where(tables.members.c.id == clerk.id).values(roles=["admin"]))
    assert (await http.post("/sign-in/refresh")).status_code == 401


async def test_an_initial_password_is_replaced_once_the_code_has_come(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.DUTY, must_change=True)
    assert (await give_password(http)).status_code == 409, "a new password first"
    asked = await give_password(http, new_password=NEW, again=NEW)
    assert (asked.status_code, NEW.strip() in asked.text) == (200, False)
    ticket = {"passed": hidden(asked.text, "passed")}
    assert (await http.post("/sign-in/code", data={**ticket, "code": WRONG})).status_code == 401
    assert (await give_password(http)).status_code == 409, "nothing has changed yet"
    assert (await http.post("/sign-in/code", data={**ticket, "code": code_now()})).status_code == 303
    stale = await http.post("/sign-in/code", data={**ticket, "code": recovery_code()})
    assert (stale.status_code, "请重新输入登录名和密码" in stale.text) == (401, True)


async def test_wrong_codes_are_limited_where_they_come_from_and_told(
    kit: Kit[Any], http: httpx.AsyncClient, duty: Member
) -> None:
    async with client(SERVICE, kit, source="198.51.100.1") as thief:
        for _ in range(TRIES):
            assert (await give_password(thief, code=WRONG)).status_code == 401
        for _ in range(2):
            locked = await give_password(thief, code=code_now())
            assert (locked.status_code, "分钟后再试" in locked.text, is_in(thief)) == (429, True, False)
    assert await events(kit) == [("codes_tried", "")], "once, until somebody has looked into it"
    entered = await come_in(http, "duty")
    assert (entered.status_code, entered.headers["location"].startswith("/staff/notices")) == (303, True)
    assert "验证码连续输错" in (await http.get("/staff/notices?next=/desk")).text


async def test_a_known_device_comes_in_whatever_a_thief_tries(
    kit: Kit[Any], http: httpx.AsyncClient, duty: Member
) -> None:
    assert (await come_in(http, "duty")).status_code == 303
    async with client(SERVICE, kit) as thief:
        for _ in range(TRIES + 1):
            await give_password(thief, code=WRONG)
        assert (await give_password(thief, code=code_now())).status_code == 429
    assert (await come_in(http, "duty")).status_code == 303, "from the same address"


async def test_everybody_may_set_one_up_and_switch_it_off(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    async with client(SERVICE, kit) as elsewhere:
        await come_in(elsewhere)
        await come_in(http)
        page = (await http.get("/staff/factor")).text
        form = {"offer": hidden(page, "offer"), "code": code_now(secret_in(page))}
        assert (await http.post("/staff/factor", data={**form, "code": WRONG})).status_code == 422
        done = await http.post("/staff/factor", data=form)
        assert (done.status_code, len(recovery_in(done.text))) == (200, 10)
        assert (await elsewhere.post("/sign-in/refresh")).status_code == 401, "opened without a code"
    assert (await http.post("/sign-in/refresh")).status_code == 204
    assert kit.staff_tokens.staff(http.cookies[COOKIE]).factor_at is not None
    standing = (await http.get("/staff/factor")).text
    assert ("恢复码还剩10个" in standing, secret_in(page) in standing) == (True, False)
    assert (await http.post("/staff/factor", data=form)).status_code == 409, "not in place of the one that holds"
    proof = {"password": PASSWORD, "code": recovery_in(done.text)[0]}
    for wrong in ({**proof, "password": "x"}, {**proof, "code": WRONG}):
        assert (await http.post("/staff/factor/off", data=wrong)).status_code == 422
    off = await http.post("/staff/factor/off", data=proof)
    assert (off.status_code, "已停用" in (await http.get(off.headers["location"])).text) == (303, True)
    async with client(SERVICE, kit) as again:
        assert (await come_in(again)).status_code == 303
    assert [kind for kind, _ in await events(kit)] == ["factor_off", "recovery_used", "factor_set"]


async def test_another_telephone_takes_the_place_of_the_first(
    kit: Kit[Any], http: httpx.AsyncClient, duty: Member
) -> None:
    await come_in(http, "duty")
    proof = {"password": PASSWORD, "code": recovery_code()}
    assert (await http.post("/staff/factor/off", data=proof)).status_code == 409, "the post asks for it"
    assert (await http.post("/staff/factor/instead", data={**proof, "password": "x"})).status_code == 422
    page = (await http.post("/staff/factor/instead", data={**proof, "code": recovery_code()})).text
    form = {"offer": hidden(page, "offer"), "code": code_now(secret_in(page))}
    assert (await http.post("/staff/factor", data=form)).status_code == 200
    async with client(SERVICE, kit) as elsewhere:
        for old in (code_now(SECRET, around=1), recovery_code()):
            assert (await give_password(elsewhere, code=old)).status_code == 401
        assert (await give_password(elsewhere, code=code_now(secret_in(page), around=1))).status_code == 303


async def test_who_has_the_password_first_sets_up_no_factor_without_the_code_that_was_handed_out(
    kit: Kit[Any], http: httpx.AsyncClient, newcomer: Member
) -> None:
    other, old = await granted(kit, await add(kit, Role.COMMAND)), await granted(kit, newcomer)
    good = await granted(kit, newcomer)
    page = (await give_password(http)).text
    form = {name: hidden(page, name) for name in ("passed", "offer")}
    form["code"] = code_now(secret_in(page))
    for wrong in ("", other, old, "2345-6789-ABCD"):
        refused = await http.post("/sign-in/enrol", data={**form, "granted": wrong})
        assert (refused.status_code, "启用码" in refused.text, is_in(http)) == (422, True, False), wrong
    async with as_owner(kit) as conn:
        await conn.execute(tables.enrolment_codes.update().values(made_at=func.now() - ENROLMENT))
    assert (await http.post("/sign-in/enrol", data={**form, "granted": good})).status_code == 422, "too old"
    async with client(SERVICE, kit, Role.ADMIN) as office:
        fresh = (await office.post(f"/api/staff/members/{newcomer.id}/enrolment-code")).json()["enrolment_code"]
        done = await http.post("/sign-in/enrol", data={**form, "granted": f" {fresh.lower()} "})
        assert (done.status_code, 'href="/staff/notices' in done.text, is_in(http)) == (200, True, True)
        assert "发放两步验证启用码" in (await http.get("/staff/notices?next=/desk")).text
        again = await office.post(f"/api/staff/members/{newcomer.id}/enrolment-code")
        assert (again.status_code, again.json()["code"]) == (409, "factor_set")
    async with kit.db.read() as conn:
        kept = (await conn.execute(select(tables.enrolment_codes.c.mark))).scalars().all()
    assert all(fresh.replace("-", "").encode() not in mark for mark in kept)


async def test_a_code_is_handed_out_with_a_post_that_needs_it(kit: Kit[Any]) -> None:
    async with client(SERVICE, kit, Role.ADMIN) as office:
        office.headers.update(HTML)
        duty = {**MEMBER, "login": "zhou", "department": POSTS[Role.DUTY].department, "panel": "", "roles": ["duty"]}
        shown = await office.post("/staff", data=duty)
        assert (shown.status_code, len(granted_in(shown.text)), "密码和启用码只在" in shown.text) == (200, 14, True)
        added = [
            (await office.post("/api/staff/members", json={**MEMBER, "login": login, "roles": roles})).json()
            for login, roles in (("li", ["judge"]), ("wang", ["judge", "admin"]))
        ]
        assert [each["enrolment_code"] is not None for each in added] == [False, True]
        refused = await office.post(f"/api/staff/members/{added[0]['member']['id']}/enrolment-code")
        assert (refused.status_code, refused.json()["code"]) == (409, "factor_not_required")
        page = await office.post(f"/staff/{added[1]['member']['id']}/enrolment-code")
        assert granted_in(page.text) != added[1]["enrolment_code"]


async def test_the_first_codes_of_a_new_telephone_are_counted_at_the_door(
    kit: Kit[Any], http: httpx.AsyncClient, newcomer: Member
) -> None:
    page = (await give_password(http)).text
    form = {name: hidden(page, name) for name in ("passed", "offer")} | {"granted": await granted(kit, newcomer)}
    for _ in range(TRIES):
        assert (await http.post("/sign-in/enrol", data={**form, "code": WRONG})).status_code == 422
    right = {**form, "code": code_now(secret_in(page))}
    locked = await http.post("/sign-in/enrol", data=right)
    assert (locked.status_code, "分钟后再试" in locked.text, "retry-after" in locked.headers) == (429, True, True)
    assert (is_in(http), await events(kit)) == (False, [])
    async with kit.db.begin() as tx:
        await tx.conn.execute(wrong_tries.update().values(last_at=func.now() - LOCK - timedelta(seconds=1)))
    assert (await http.post("/sign-in/enrol", data=right)).status_code == 200
    async with kit.db.read() as conn:
        assert (await conn.execute(select(func.count()).select_from(wrong_tries))).scalar_one() == 0


async def test_the_first_codes_of_another_telephone_are_counted_in_a_session(
    kit: Kit[Any], http: httpx.AsyncClient, duty: Member
) -> None:
    await come_in(http, "duty")
    page = (await http.post("/staff/factor/instead", data={"password": PASSWORD, "code": recovery_code()})).text
    form = {"offer": hidden(page, "offer")}
    for _ in range(TRIES):
        assert (await http.post("/staff/factor", data={**form, "code": WRONG})).status_code == 422
    locked = await http.post("/staff/factor", data={**form, "code": code_now(secret_in(page))})
    assert (locked.status_code, "分钟后再试" in locked.text) == (429, True)
    async with client(SERVICE, kit) as elsewhere:
        assert (await give_password(elsewhere, code=recovery_code())).status_code == 303, "the old one still holds"


async def test_nobody_confirms_what_was_offered_to_another(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.CLERK)
    await add(kit, Role.JUDGE)
    async with client(SERVICE, kit) as other:
        await come_in(other, "judge")
        page = (await other.get("/staff/factor", headers=HTML)).text
    await come_in(http)
    form = {"offer": hidden(page, "offer"), "code": code_now(secret_in(page))}
    assert (await http.post("/staff/factor", data=form)).status_code == 409


async def test_a_reset_ends_sessions_and_is_told_to_owner_and_integrity(
    kit: Kit[Any], http: httpx.AsyncClient, duty: Member
) -> None:
    admin = await add(kit, Role.ADMIN)
    await come_in(http, "duty")
    async with client(SERVICE, kit, Role.ADMIN, staff_id=admin.id) as office:
        before = len(await told(kit, AccessRevoked))
        shown = await office.post(f"/staff/{duty.id}/factor", headers=HTML)
        assert (shown.status_code, "两步验证已重置" in shown.text) == (200, True)
        assert (await office.delete(f"/api/staff/members/{duty.id}/factor")).status_code == 404, (
            "there is none any more"
        )
    assert len(await told(kit, AccessRevoked)) == before + 1
    assert (await http.post("/sign-in/refresh")).status_code == 401
    waiting, _ = await record.look(kit, Wanted(reviewed=False), Part())
    assert [(event.kind.value, event.owner, event.doer) for event in waiting] == [
        ("factor_reset", duty.name, admin.name)
    ]
    page = await give_password(http)
    form = {name: hidden(page.text, name) for name in ("passed", "offer")} | {"granted": granted_in(shown.text)}
    done = await http.post("/sign-in/enrol", data={**form, "code": code_now(secret_in(page.text))})
    assert 'href="/staff/notices' in done.text
    assert "两步验证被重置" in (await http.get("/staff/notices?next=/desk")).text


async def test_a_reset_opens_what_wrong_codes_had_locked(kit: Kit[Any], http: httpx.AsyncClient, duty: Member) -> None:
    for _ in range(TRIES + 1):
        locked = await give_password(http, code=WRONG)
    assert locked.status_code == 429
    await reset_factor(kit, duty.id, duty.id)
    await give_factor(kit, duty)
    assert (await come_in(http, "duty")).status_code == 303


async def test_a_password_reset_alone_lets_nobody_in(kit: Kit[Any], http: httpx.AsyncClient, duty: Member) -> None:
    """Who resets a password cannot become that person unseen: the telephone is not reset with it."""
    async with client(SERVICE, kit, Role.ADMIN) as office:
        password = (await office.post(f"/api/staff/members/{duty.id}/password")).json()["initial_password"]
    given = {"login": "duty", "password": password, "new_password": NEW}
    assert (await http.post("/api/staff/sign-in", json=given)).json()["code"] == "code_needed"


async def test_in_a_session_a_fresh_code_goes_into_the_token(
    kit: Kit[Any], http: httpx.AsyncClient, duty: Member
) -> None:
    assert (await http.get("/sign-in/code?next=/tip-senders/1")).headers["location"] == (
        "/sign-in?next=%2Ftip-senders%2F1"
    )
    await come_in(http, "duty")
    async with kit.db.begin() as tx:
        long_ago = SystemClock().now() - timedelta(hours=2)
        await tx.conn.execute(tables.sessions.update().values(factor_at=long_ago))
    await http.post("/sign-in/refresh")
    assert kit.staff_tokens.staff(http.cookies[COOKIE]).factor_at == long_ago
    page = await http.get("/sign-in/code?next=/tip-senders/1")
    form = {"next": hidden(page.text, "next")}
    wrong = await http.post("/sign-in/code", data={**form, "code": WRONG})
    assert (wrong.status_code, 'value="/tip-senders/1"' in wrong.text) == (401, True)
    right = await http.post("/sign-in/code", data={**form, "code": code_now()})
    assert (right.status_code, right.headers["location"]) == (303, "/tip-senders/1")
    fresh = kit.staff_tokens.staff(http.cookies[COOKIE])
    assert fresh.factor_at is not None
    assert SystemClock().now() - fresh.factor_at < timedelta(minutes=1)
    for _ in range(TRIES):
        assert (await http.post("/sign-in/code", data={**form, "code": WRONG})).status_code == 401
    assert (await http.post("/sign-in/code", data={**form, "code": WRONG})).status_code == 429


async def test_what_rests_is_sealed_and_keyed(kit: Kit[Any], http: httpx.AsyncClient, newcomer: Member) -> None:
    page = (await give_password(http)).text
    secret = secret_in(page)
    form = {name: hidden(page, name) for name in ("passed", "offer")} | {"granted": await granted(kit, newcomer)}
    done = await http.post("/sign-in/enrol", data={**form, "code": code_now(secret)})
    async with kit.db.read() as conn:
        kept = (await conn.execute(select(tables.factors.c.secret))).scalar_one()
        marks = (await conn.execute(select(tables.recovery_codes.c.mark))).scalars().all()
    assert secret not in kept
    assert kit.keyring.open(kept, f"{newcomer.id}/factor") == secret
    assert not any(code.replace("-", "").encode() in mark for mark in marks for code in recovery_in(done.text))
    assert secret not in "".join(form.values())


async def test_a_demonstration_of_an_older_release_is_given_factors_once(kit: Kit[Any]) -> None:
    fresh = replace(kit, run=kit.run.model_copy(update={"data": kit.run.data / "older"}))
    await seed(fresh)
    async with kit.db.begin() as tx:
        await tx.conn.execute(tables.factors.delete())
    paths = [secret_path(fresh.run, factor_name(login)) for login in map(str, GUARDED)]
    assert set(paths[0].parent.iterdir()) == set(paths)
    await seed(fresh)
    async with kit.db.read() as conn:
        assert (await conn.execute(select(tables.factors))).all() == [], "what was taken away stays away"
    for path in paths:
        path.unlink()
    await seed(fresh)
    async with kit.db.read() as conn:
        assert len((await conn.execute(select(tables.factors))).all()) == len(paths)
