"""Parties filed by mistake, and contacts whose holders say that they are somebody else."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.imports import work_through
from shared.contracts.cases import JudgeCorrected, PartyAdded, PartyMisfiled
from shared.contracts.notices import ContactConfirmed, ContactDisowned
from shared.contracts.stages import Milestone, MilestoneReached
from shared.powers import Role
from tests.fixtures.filing import JUDGES, filing, judge, party, respondent
from tests.fixtures.kits import KEYRING, NOON, Feeder, client, told
from tests.service.test_import import HEADER, LINES

BASES = [f"（2025）渝05民终{serial}号" for serial in (8685, 8686, 8687)]


@pytest.fixture
def kit(kit: IntakeKit) -> IntakeKit:
    kit.settings.import_wait_seconds = 0
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def filed(clerk: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    body: dict[str, Any] = (await clerk.post("/api/cases", json=filing(**changes))).json()
    return body


async def page(clerk: httpx.AsyncClient, case: dict[str, Any]) -> str:
    return (await clerk.get(f"/cases/{case['id']}", headers={"accept": "text/html"})).text


async def test_a_misfiled_party_counts_no_more(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    path = f"/api/cases/{case['id']}/parties/{case['parties'][1]['id']}"
    answer = await clerk.post(f"{path}/misfiled")
    assert (answer.status_code, answer.json()["lacks"]) == (200, ["respondent"])
    assert [one["role"] for one in answer.json()["parties"]] == ["applicant"]
    again = await clerk.post(f"{path}/misfiled")
    assert (again.status_code, again.json()["code"]) == (409, "party_misfiled")
    assert (await clerk.patch(path, json={"phone": "19900000077"})).status_code == 404
    (event,) = await told(kit, PartyMisfiled)
    assert str(event.party_id) == case["parties"][1]["id"]
    shown = await page(clerk, case)
    assert "曾误录的当事人（1名）" in shown
    assert "缺被执行人，暂不通知任何人" in shown


async def test_who_was_misfiled_may_be_registered_again_on_purpose(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk, parties=[party(), respondent(), respondent(id_number="50010319881216000X")])
    base = f"/api/cases/{case['id']}/parties"
    left = await clerk.post(f"{base}/{case['parties'][1]['id']}/misfiled")
    assert (left.json()["lacks"], len(left.json()["parties"])) == ([], 2)
    assert (await clerk.post(base, json=respondent())).status_code == 201
    assert len(await told(kit, PartyAdded)) == 1
    unknown = await clerk.post(f"{base}/{case['id']}/misfiled")
    assert unknown.status_code == 404


async def test_the_same_file_again_does_not_bring_a_misfiled_party_back(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    files = {"file": ("案件.csv", "\n".join([HEADER, *LINES[:2]]).encode())}
    await clerk.post("/api/cases/import", files=files)
    await work_through(kit)
    case = (await clerk.get(f"/api/cases/{LINES[0].split(',')[0]}")).json()
    await clerk.post(f"/api/cases/{case['id']}/parties/{case['parties'][1]['id']}/misfiled")
    again = (await clerk.post("/api/cases/import", files=files)).json()["id"]
    await work_through(kit)
    report = (await clerk.get(f"/api/cases/imports/{again}")).json()
    assert (report["unchanged"], [fault["line"] for fault in report["faults"]]) == (1, [3])
    assert "误录" in report["faults"][0]["reason"]
    assert await told(kit, PartyAdded) == []


async def test_on_the_page_it_is_asked_for_twice(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    path = f"/cases/{case['id']}/parties/{case['parties'][1]['id']}/misfiled"
    assert path in await page(clerk, case)
    answer = await clerk.post(path, headers={"accept": "text/html"})
    assert "done=misfiled" in answer.headers["location"]
    assert (await clerk.post(path, headers={"accept": "text/html"})).status_code == 409
    async with client(SERVICE, kit, Role.JUDGE) as judges:
        assert path not in await page(judges, case)
        assert (await judges.post(f"/api{path}")).status_code == 403


def disowned(case: dict[str, Any], at: int, channel: str) -> ContactDisowned:
    facts = {"case_id": case["id"], "party_id": case["parties"][at]["id"], "channel": channel, "disowned_at": NOON}
    return ContactDisowned.model_validate(facts)


async def test_a_disowned_contact_is_in_doubt_until_it_is_changed(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    await Feeder(SERVICE, kit).feed(disowned(case, 0, "sms"), disowned(case, 0, "mail"))
    shown = await page(clerk, case)
    assert "该手机号持有人称不是本人，请核实" in shown
    assert "该邮箱持有人称不是本人，请核实" in shown
    path = f"/api/cases/{case['id']}/parties/{case['parties'][0]['id']}"
    assert (await clerk.patch(path, json={"postal_address": "重庆市涪陵区"})).json()["parties"][0]["disowned"] == [
        "sms",
        "mail",
    ]
    assert (await clerk.patch(path, json={"phone": "19900000077"})).json()["parties"][0]["disowned"] == ["mail"]
    assert (await clerk.patch(path, json={"email": None})).json()["parties"][0]["disowned"] == []
    assert "不是本人" not in await page(clerk, case)


def named(case: dict[str, Any], address: str, **told: Any) -> ContactDisowned:
    """The same of the first party's telephone, as a newer service tells it: it says which."""
    party_id = case["parties"][0]["id"]
    sealed = KEYRING.seal(address, party_id)
    facts = {"case_id": case["id"], "party_id": party_id, "channel": "sms", "disowned_at": NOON, "address": sealed}
    return ContactDisowned.model_validate({**facts, **told})


