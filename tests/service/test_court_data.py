"""The court's account and telephones: one person asks for a change, another confirms it, and every process follows."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.case_intake.service import SERVICE as CASE_INTAKE
from services.party_notification.service import SERVICE as NOTICES
from services.party_notification.store import tables
from services.staff.service import SERVICE as STAFF
from shared.contracts.cases import PartyRole
from shared.contracts.envelope import Event
from shared.contracts.staff import ChangeState, CourtData, CourtDataChanged
from shared.db.transaction import new_id
from shared.powers import Role
from shared.runtime.court import CourtFollower, on_court_data_changed
from shared.runtime.service import Kit
from tests.fixtures.case_story import Story, person
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import NOON, app_of, caller, client, make_kit, told
from tests.fixtures.page_forms import COURT_DATA

HTML = {"accept": "text/html"}
NEW = "3106 0101 0400 09999"
PATH = "/api/staff/court/changes"


@pytest.fixture
async def kit(fresh_database: FreshDatabase) -> AsyncIterator[Kit[Any]]:
    empty = replace(STAFF, start=None)
    kit = await make_kit(empty, await fresh_database(empty))
    yield kit
    await kit.db.close()


def people(kit: Kit[Any], *roles: Role) -> list[httpx.AsyncClient]:
    return [client(STAFF, kit, role) for role in roles]


async def test_a_change_holds_once_another_person_has_confirmed_it(kit: Kit[Any]) -> None:
    office, president = people(kit, Role.OFFICE, Role.PRESIDENT)
    before = (await office.get("/api/staff/court")).json()
    asked = await office.post(PATH, json={**COURT_DATA, "case_account_number": NEW, "version": before["version"]})
    assert (asked.status_code, asked.json()["state"]) == (201, "proposed")
    waiting = (await president.get("/api/staff/court")).json()
    assert (waiting["data"], waiting["pending"]["id"]) == (before["data"], asked.json()["id"])
    confirmed = await president.post(f"{PATH}/{asked.json()['id']}/confirm")
    assert (confirmed.status_code, confirmed.json()["decider"]) == (200, "测试院长")
    now = (await office.get("/api/staff/court")).json()
    assert (now["data"]["case_account_number"], now["pending"]) == (NEW, None)
    first, second = await told(kit, CourtDataChanged)
    assert (first.state, first.data.case_account_number) == (ChangeState.PROPOSED, "0000 0000 0000 0000")
    assert (second.state, second.data.case_account_number, second.fields) == (
        ChangeState.CONFIRMED,
        NEW,
        ("case_account_number",),
    )
    (kept,) = (await office.get(PATH)).json()["items"]
    assert (kept["before"]["case_account_number"], kept["proposed"]["case_account_number"]) == (
        "0000 0000 0000 0000",
        NEW,
    )
    again = await president.post(f"{PATH}/{asked.json()['id']}/confirm")
    assert (again.status_code, again.json()["code"]) == (409, "change_decided")


async def test_nobody_confirms_their_own(kit: Kit[Any]) -> None:
    one = replace(caller(Role.OFFICE), roles=frozenset({Role.OFFICE, Role.PRESIDENT}))
    bearer = {"authorization": "Bearer " + kit.staff_signer.for_staff(one, timedelta(hours=1))}
    transport = httpx.ASGITransport(app_of(STAFF, kit), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=bearer) as both:
        change = (await both.post(PATH, json={**COURT_DATA, "case_account_number": NEW})).json()["id"]
        for outcome in ("confirm", "reject"):
            refused = await both.post(f"{PATH}/{change}/{outcome}")
            assert (refused.status_code, refused.json()["code"]) == (403, "own_change")
        page = await both.get("/staff/court", headers=HTML)
        assert ("须由另一人确认" in page.text, f"{change}/confirm" in page.text) == (True, False)
        (management,) = people(kit, Role.MANAGEMENT)
        assert (await management.post(f"{PATH}/{change}/withdraw")).json()["code"] == "not_own_change"
        assert (await both.post(f"{PATH}/{change}/withdraw")).json()["state"] == "withdrawn"
    assert [event.data.case_account_number for event in await told(kit, CourtDataChanged)] == [
        "0000 0000 0000 0000"
    ] * 2


async def test_only_office_and_management_ask_for_a_change(kit: Kit[Any]) -> None:
    for role in sorted(set(Role) - {Role.OFFICE, Role.MANAGEMENT}):
        (http,) = people(kit, role)
        assert (await http.post(PATH, json={**COURT_DATA, "case_account_number": NEW})).status_code == 403
        for outcome in ("confirm", "reject"):
            answer = await http.post(f"{PATH}/{new_id()}/{outcome}")
            assert answer.status_code == (404 if role in {Role.PRESIDENT, Role.CHIEF, Role.INTEGRITY} else 403)


async def test_one_change_at_a_time_and_none_over_an_old_page(kit: Kit[Any]) -> None:
    office, chief, other = people(kit, Role.OFFICE, Role.CHIEF, Role.OFFICE)
    same = await office.post(PATH, json=COURT_DATA)
    assert (same.status_code, same.json()["code"]) == (422, "invalid")
    faulty = await office.post(PATH, json={**COURT_DATA, "case_account_number": "x", "duty_phone": "13900001234"})
    assert {error["field"] for error in faulty.json()["errors"]} == {"case_account_number", "duty_phone"}
    version = (await office.get("/api/staff/court")).json()["version"]
    change = (await office.post(PATH, json={**COURT_DATA, "duty_phone": "023-67670009"})).json()["id"]
    second = await office.post(PATH, json={**COURT_DATA, "duty_phone": "023-67670008"})
    assert second.json()["code"] == "change_pending"
    await chief.post(f"{PATH}/{change}/confirm")
    late = await office.post(PATH, json={**COURT_DATA, "case_account_number": NEW, "version": version})
    assert (late.status_code, late.json()["code"]) == (409, "stale_version")
    assert "023-67670009" in late.text
    another = await other.post(PATH, json={**COURT_DATA, "case_account_number": NEW})
    assert (another.status_code, another.json()["code"]) == (409, "stale_version")
    assert "023-67670009" in another.text, "without a version nobody takes back what another changed"
    own = await office.post(PATH, json={**COURT_DATA, "case_account_number": NEW})
    assert own.status_code == 201


async def test_the_pages_show_what_waits_to_whoever_should_know(kit: Kit[Any]) -> None:
    office, integrity, judge = people(kit, Role.OFFICE, Role.INTEGRITY, Role.JUDGE)
    page = (await office.get("/staff/court", headers=HTML)).text
    version = page.split('name="version" value="')[1].split('"')[0]
    form = {**COURT_DATA, "case_account_number": NEW, "version": version}
    faulty = await office.post("/staff/court", data={**form, "reason": ""}, headers=HTML)
    assert (faulty.status_code, NEW in faulty.text) == (422, True)
    assert (await office.post("/staff/court", data=form, headers=HTML)).status_code == 303
    await follow(kit, *await told(kit, CourtDataChanged))
    shown = (await integrity.get("/staff/court", headers=HTML)).text
    assert ("等待另一人确认" in shown, "确认变更" in shown, NEW in shown) == (True, True, True)
    change = shown.split("/staff/court/changes/")[1].split("/")[0]
    assert (await judge.get("/staff/court", headers=HTML)).status_code == 403
    assert (await integrity.post(f"/staff/court/changes/{change}/confirm", headers=HTML)).status_code == 303
    await follow(kit, *await told(kit, CourtDataChanged))
    shown = (await integrity.get("/staff/court?done=confirmed", headers=HTML)).text
    assert ("已确认" in shown, "案款账户账号已于" in shown) == (True, True)
    assert kit.court.case_account_number == NEW


async def follow(kit: Kit[Any], *events: Event) -> None:
    """What a process of the service does with the events, and then at its next look."""
    async with kit.db.begin() as tx:
        for event in events:
            await on_court_data_changed(tx, event, None)  # type: ignore[arg-type]
    await CourtFollower(kit).step()


def changed(**data: str) -> CourtDataChanged:
    held = CourtData(**{name: text for name, text in COURT_DATA.items() if name in CourtData.model_fields})
    new = held.model_copy(update=data)
    return CourtDataChanged(
        court="渝05",
        change_id=new_id(),
        state=ChangeState.CONFIRMED,
        data=new,
        proposed=new,
        fields=tuple(data),
        proposed_by=new_id(),
        proposer="审管办",
        decided_by=new_id(),
        decider="院长",
        at=NOON,
    )


async def test_a_letter_written_after_the_confirmation_carries_the_new_account(fresh_database: FreshDatabase) -> None:
    kit = await make_kit(NOTICES, await fresh_database(NOTICES))
    story = Story(kit)

    async def letters() -> list[str]:
        rows = [row for row in await story.rows(tables.notices) if row.letter]
        return [kit.keyring.open(row.letter, str(row.notice_id)) for row in rows]

    await story.file(person(PartyRole.APPLICANT, "刘艳", 5), person(PartyRole.RESPONDENT, "张静", 6))
    before = await letters()
    assert any("0000 0000 0000 0000" in letter for letter in before)
    await follow(kit, changed(case_account_number=NEW, supervision_phone="023-67670002"))
    await story.file(person(PartyRole.APPLICANT, "王芳", 7), person(PartyRole.RESPONDENT, "李强", 8))
    after = await letters()
    new = [letter for letter in after if letter not in before]
    assert set(before) <= set(after), "what was written stays as it was"
    assert any(NEW in letter for letter in new)
    assert not any("0000 0000 0000 0000" in letter or "023-12345678" in letter for letter in new)
    async with client(NOTICES, kit) as http:
        assert "023-67670002" in (await http.get("/verify", headers=HTML)).text
    await kit.db.close()


async def test_every_service_follows_and_a_restart_remembers(fresh_database: FreshDatabase) -> None:
    kit = await make_kit(CASE_INTAKE, await fresh_database(CASE_INTAKE))
    await follow(kit, changed(duty_phone="023-67670009"))
    assert kit.court.duty_phone == "023-67670009"
    restarted = replace(kit, court=type(kit.court)())
    assert restarted.court.duty_phone != "023-67670009"
    await CourtFollower(restarted).step()
    assert restarted.court.duty_phone == "023-67670009"
    await kit.db.close()
