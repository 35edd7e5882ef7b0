"""One administrator becomes nobody by a reset or a post of his giving: what counts waits until another has looked."""

import importlib
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from click.testing import CliRunner
from sqlalchemy import Connection, func, text, update

from services.asset_tips.service import SERVICE as TIPS
from services.staff import commands
from services.staff.domain.people import Member
from services.staff.service import SERVICE
from services.staff.store import tables
from services.staff.usecases import record, tokens
from services.staff.usecases.admission import caller_for
from shared.clock import SystemClock
from shared.contracts.staff import AccessRevoked
from shared.db import revocations
from shared.db.transaction import new_id
from shared.powers import Action, Role
from shared.runtime.service import Kit, Service
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.factors import code_now
from tests.fixtures.kits import as_owner, client, make_kit, told
from tests.fixtures.page_forms import COURT_DATA
from tests.service.test_posts_confirmed import GHOST, bearer, now, waiting
from tests.service.test_second_factor import granted_in, hidden, secret_in
from tests.service.test_staff_door import HTML, NEW, PASSWORD, add, come_in

EMPTY = replace(SERVICE, start=None)
CLERK = GHOST | {"login": "newclerk", "department": "立案庭", "roles": ["clerk"]}


@pytest.fixture
def service() -> Service:
    return EMPTY


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as http:
        yield http


@pytest.fixture
async def admin(kit: Kit[Any]) -> Member:
    return await add(kit, Role.ADMIN)


@pytest.fixture
async def watcher(kit: Kit[Any]) -> Member:
    return await add(kit, Role.INTEGRITY)


async def reset(kit: Kit[Any], http: httpx.AsyncClient, admin: Member, member: Member) -> str:
    """The initial password, which the administrator holds."""
    answer = await http.post(f"/api/staff/members/{member.id}/password", headers=bearer(kit, admin))
    return str(answer.json()["initial_password"])


async def take_over(kit: Kit[Any], http: httpx.AsyncClient, admin: Member, member: Member) -> dict[str, str]:
    """The administrator resets both, and comes in as the member: a bearer of theirs, with a fresh factor."""
    password = await reset(kit, http, admin, member)
    shown = await http.post(f"/staff/{member.id}/factor", headers=bearer(kit, admin) | HTML)
    page = await come_in(http, member.login, password, new_password=NEW, again=NEW, code="")
    form = {name: hidden(page.text, name) for name in ("passed", "offer")} | {"granted": granted_in(shown.text)}
    done = await http.post("/sign-in/enrol", data={**form, "code": code_now(secret_in(page.text))})
    assert done.status_code == 200
    token = http.cookies["yg_session"]
    http.cookies.clear()
    return {"authorization": f"Bearer {token}"}


async def look_into(kit: Kit[Any], http: httpx.AsyncClient, by: Member, *, refuse: bool = False) -> None:
    """All that waits."""
    for event in await waiting(kit):
        act = "refuse" if refuse else "review"
        done = await http.post(f"/staff/record/{event.id}/{act}", headers=bearer(kit, by) | HTML)
        assert done.status_code == 303