def confirmed(case: dict[str, Any], address: str) -> ContactConfirmed:
    facts = named(case, address).model_dump(exclude={"disowned_at", "registered"})
    how = {"confirmed_by": case["id"], "confirmed_at": NOON, "how": "x"}
    return ContactConfirmed.model_validate({**facts, **how})


async def test_only_the_number_that_was_disowned_is_marked_and_only_while_it_is_registered(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    case = await filed(clerk)
    path = f"/api/cases/{case['id']}/parties/{case['parties'][0]['id']}"
    assert (await clerk.patch(path, json={"phone": "19900000077"})).status_code == 200
    feeder = Feeder(SERVICE, kit)

    async def marked() -> list[str]:
        found: list[str] = (await clerk.get(f"/api/cases/{case['id']}")).json()["parties"][0]["disowned"]
        return found

    await feeder.feed(named(case, "19900000078"), named(case, "19900000077", registered=False))
    assert await marked() == [], "a former number casts no doubt on the present one"
    await feeder.feed(named(case, "19900000077"))
    assert await marked() == ["sms"]
    await feeder.feed(confirmed(case, "19900000078"))
    assert await marked() == ["sms"]
    await feeder.feed(confirmed(case, "19900000077"))
    assert await marked() == []


async def test_a_minors_telephone_in_doubt_is_the_guardians(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    child = party(id_number="50010820150601000X", guardian_name="何建", guardian_phone="19900000001")
    case = await filed(clerk, parties=[child, respondent()])
    await Feeder(SERVICE, kit).feed(disowned(case, 0, "sms"))
    path = f"/api/cases/{case['id']}/parties/{case['parties'][0]['id']}"
    assert (await clerk.patch(path, json={"phone": "19900000077"})).json()["parties"][0]["disowned"] == ["sms"]
    answer = await clerk.patch(path, json={"guardian_phone": "19900000078"})
    assert answer.json()["parties"][0]["disowned"] == []


async def test_a_judges_new_name_or_landline_is_told_for_each_open_case(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    feeder = Feeder(SERVICE, kit)
    await feeder.feed(judge(JUDGES[0]))
    first, second = [await filed(clerk, assign="auto", basis_document=basis) for basis in BASES[:2]]
    closure = {"case_id": first["id"], "milestone": Milestone.CLOSURE, "on": "2026-11-23"}
    await feeder.feed(MilestoneReached.model_validate(closure), judge(JUDGES[0], panel="执行二合议庭"))
    assert await told(kit, JudgeCorrected) == []
    await feeder.feed(judge(JUDGES[0], phone="023-67670009"), judge(JUDGES[0], phone="023-67670009"))
    (event,) = await told(kit, JudgeCorrected)
    assert (str(event.case_id), event.judge.phone) == (second["id"], "023-67670009")


async def test_a_closed_case_burdens_its_judge_no_more(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    feeder = Feeder(SERVICE, kit)
    await feeder.feed(*map(judge, JUDGES[:2]))
    first, _ = [await filed(clerk, assign="auto", basis_document=basis) for basis in BASES[:2]]
    held = (await clerk.get(f"/api/cases/{first['id']}")).json()["judge"]["staff_id"]
    for milestone in (Milestone.SERVICE, Milestone.CLOSURE):
        facts = {"case_id": first["id"], "milestone": milestone, "on": "2026-11-23"}
        await feeder.feed(MilestoneReached.model_validate(facts))
    third = await filed(clerk, assign="auto", basis_document=BASES[2])
    assert (await clerk.get(f"/api/cases/{third['id']}")).json()["judge"]["staff_id"] == held
