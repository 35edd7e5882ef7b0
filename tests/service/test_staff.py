"""Who is there at the beginning, and how the administrator adds and changes people."""

import asyncio
import importlib
import re
import stat
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from click.testing import CliRunner, Result
from sqlalchemy import Connection, text

from services.staff.commands import code, confirm_posts, logins, reset_factor, token
from services.staff.domain.people import Member
from services.staff.service import SERVICE
from services.staff.settings import StaffSettings
from services.staff.store import people
from services.staff.store.record import Wanted
from services.staff.usecases import record
from services.staff.usecases.members import tell_again
from services.staff.usecases.seeds import SEEDS, seed
from shared.contracts.staff import AccessRevoked, MemberChanged
from shared.db.lists import Part
from shared.powers import POSTS, Role
from shared.runtime.secrets import SecretsMissingError, Vault, secret_path
from shared.runtime.service import Kit
from shared.settings import Environment, RunSettings
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.factors import code_now
from tests.fixtures.kits import as_owner, client, make_kit, told

EMPTY = replace(SERVICE, start=None)
NEW_MEMBER = {
    "login": "judge9",
    "name": "承办法官丁",
    "phone": "023-12345730",
    "department": "执行局",
    "panel": "执行二合议庭",
    "roles": ["judge"],
}
HTML = {"accept": "text/html"}


@pytest.fixture
async def kit(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[Kit[Any]]:
    """Nobody is there yet; secrets are kept below `tmp_path`."""
    kit = await make_kit(EMPTY, await fresh_database(EMPTY))
    yield replace(kit, run=RunSettings(environment=Environment.TEST, data=tmp_path))
    await kit.db.close()


@pytest.fixture
async def admin(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.ADMIN) as http:
        yield http


async def everybody(kit: Kit[Any]) -> list[Member]:
    async with kit.db.read() as conn:
        return (await people.page(conn, people.Wanted(), Part(limit=200)))[0]


async def test_members_of_an_older_installation_are_told_again_by_nobodys_hand(kit: Kit[Any]) -> None:
    """Other services learn at the next start whom they did not keep before; later once a day, and nobody twice."""
    await seed(kit)
    before = await told(kit, MemberChanged)
    assert await tell_again(kit) == 0
    step = importlib.import_module("services.staff.migrations.0010_members_are_told_again")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE members DROP COLUMN told_at"))
        await conn.run_sync(run)
    assert [await tell_again(kit) for _ in range(2)] == [len(before), 0]
    again = (await told(kit, MemberChanged))[len(before) :]
    assert sorted(again, key=lambda each: each.login) == sorted(before, key=lambda each: each.login)
    async with as_owner(kit) as conn:
        await conn.execute(text("UPDATE members SET told_at = now() - interval '25 hours' WHERE login = 'judge'"))
    assert await tell_again(kit) == 1


async def test_a_demonstration_begins_with_one_login_per_role(kit: Kit[Any]) -> None:
    await seed(kit)
    members = await everybody(kit)
    assert {member.login for member in members} == {*(role.value for role in Role), "judge2", "judge3"}
    assert all(member.department == POSTS[member.roles[0]].department for member in members)
    assert {member.panel for member in members} == {None, *kit.settings.panels}
    assert len({member.phone for member in members}) == len(members)
    assert [event.login for event in await told(kit, MemberChanged)] == [member.login for member in members]
    paths = [secret_path(kit.run, f"logins/{member.login}") for member in members]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths} == {0o600}
    await seed(kit)
    assert await everybody(kit) == members
    assert len(await told(kit)) == len(members)
    async with client(SERVICE, kit) as http:
        secret = secret_path(kit.run, "factors/duty").read_text()
        given = {"login": "duty", "password": paths_text(kit, "duty"), "code": code_now(secret)}
        answer = await http.post("/api/staff/sign-in", json=given)
        assert answer.status_code == 200
        bearer = {"authorization": f"Bearer {answer.json()['token']}"}
        assert (await http.get("/api/staff/me", headers=bearer)).json()["name"] == "值班员"


def paths_text(kit: Kit[Any], login: str) -> str:
    return secret_path(kit.run, f"logins/{login}").read_text()


