"""A session that ends in mid-form loses nothing that was typed, and goes on after sign-in."""

from collections.abc import AsyncIterator
from dataclasses import replace
from html import unescape
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher

from services.case_intake.service import SERVICE as CASE_INTAKE
from services.staff.domain.people import Member
from services.staff.service import SERVICE as STAFF
from services.staff.usecases.members import enrol
from shared.http.auth import STAFF_COOKIE
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.filing import filing
from tests.fixtures.kits import caller, client, make_kit
from tests.fixtures.page_forms import CASE

BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}
PASSWORD = "kx7m-9qfw-2hcd"
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
TYPED = "第一行\r\n第二行<b>&"


class Court:
    """The door and the filing office, with a browser that is signed in nowhere."""

    def __init__(self, door: Kit[Any], office: Kit[Any]) -> None:
        self.door, self.office = door, office
        self.ids: dict[str, str] = {}
        self.at_door = client(STAFF, door)
        self.at_office = client(CASE_INTAKE, office)
        for http in (self.at_door, self.at_office):
            http.headers.update(BROWSER)

    async def enrol(self, role: Role) -> None:
        """Somebody whose login is the role's name."""
        known = caller(role)
        self.ids[role.value] = str(known.staff_id)
        member = Member(
            id=known.staff_id,
            login=role.value,
            name=known.name,
            phone="023-67670001",
            department=known.department,
            panel=None,
            roles=(role,),
            court="渝05",
            active=True,
            must_change=False,
        )
        async with self.door.db.begin() as tx:
            await enrol(tx, member, HASHED)

    async def close(self) -> None:
        for http in (self.at_door, self.at_office):
            await http.aclose()
        for kit in (self.door, self.office):
            await kit.db.close()


@pytest.fixture
async def court(fresh_database: FreshDatabase) -> AsyncIterator[Court]:
    empty = replace(STAFF, start=None)
    door = await make_kit(empty, await fresh_database(empty))
    office = await make_kit(CASE_INTAKE, await fresh_database(CASE_INTAKE))
    made = Court(door, replace(office, staff_tokens=door.staff_tokens, staff_signer=door.staff_signer))
    for role in (Role.CLERK, Role.JUDGE):
        await made.enrol(role)
    yield made
    await made.close()


def kept_in(page: str) -> str:
    return page.split('name="kept" value="')[1].split('"', maxsplit=1)[0]


def fields_in(page: str) -> dict[str, str]:
    """What the page would send, as a browser reads it."""
    found = {}
    for part in page.split('<textarea name="')[1:]:
        name, _, rest = part.partition('"')
        found[name] = unescape(rest.partition(">")[2].partition("</textarea>")[0].removeprefix("\n"))
    return found


async def test_what_was_typed_goes_on_after_sign_in(court: Court) -> None:
    async with client(CASE_INTAKE, court.office, Role.CLERK) as clerk:
        case = (await clerk.post("/api/cases", json=filing())).json()
        here = f"/cases/{case['id']}/edit"
        version = (await clerk.get(here)).text.split('name="version" value="')[1].split('"')[0]
    form = {**CASE, "obligation": TYPED, "version": version, "_by": court.ids["clerk"], "password": "geheim"}
    ended = await court.at_office.post(here, data=form, headers={"referer": f"http://test{here}"})
    assert (ended.status_code, "没有丢失" in ended.text, "第二行" in ended.text) == (401, True, False)
    door = await court.at_door.post("/sign-in/resume", data={"kept": kept_in(ended.text)})
    assert (door.status_code, "登录后继续提交" in door.text) == (200, True)
    wrong = {"login": "clerk", "password": "x", "next": "", "kept": kept_in(door.text)}
    again = await court.at_door.post("/sign-in", data=wrong)
    assert again.status_code == 401
    right = {**wrong, "password": PASSWORD, "kept": kept_in(again.text)}
    page = await court.at_door.post("/sign-in", data=right)
    assert (page.status_code, f'action="{here}"' in page.text, "data-go-on" in page.text) == (200, True, False)
    sent = fields_in(page.text)
    assert (sent["obligation"].replace("\r", ""), "password" in sent) == (TYPED.replace("\r", ""), False)
    court.at_office.cookies.set(STAFF_COOKIE, page.cookies[STAFF_COOKIE])
    saved = await court.at_office.post(here, data=sent)
    assert saved.status_code == 303
    assert "第二行" in (await court.at_office.get(saved.headers["location"])).text


