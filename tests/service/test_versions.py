"""Two people, one form: whoever saves an old page is shown both values, and nothing is undone without a word."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.case_intake.service import SERVICE as CASE_INTAKE
from services.staff.service import SERVICE as STAFF
from shared.powers import Role
from shared.runtime.service import Kit
from shared.settings import Environment, RunSettings
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.filing import JUDGES, filing, judge, party
from tests.fixtures.kits import Feeder, client, make_kit
from tests.fixtures.page_forms import CASE, MEMBER, PARTY

HTML = {"accept": "text/html"}
OVER = "仍按我填写的保存"


@pytest.fixture
async def clerk(fresh_database: FreshDatabase) -> AsyncIterator[httpx.AsyncClient]:
    kit = await make_kit(CASE_INTAKE, await fresh_database(CASE_INTAKE))
    await Feeder(CASE_INTAKE, kit).feed(*map(judge, JUDGES))
    async with client(CASE_INTAKE, kit, Role.CLERK) as http:
        yield http
    await kit.db.close()


@pytest.fixture
async def admin(fresh_database: FreshDatabase, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    empty = replace(STAFF, start=None)
    kit: Kit[Any] = await make_kit(empty, await fresh_database(empty))
    kit = replace(kit, run=RunSettings(environment=Environment.TEST, data=tmp_path))
    async with client(STAFF, kit, Role.ADMIN) as http:
        yield http
    await kit.db.close()


def version_in(page: str) -> str:
    return page.split('name="version" value="')[1].split('"', maxsplit=1)[0]


async def saved_late(http: httpx.AsyncClient, page: str, action: str, form: dict[str, Any], shows: list[str]) -> None:
    """Save `form` over a page opened before; it is shown with both values, and saved once that was seen."""
    late = await http.post(action, data={**form, "version": page}, headers=HTML)
    assert (late.status_code, OVER in late.text) == (409, True)
    for word in shows:
        assert word in late.text, word
    again = await http.post(action, data={**form, "version": version_in(late.text)}, headers=HTML)
    assert again.status_code == 303, again.text


async def test_an_old_page_of_a_member_switches_nobody_on_again(admin: httpx.AsyncClient) -> None:
    new = {**MEMBER, "login": "zhou", "roles": ["judge"]}
    member = (await admin.post("/api/staff/members", json=new)).json()["member"]
    here = f"/staff/{member['id']}"
    opened = version_in((await admin.get(here, headers=HTML)).text)
    assert opened == member["version"]
    dismissed = await admin.patch(f"/api/staff/members/{member['id']}", json={"active": False, "version": opened})
    assert (dismissed.status_code, dismissed.json()["active"]) == (200, False)
    form = {**MEMBER, "name": "周法官二", "active": "true"}
    late = await admin.post(here, data={**form, "version": opened}, headers=HTML)
    assert (late.status_code, "已停用" in late.text, 'value="周法官二"' in late.text) == (409, True, True)
    (now,) = (await admin.get("/api/staff/members")).json()["items"]
    assert (now["active"], now["name"]) == (False, "周法官")
    await saved_late(admin, opened, here, form, ["在岗", "已停用", "周法官二"])


async def test_a_form_without_a_version_saves_nothing(admin: httpx.AsyncClient, clerk: httpx.AsyncClient) -> None:
    member = (await admin.post("/api/staff/members", json={**MEMBER, "login": "zhou", "roles": ["judge"]})).json()
    refused = await admin.post(f"/staff/{member['member']['id']}", data=MEMBER, headers=HTML)
    assert (refused.status_code, "版本标记" in refused.text) == (422, True)
    case = (await clerk.post("/api/cases", json=filing())).json()
    for action in ("edit", f"parties/{case['parties'][0]['id']}/edit", "assignment"):
        assert (await clerk.post(f"/cases/{case['id']}/{action}", data=PARTY | CASE, headers=HTML)).status_code == 422


async def test_a_case_is_not_corrected_over_what_another_corrected(clerk: httpx.AsyncClient) -> None:
    case = (await clerk.post("/api/cases", json=filing())).json()
    here = f"/cases/{case['id']}/edit"
    opened = version_in((await clerk.get(here)).text)
    await clerk.patch(f"/api{here.removesuffix('/edit')}", json={"claim_amount": "700000.00"})
    await saved_late(clerk, opened, here, {**CASE, "cause": "买卖合同纠纷"}, ["700000.00", "624998.14", "买卖合同纠纷"])
    now = (await clerk.get(f"/api/cases/{case['id']}")).json()
    assert (now["cause"], now["claim_amount"]) == ("买卖合同纠纷", "624998.14")


async def test_the_same_form_sent_twice_is_no_conflict(clerk: httpx.AsyncClient) -> None:
    case = (await clerk.post("/api/cases", json=filing())).json()
    here = f"/cases/{case['id']}/edit"
    form = {**CASE, "cause": "买卖合同纠纷", "version": version_in((await clerk.get(here)).text)}
    assert [(await clerk.post(here, data=form)).status_code for _ in range(2)] == [303, 303]


async def test_a_party_is_not_changed_over_what_another_changed(clerk: httpx.AsyncClient) -> None:
    case = (await clerk.post("/api/cases", json=filing())).json()
    one = case["parties"][0]["id"]
    here = f"/cases/{case['id']}/parties/{one}/edit"
    opened = version_in((await clerk.get(here)).text)
    changed = await clerk.patch(f"/api/cases/{case['id']}/parties/{one}", json={"phone": "19900000077"})
    assert changed.status_code == 200
    form = {**PARTY, "role": "申请执行人", "id_kind": "居民身份证"}
    await saved_late(clerk, opened, here, form, ["199****0077", "19900000005"])


async def test_an_invented_version_shows_nobodys_particulars(clerk: httpx.AsyncClient) -> None:
    """Whoever posts other values over a version that nobody gave would read the true ones without a recorded look."""
    case = (await clerk.post("/api/cases", json=filing())).json()
    one = case["parties"][0]["id"]
    here = f"/cases/{case['id']}/parties/{one}/edit"
    dummy = {"id_number": "500107199201019998", "phone": "19900009999", "email": "x@y.cn", "postal_address": "北京市"}
    shown = await clerk.post(here, data={**dummy, "version": "x"}, headers=HTML)
    assert (shown.status_code, "现在登记的" in shown.text) == (409, True)
    true = [value for field in dummy if (value := party().get(field))]
    assert len(true) >= 3
    assert [value for value in true if value in shown.text] == []


async def test_a_case_is_not_assigned_over_another_assignment(clerk: httpx.AsyncClient) -> None:
    case = (await clerk.post("/api/cases", json=filing())).json()
    opened = version_in((await clerk.get(f"/cases/{case['id']}")).text)
    await clerk.post(f"/api/cases/{case['id']}/assignment", json={"judge_id": str(JUDGES[0])})
    form = {"judge_id": str(JUDGES[1])}
    await saved_late(clerk, opened, f"/cases/{case['id']}/assignment", form, ["法官1", "法官2"])


@pytest.mark.parametrize("by_header", [True, False])
async def test_a_stale_patch_names_both_values(clerk: httpx.AsyncClient, *, by_header: bool) -> None:
    case = (await clerk.post("/api/cases", json=filing())).json()
    path = f"/api/cases/{case['id']}"
    read = await clerk.get(path)
    version = read.json()["version"]
    assert read.headers["etag"] == f'"{version}"'
    assert (await clerk.patch(path, json={"cause": "甲纠纷"}, headers={"If-Match": f'"{version}"'})).status_code == 200
    seen = {"headers": {"If-Match": f'"{version}"'}} if by_header else {}
    body = {"cause": "乙纠纷"} | ({} if by_header else {"version": version})
    stale = await clerk.patch(path, json=body, **seen)
    problem = stale.json()
    assert (stale.status_code, problem["code"]) == (409, "stale_version")
    assert problem["differences"] == [{"field": "cause", "mine": "乙纠纷", "theirs": "甲纠纷"}]
    assert (await clerk.patch(path, json={**body, "version": problem["version"]})).json()["cause"] == "乙纠纷"
    one = (await clerk.get(path)).json()["parties"][0]
    other = f"{path}/parties/{one['id']}"
    assert (await clerk.patch(other, json={"phone": "19900000077", "version": one["version"]})).status_code == 200
    stale = await clerk.patch(other, json={"phone": "19900000078"}, headers={"If-Match": one["version"]})
    assert stale.json()["differences"] == [{"field": "phone", "mine": "19900000078", "theirs": "199****0077"}]
    assert "19900000077" not in stale.text, "what another wrote is masked as everywhere"
    assert party()["phone"] not in stale.text


async def test_a_patch_without_a_version_undoes_nobodys_change(fresh_database: FreshDatabase) -> None:
    kit = await make_kit(CASE_INTAKE, await fresh_database(CASE_INTAKE))
    await Feeder(CASE_INTAKE, kit).feed(*map(judge, JUDGES))
    async with client(CASE_INTAKE, kit, Role.CLERK) as one, client(CASE_INTAKE, kit, Role.CLERK) as other:
        case = (await one.post("/api/cases", json=filing())).json()
        here, party_id = f"/api/cases/{case['id']}", case["parties"][0]["id"]
        await takes_turns(one, other, here, ("cause", "甲纠纷", "乙纠纷", "丙纠纷"))
        there = f"{here}/parties/{party_id}"
        await takes_turns(one, other, there, ("postal_address", "重庆市甲路1号", "重庆市乙路2号", "重庆市丙路3号"))
        assert party()["phone"] not in (await other.patch(there, json={"phone": "19900000079"})).text
        to = f"{here}/assignment"
        first, second = ({"judge_id": str(each)} for each in JUDGES[:2])
        assert (await one.post(to, json=first)).status_code == 200
        refused = (await other.post(to, json=second)).json()
        assert (refused["code"], len(refused["differences"])) == ("stale_version", 1)
        assert (await one.post(to, json=second)).status_code == 200, "one's own assignment"
        version = (await other.get(here)).json()["assignment_version"]
        assert (await other.post(to, json=first, headers={"If-Match": version})).status_code == 200
    await kit.db.close()


async def takes_turns(
    one: httpx.AsyncClient, other: httpx.AsyncClient, path: str, change: tuple[str, str, str, str]
) -> None:
    """As it was made anybody saves; then only whoever did so last, or who names the version of what the other wrote."""
    field, first, second, third = change
    assert (await one.patch(path, json={field: first})).status_code == 200
    assert (await one.patch(path, json={field: second})).status_code == 200, "one's own change stands on top"
    for matches in ({}, {"If-Match": "*"}):
        refused = await other.patch(path, json={field: third}, headers=matches)
        problem = refused.json()
        assert (refused.status_code, problem["code"], "没有写明" in problem["detail"]) == (409, "stale_version", True)
        assert [(each["field"], each["mine"]) for each in problem["differences"]] == [(field, third)]
    assert (await other.patch(path, json={field: second})).status_code == 200, "it changes nothing"
    assert (await other.patch(path, json={field: third, "version": problem["version"]})).status_code == 200
    assert (await one.patch(path, json={field: first})).status_code == 409
    assert (await other.patch(path, json={field: first})).status_code == 200


async def test_a_member_is_not_changed_over_what_another_administrator_changed(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    empty = replace(STAFF, start=None)
    kit: Kit[Any] = await make_kit(empty, await fresh_database(empty))
    kit = replace(kit, run=RunSettings(environment=Environment.TEST, data=tmp_path))
    async with client(STAFF, kit, Role.ADMIN) as one, client(STAFF, kit, Role.ADMIN) as other:
        new = {**MEMBER, "login": "zhou", "roles": ["judge"]}
        member = (await one.post("/api/staff/members", json=new)).json()["member"]
        await takes_turns(one, other, f"/api/staff/members/{member['id']}", ("name", "周甲", "周乙", "周丙"))
    await kit.db.close()