async def test_a_production_begins_with_one_administrator_who_must_change_the_password(kit: Kit[Any]) -> None:
    production = replace(kit, run=kit.run.model_copy(update={"environment": Environment.PRODUCTION}))
    for password in ("", "short", "admin-admin-admin"):
        with pytest.raises(SecretsMissingError, match="STAFF_ADMIN_PASSWORD"):
            await seed(replace(production, settings=StaffSettings(admin_password=password)))
    for _ in range(2):
        await seed(replace(production, settings=StaffSettings(admin_password="kx7m-9qfw-2hcd")))
    await seed(production)
    (admin,) = await everybody(kit)
    assert (admin.login, admin.roles, admin.must_change) == ("admin", (Role.ADMIN,), True)
    assert not secret_path(kit.run, "logins").exists()
    async with client(SERVICE, production) as http:
        given = {"login": "admin", "password": "kx7m-9qfw-2hcd"}
        refused = await http.post("/api/staff/sign-in", json=given)
        assert (refused.status_code, refused.json()["code"]) == (409, "password_must_change")
        answer = await http.post("/api/staff/sign-in", json={**given, "new_password": "rv4p-7tzn-5bgs"})
        assert (answer.status_code, answer.json()["code"]) == (401, "factor_due"), "a telephone is set up at the page"


async def test_an_added_member_is_told_and_signs_in_with_a_new_password(
    kit: Kit[Any], admin: httpx.AsyncClient
) -> None:
    answer = await admin.post("/api/staff/members", json=NEW_MEMBER)
    assert answer.status_code == 201
    member = answer.json()["member"]
    version = member.pop("version")
    assert len(version) == 24
    standing = {"waiting": [], "doubted": False, "court": "渝05", "active": True, "must_change": True}
    assert member == NEW_MEMBER | {"id": member["id"], **standing}
    (event,) = await told(kit)
    assert event == MemberChanged(**{**NEW_MEMBER, "staff_id": member["id"], "court": "渝05", "active": True})
    given = {"login": "judge9", "password": answer.json()["initial_password"], "new_password": "rv4p-7tzn-5bgs"}
    assert (await admin.post("/api/staff/sign-in", json=given)).status_code == 200


async def test_every_fault_is_named_at_once_and_nothing_is_written(kit: Kit[Any], admin: httpx.AsyncClient) -> None:
    faulty = {"login": "A B", "name": " ", "phone": "13900001234", "roles": [], "rank": "1"}
    answer = await admin.post("/api/staff/members", json=faulty)
    assert answer.status_code == 422
    fields = {error["field"] for error in answer.json()["errors"]}
    assert fields == {"login", "name", "phone", "department", "roles", "rank"}
    answer = await admin.post("/api/staff/members", json={**NEW_MEMBER, "department": "司法行政处", "panel": "五庭"})
    assert {error["field"] for error in answer.json()["errors"]} == {"roles", "panel"}
    assert await everybody(kit) == []
    assert (await admin.post("/api/staff/members", json=NEW_MEMBER)).status_code == 201
    twice = await admin.post("/api/staff/members", json=NEW_MEMBER)
    assert [error["field"] for error in twice.json()["errors"]] == ["login"]
    assert len(await told(kit)) == 1


async def test_a_change_touches_only_what_it_names(kit: Kit[Any], admin: httpx.AsyncClient) -> None:
    member = (await admin.post("/api/staff/members", json=NEW_MEMBER)).json()["member"]
    path = f"/api/staff/members/{member['id']}"
    changed = await admin.patch(path, json={"roles": ["chief", "chief"], "panel": None})
    version = changed.json()["version"]
    assert version != member["version"]
    assert changed.json() == member | {"roles": ["chief"], "panel": None, "version": version}
    assert (await admin.patch(path, json={})).json() == changed.json()
    assert (await admin.patch(path, json={"name": None})).status_code == 422
    assert (await admin.patch(path, json={"roles": ["auction"]})).status_code == 422
    missing = await admin.patch("/api/staff/members/00000000-0000-7000-8000-000000000000", json={})
    assert missing.json()["code"] == "no_such_member"
    assert [event.roles for event in await told(kit, MemberChanged)] == [(Role.JUDGE,), (Role.CHIEF,)]