async def test_a_reset_changes_no_account(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    """The attack of one administrator: reset who proposes and who confirms, and come in as both."""
    office, president = await add(kit, Role.OFFICE), await add(kit, Role.PRESIDENT)
    password = await reset(kit, http, admin, office)
    given = {"login": "office", "password": password, "new_password": NEW}
    came = (await http.post("/api/staff/sign-in", json=given)).json()
    change = {**COURT_DATA, "case_account_number": "6222 0000 0000 0000"}
    asked = await http.post(
        "/api/staff/court/changes", json=change, headers={"authorization": f"Bearer {came['token']}"}
    )
    assert (asked.status_code, asked.json()["code"], "监察人员" in asked.json()["detail"]) == (403, "in_doubt", True)
    proposed = await http.post("/api/staff/court/changes", json=change, headers=bearer(kit, office))
    assert proposed.status_code == 201, "asked for before the reset, by whoever is no longer signed in"
    as_president = await take_over(kit, http, admin, president)
    at = f"/api/staff/court/changes/{proposed.json()['id']}"
    for act in ("confirm", "reject"):
        refused = await http.post(f"{at}/{act}", headers=as_president)
        assert (refused.status_code, refused.json()["code"]) == (403, "in_doubt")
    page = await http.get("/staff/password", headers=as_president | HTML)
    assert "请联系监察人员在“登录记录”页核对" in page.text, "told where they are"
    await look_into(kit, http, watcher)
    assert not (await now(kit, president.id)).doubted
    assert (await told(kit, AccessRevoked))[-1].staff_id in {president.id, office.id}, "tokens say it anew"
    done = await http.post(f"{at}/confirm", headers=bearer(kit, await now(kit, president.id)))
    assert done.json()["state"] == "confirmed"


async def test_doubt_holds_in_every_service_and_the_desk_goes_on(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member, fresh_database: FreshDatabase
) -> None:
    duty = await add(kit, Role.DUTY)
    token = await take_over(kit, http, admin, duty)
    caller = kit.staff_tokens.staff(token["authorization"].removeprefix("Bearer "))
    assert (caller.doubted, caller.can(Action.DESK_WORK), caller.can(Action.TIP_SENDERS_LOOK)) == (True, True, False)
    tips = await make_kit(TIPS, await fresh_database(TIPS))
    tips = replace(tips, staff_tokens=kit.staff_tokens)
    async with client(TIPS, tips, Role.DUTY) as elsewhere:
        look = await elsewhere.post(f"/api/tip-senders/{new_id()}", json={"reason": "须核实楼栋号。"}, headers=token)
    await tips.db.close()
    assert (look.status_code, look.json()["code"]) == (403, "in_doubt")


async def test_an_administrator_is_not_the_integrity_office_after_any_time(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    ghost = (await http.post("/api/staff/members", json=GHOST, headers=bearer(kit, admin))).json()["member"]
    as_watcher = await take_over(kit, http, admin, watcher)
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(tables.door_events).values(at=func.now() - timedelta(days=400)))
    added = next(event for event in await waiting(kit) if event.kind.value == "member_added")
    refused = await http.post(f"/staff/record/{added.id}/review", headers=as_watcher | {"accept": "application/json"})
    assert (refused.status_code, refused.json()["code"]) == (403, "in_doubt")
    assert (await now(kit, added.staff_id)).roles == ()
    assert ghost["waiting"] == ["duty"]


async def test_nothing_that_a_doubted_member_does_themselves_ends_it(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    password = await reset(kit, http, await add(kit, Role.ADMIN, login="admin2"), admin)
    await come_in(http, "admin", password, new_password=NEW, again=NEW)
    await http.post("/staff/notices", data={"answer": "known", "next": "/staff"})
    changed = {"old": NEW, "new": PASSWORD, "again": PASSWORD}
    assert (await http.post("/staff/password", data=changed)).status_code == 303
    refused = await http.get("/api/staff/me")
    assert (refused.json()["doubted"], (await now(kit, admin.id)).doubted) == (True, True)
    assert (await http.get("/staff", headers=HTML)).status_code == 403
    [event] = await waiting(kit)
    assert (await http.post(f"/staff/record/{event.id}/review")).status_code == 403


async def test_somebody_new_works_but_prints_no_letters_until_looked_into(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    made = (await http.post("/api/staff/members", json=CLERK, headers=bearer(kit, admin))).json()["member"]
    assert (made["roles"], made["waiting"], made["doubted"]) == (["clerk"], [], True)
    clerk = caller_for(await now(kit, made["id"]), SystemClock().now())
    able = [clerk.can(act) for act in (Action.CASES_FILE, Action.CASES_READ, Action.PAPER_WORK, Action.NOTICES_DECIDE)]
    assert able == [True, True, False, False]
    await look_into(kit, http, watcher)
    assert caller_for(await now(kit, made["id"]), SystemClock().now()).can(Action.PAPER_WORK)


async def test_who_administers_gives_himself_no_post_of_a_clerk(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    for roles, expected in (
        (["admin", "clerk", "management"], ["clerk", "management"]),
        (["clerk"], ["clerk"]),
    ):
        body = {"roles": roles, "version": None}
        await add(kit, Role.ADMIN, login=f"other{len(roles)}")
        answer = await http.patch(f"/api/staff/members/{admin.id}", json=body, headers=bearer(kit, admin))
        assert answer.json()["waiting"] == expected


async def test_while_posts_wait_the_second_factor_asks_for_its_code(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    new = GHOST | {"roles": ["office", "duty"], "department": "执行指挥中心"}
    made = (await http.post("/api/staff/members", json=new, headers=bearer(kit, admin))).json()
    assert (made["member"]["roles"], made["member"]["waiting"]) == (["office"], ["duty"])
    page = await come_in(http, "ghost", made["initial_password"], new_password=NEW, again=NEW)
    assert ("yg_session" in http.cookies, 'name="granted"' in page.text) == (False, True)
    judge = await add(kit, Role.JUDGE)
    await come_in(http, "judge")
    body = {"roles": ["judge", "chief"], "version": None}
    await http.patch(f"/api/staff/members/{judge.id}", json=body, headers=bearer(kit, admin))
    shown = (await http.get("/staff/factor", headers=HTML)).text
    assert ("须凭启用码" in shown, 'name="offer"' in shown) == (True, False)
    assert (await http.post("/sign-in/refresh")).status_code == 401, "only through the door"


async def test_who_waits_and_who_is_refused_are_told_so(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    made = (await http.post("/api/staff/members", json=GHOST, headers=bearer(kit, admin))).json()
    code = await http.post(f"/api/staff/members/{made['member']['id']}/enrolment-code", headers=bearer(kit, admin))
    assert (code.status_code, len(code.json()["enrolment_code"])) == (200, 14), "a lost code is handed out anew"
    await look_into(kit, http, watcher, refuse=True)
    given = {"login": "ghost", "password": made["initial_password"], "new_password": NEW}
    refused = await http.post("/api/staff/sign-in", json=given)
    assert (refused.json()["code"], "没有确认您的岗位" in refused.json()["detail"]) == ("posts_refused", True)
    came = await come_in(http, "admin")
    page = (await http.get(came.headers["location"], headers=HTML)).text
    assert ("监察不予确认岗位" in page, "影子：值班员" in page) == (True, True), "who asked is told"
    page = (await http.get(f"/staff/{made['member']['id']}", headers=HTML)).text
    assert "没有岗位，不能登录" in page


async def test_what_concerns_the_only_one_of_the_integrity_office_is_closed_on_the_machine(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    await reset(kit, http, admin, watcher)
    await reset(kit, http, await add(kit, Role.ADMIN, login="admin2"), admin)
    page = (await http.get("/staff/record", headers=bearer(kit, watcher) | HTML)).text
    assert "待在服务器上核对" in page
    for member in (watcher, admin):
        async with kit.db.begin() as tx:
            assert await record.close_on_machine(tx, member.id)
            assert not await record.close_on_machine(tx, watcher.id), "nothing is left"
    left = [(event.kind.value, event.owner) for event in await waiting(kit)]
    assert left == [("looked_into", admin.name)], "and the officer sees what the machine's keeper did to others"
    await look_into(kit, http, watcher)
    page = (await http.get("/staff/record", headers=bearer(kit, watcher) | HTML)).text
    assert ("没有待核对的记录" in page, "服务器上的操作员" in page) == (True, True)
    assert not (await now(kit, watcher.id)).doubted


def test_the_command_says_what_it_closes() -> None:
    words = CliRunner().invoke(commands.confirm_posts, ["--help"]).output
    assert "没有其他人能核对" in words.replace("\n", "").replace(" ", "")


async def test_what_is_taken_back_and_what_a_token_says_go_by_one_clock(
    kit: Kit[Any], http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process whose clock is ahead takes back no less, and one whose clock is behind hands out no older token."""
    judge = await add(kit, Role.JUDGE)
    await come_in(http, "judge")
    changed = {"old": PASSWORD, "new": NEW, "again": NEW}
    await http.post("/staff/password", data=changed)
    born = kit.staff_tokens.staff(http.cookies["yg_session"]).born
    async with kit.db.read() as conn:
        at = await revocations.instant(conn)
        taken = (await revocations.taken_back(conn)).members[judge.id]
    assert taken < born < at
    for offset in (timedelta(minutes=-1), timedelta(minutes=1)):
        caller = caller_for(judge, taken + offset)
        read = kit.staff_tokens.staff(kit.staff_signer.for_staff(caller, timedelta(minutes=5)))
        assert read.born == taken + offset, "as the database said, whatever this process's clock says"


async def test_resets_that_nobody_looked_into_before_the_upgrade_leave_their_owners_in_doubt(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    step = importlib.import_module("services.staff.migrations.0011_doubts")
    looked, judge, duty = await add(kit, Role.CHIEF), await add(kit, Role.JUDGE), await add(kit, Role.DUTY)
    await reset(kit, http, admin, looked)
    await look_into(kit, http, watcher)
    await reset(kit, http, admin, duty)

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE members DROP COLUMN doubted"))
        await conn.execute(text("ALTER TABLE door_events DROP COLUMN doubts"))
        await conn.run_sync(run)
    assert [(await now(kit, one.id)).doubted for one in (looked, judge, duty)] == [False, False, True]
    await look_into(kit, http, watcher)
    assert not (await now(kit, duty.id)).doubted


async def test_a_president_of_an_older_release_is_asked_to_set_a_factor_up(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member
) -> None:
    president = await add(kit, Role.PRESIDENT)
    async with kit.db.begin() as tx:
        await tx.conn.execute(tables.recovery_codes.delete())
        await tx.conn.execute(tables.factors.delete())
    shown = await http.post(f"/staff/{president.id}/enrolment-code", headers=bearer(kit, admin) | HTML)
    page = await come_in(http, "president", code="")
    form = {name: hidden(page.text, name) for name in ("passed", "offer")} | {"granted": granted_in(shown.text)}
    done = await http.post("/sign-in/enrol", data={**form, "code": code_now(secret_in(page.text))})
    assert done.status_code == 200
    assert not kit.staff_tokens.staff(http.cookies["yg_session"]).doubted, "nobody reset anything"


async def test_no_token_of_another_system_decides_about_notices(kit: Kit[Any]) -> None:
    clerk = caller_for(await add(kit, Role.CLERK), SystemClock().now())
    assert Action.NOTICES_DECIDE not in tokens.offered(clerk)
    old = replace(clerk, scopes=frozenset({Action.NOTICES_DECIDE}))
    assert not old.can(Action.NOTICES_DECIDE)