async def test_a_shift_that_still_lasts_goes_on_by_itself(court: Court) -> None:
    login = {"login": "clerk", "password": PASSWORD}
    await court.at_door.post("/sign-in", data=login)
    ended = await court.at_office.post("/cases/new", data={"cause": "借款"})
    page = await court.at_door.post("/sign-in/resume", data={"kept": kept_in(ended.text)})
    assert (page.status_code, "data-go-on" in page.text, fields_in(page.text)) == (200, True, {"cause": "借款"})
    assert page.cookies[STAFF_COOKIE]


async def test_nobody_goes_on_with_what_another_typed(court: Court) -> None:
    ended = await court.at_office.post("/cases/new", data={"cause": "借款合同", "_by": court.ids["clerk"]})
    other = {"login": "judge", "password": PASSWORD, "kept": kept_in(ended.text)}
    page = await court.at_door.post("/sign-in", data=other)
    assert ("另一位同事" in page.text, "借款合同" in page.text) == (True, False)


async def test_files_are_asked_for_again(court: Court) -> None:
    files = {"file": ("cases.csv", b"x")}
    ended = await court.at_office.post("/cases/import", files=files, headers={"referer": "http://test/cases/import"})
    given = {"login": "clerk", "password": PASSWORD, "kept": kept_in(ended.text)}
    page = await court.at_door.post("/sign-in", data=given)
    assert ("请重新选择文件" in page.text, 'href="/cases/import"' in page.text) == (True, True)


@pytest.mark.parametrize(("characters", "carried"), [(9_000, True), (30_000, False)])
async def test_a_form_too_long_to_be_carried_keeps_nobody_out_of_the_door(
    court: Court, characters: int, carried: bool
) -> None:
    """Sealed, it would come in again beside login and password: longer than what anybody may send."""
    typed = {f"note-{at}": "义" * 3_000 for at in range(characters // 3_000)}
    ended = await court.at_office.post("/cases/new", data=typed)
    assert (ended.status_code, 'name="kept" value="' in ended.text) == (401, carried)
    kept = kept_in(ended.text) if carried else ""
    page = await court.at_door.post("/sign-in", data={"login": "clerk", "password": PASSWORD, "kept": kept})
    assert page.status_code == (200 if carried else 303)


@pytest.mark.parametrize("kept", ["", "x", "k1.AAAA"])
async def test_what_is_no_kept_form_leads_to_the_work(court: Court, kept: str) -> None:
    given = {"login": "clerk", "password": PASSWORD, "kept": kept}
    assert (await court.at_door.post("/sign-in", data=given)).headers["location"] == "/cases"


async def test_another_site_cannot_have_a_form_kept(court: Court) -> None:
    strange = {"sec-fetch-site": "cross-site"}
    refused: httpx.Response = await court.at_office.post("/cases/new", data={"cause": "x"}, headers=strange)
    assert (refused.status_code, "kept" in refused.text) == (403, False)
    refused = await court.at_door.post("/sign-in/resume", data={"kept": "x"}, headers=strange)
    assert refused.status_code == 403


@pytest.mark.parametrize("size", [80_000, 900_000])
async def test_what_is_too_large_to_be_carried_is_not_dropped_without_a_word(court: Court, size: int) -> None:
    ended = await court.at_office.post("/cases/new", data={"obligation": "a" * size})
    assert (ended.status_code, 'name="kept"' in ended.text) == (401, False)
    assert "无法随登录保留" in ended.text
    assert "请先在浏览器中“后退”" in ended.text
    script = await court.at_office.post("/cases/new", json={"obligation": "a"})
    assert "无法随登录保留" not in script.text