async def test_the_last_administrator_stays(kit: Kit[Any], admin: httpx.AsyncClient) -> None:
    facts = {**NEW_MEMBER, "department": "信息中心", "panel": None, "roles": ["admin"]}
    first = (await admin.post("/api/staff/members", json={**facts, "login": "first"})).json()["member"]
    path = f"/api/staff/members/{first['id']}"
    for change in ({"active": False}, {"roles": ["office"]}):
        assert (await admin.patch(path, json=change)).json()["code"] == "last_administrator"
    second = (await admin.post("/api/staff/members", json={**facts, "login": "second"})).json()["member"]
    both = [f"/api/staff/members/{each['id']}" for each in (first, second)]
    answers = await asyncio.gather(*(admin.patch(each, json={"active": False}) for each in both))
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_reset_ends_sessions_and_asks_for_a_new_password(kit: Kit[Any], admin: httpx.AsyncClient) -> None:
    answer = (await admin.post("/api/staff/members", json=NEW_MEMBER)).json()
    given = {"login": "judge9", "password": answer["initial_password"], "new_password": "rv4p-7tzn-5bgs"}
    async with client(SERVICE, kit) as http:
        await http.post("/sign-in", data={**given, "again": given["new_password"]})
        assert (await http.post("/sign-in/refresh")).status_code == 204
        reset = await admin.post(f"/api/staff/members/{answer['member']['id']}/password")
        assert (await http.post("/sign-in/refresh")).status_code == 401
        old = await http.post("/api/staff/sign-in", json={"login": "judge9", "password": "rv4p-7tzn-5bgs"})
        assert old.status_code == 401
        new = {"login": "judge9", "password": reset.json()["initial_password"]}
        assert (await http.post("/api/staff/sign-in", json=new)).json()["code"] == "password_must_change"


async def test_the_list_goes_on_where_the_cursor_says(kit: Kit[Any], admin: httpx.AsyncClient) -> None:
    for number in range(5):
        assert (await admin.post("/api/staff/members", json={**NEW_MEMBER, "login": f"m{number}"})).status_code == 201
    seen, cursor = [], None
    for expected in (2, 2, 1):
        query = {"limit": "2"} | ({"cursor": cursor} if cursor else {})
        page = (await admin.get("/api/staff/members", params=query)).json()
        assert len(page["items"]) == expected
        seen += [member["login"] for member in page["items"]]
        cursor = page["next"]
    assert (seen, cursor) == ([f"m{number}" for number in range(5)], None)


async def test_the_pages_add_and_change(kit: Kit[Any], admin: httpx.AsyncClient) -> None:
    admin.headers.update(HTML)
    faulty = await admin.post("/staff", data={**NEW_MEMBER, "phone": "110"})
    assert faulty.status_code == 422
    assert 'value="承办法官丁"' in faulty.text
    assert 'value="judge" checked' in faulty.text
    added = await admin.post("/staff", data={**NEW_MEMBER})
    assert (added.status_code, "初始密码" in added.text, "待改密码" in added.text) == (200, True, True)
    (member,) = await everybody(kit)
    assert 'value="023-12345730"' in (await admin.get(f"/staff/{member.id}")).text
    form = {**NEW_MEMBER, "name": "承办法官戊", "panel": ""}
    form["version"] = (await admin.get(f"/staff/{member.id}")).text.split('name="version" value="')[1].split('"')[0]
    del form["login"]
    saved = await admin.post(f"/staff/{member.id}", data=form)
    assert saved.headers["location"] == f"/staff/{member.id}?saved=1"
    assert "已保存" in (await admin.get(saved.headers["location"])).text
    (after,) = await everybody(kit)
    assert after == replace(member, name="承办法官戊", panel=None, active=False)
    assert "已停用" in (await admin.get("/staff")).text
    refused = await admin.post(f"/staff/{member.id}", data={**form, "department": "监察室"})
    assert (refused.status_code, "三权分离" in refused.text) == (422, True)
    assert "密码已重置" in (await admin.post(f"/staff/{member.id}/password")).text


async def run(kit: Kit[Any], command: Any, *args: str, database: bool = True) -> Result:
    url = kit.db.engine.url.render_as_string(hide_password=False) if database else ""
    env = {"YANGGUANG_DATA": str(kit.run.data), "YANGGUANG_DATABASE_URL": url}
    return await asyncio.to_thread(CliRunner(env=env).invoke, command, args)


async def test_a_token_for_scripts_is_good_everywhere(kit: Kit[Any]) -> None:
    kit = replace(kit, staff_tokens=Vault(kit.run).staff_tokens)
    await seed(kit)
    printed = await run(kit, token, "--login", "chief")
    assert printed.exit_code == 0
    async with client(SERVICE, kit) as http:
        bearer = {"authorization": f"Bearer {printed.output.strip()}"}
        assert (await http.get("/api/staff/me", headers=bearer)).json()["login"] == "chief"
        assert (await http.get("/staff", headers=bearer)).status_code == 403
    unknown = await run(kit, token, "--login", "nobody")
    assert (unknown.exit_code, "没有在岗人员使用登录名 nobody" in unknown.output) == (1, True)


async def test_logins_lists_only_passwords_that_open_the_door(kit: Kit[Any]) -> None:
    kit = replace(kit, keyring=Vault(kit.run).keyring("staff"))
    await seed(kit)
    secret_path(kit.run, "logins/clerk").write_text("something else")
    listed = (await run(kit, logins)).output.splitlines()
    assert len(listed) == 1 + len(SEEDS) + 1
    assert "已由本人或管理员更换" in next(line for line in listed if line.startswith("clerk"))
    judge = next(line for line in listed if line.startswith("judge2")).split()
    assert judge[-2:] == [paths_text(kit, "judge2"), "（未启用）"]
    secret = secret_path(kit.run, "factors/duty").read_text()
    assert next(line for line in listed if line.startswith("duty")).split()[-1] in around_now(secret)
    assert re.search("秒内有效", listed[-1])


def around_now(secret: str) -> set[str]:
    """A step may end while a command runs."""
    return {code_now(secret, around) for around in (-1, 0)}


async def test_a_code_is_printed_for_a_login_or_a_secret(kit: Kit[Any]) -> None:
    kit = replace(kit, keyring=Vault(kit.run).keyring("staff"))
    await seed(kit)
    secret = secret_path(kit.run, "factors/duty").read_text()
    assert (await run(kit, code, "DUTY")).output.split()[0] in around_now(secret)
    assert (await run(kit, code, "--secret", secret.lower())).output.split()[0] in around_now(secret)
    for args, words in (
        (("clerk",), "没有启用两步验证"),
        (("nobody",), "没有人使用登录名 nobody"),
        (("--secret", "1"), "密钥不正确"),
        ((), "请给出登录名"),
    ):
        answer = await run(kit, code, *args)
        assert (answer.exit_code != 0, words in answer.output) == (True, True), answer.output


async def test_the_machines_keeper_resets_a_lost_factor_and_it_is_recorded(kit: Kit[Any]) -> None:
    await seed(kit)
    refused = await run(kit, reset_factor, "--login", "clerk", "--yes")
    assert (refused.exit_code, "没有改动" in refused.output) == (1, True)
    before = len(await told(kit, AccessRevoked))
    reset = await run(kit, reset_factor, "--login", "admin", "--yes")
    assert (reset.exit_code, len(reset.output.split("启用码：")[1].split()[0])) == (0, 14)
    assert len(await told(kit, AccessRevoked)) == before + 1
    assert (await run(kit, reset_factor, "--login", "admin", "--yes")).exit_code == 0, "another code, none to reset"
    assert len(await told(kit, AccessRevoked)) == before + 1
    [waiting], _ = await record.look(kit, Wanted(reviewed=False), Part())
    assert (waiting.kind.value, waiting.by) == ("factor_reset", "服务器上的操作员")


async def test_the_machines_keeper_confirms_posts_where_nobody_else_can(kit: Kit[Any]) -> None:
    await seed(kit)
    async with client(SERVICE, kit, Role.ADMIN) as http:
        await http.post("/api/staff/members", json=NEW_MEMBER | {"login": "chief9", "roles": ["chief"]})
    assert (await run(kit, confirm_posts, "--login", "clerk", "--yes")).exit_code == 1
    assert (await run(kit, confirm_posts, "--login", "chief9", "--yes")).exit_code == 0
    chief = next(each for each in await everybody(kit) if each.login == "chief9")
    assert (chief.roles, chief.waiting) == ((Role.CHIEF,), ())
    events, _ = await record.look(kit, Wanted(reviewed=False), Part())
    assert [(event.kind.value, event.by, event.held) for event in events] == [
        ("looked_into", "服务器上的操作员", ()),
    ]


@pytest.mark.parametrize(
    ("command", "args"),
    [(token, ("--login", "clerk")), (logins, ()), (code, ("duty",)), (reset_factor, ("--login", "admin", "--yes"))],
)
async def test_commands_say_so_when_the_product_does_not_run(
    kit: Kit[Any], command: Any, args: tuple[str, ...]
) -> None:
    answer = await run(kit, command, *args, database=False)
    assert (answer.exit_code, "请先启动系统" in answer.output) == (1, True)
