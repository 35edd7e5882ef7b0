"""Parties are masked for staff; whoever needs more looks, and the look is told of."""

from collections.abc import AsyncIterator
from datetime import timedelta

import httpx
import pytest

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from shared.contracts.cases import PartyChanged
from shared.contracts.looks import LookTaken, Seen
from shared.db.transaction import new_id
from shared.powers import Role
from tests.fixtures.filing import JUDGES, filing, judge
from tests.fixtures.kits import Feeder, caller, client, told


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def filed(clerk: httpx.AsyncClient) -> str:
    """A case; its id."""
    answer = await clerk.post("/api/cases", json=filing())
    assert answer.status_code == 201, answer.text
    case_id: str = answer.json()["id"]
    return case_id


async def _party_of(clerk: httpx.AsyncClient, case: str) -> str:
    party_id: str = (await clerk.get(f"/api/cases/{case}")).json()["parties"][0]["id"]
    return party_id


async def test_parties_are_masked_until_somebody_looks_and_the_look_is_told_of(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    case = await filed(clerk)
    secrets = ("510212199101060000", "19900000005", "u1@example.com", "三峡广场", "19900000006")
    page = (await clerk.get(f"/cases/{case}")).text
    answer = (await clerk.get(f"/api/cases/{case}")).text
    assert [word for word in secrets if word in page + answer] == []
    for shown in ("5102************00", "199****0005", "u***@example.com", "重庆市沙坪坝****"):
        assert shown in page
        assert shown in answer
    assert "查看完整的证件号码、电话和地址" in page
    short = await clerk.post(f"/cases/{case}/looks", data={"reason": "看看"})
    assert (short.status_code, "至少8个字" in short.text) == (422, True)
    assert [word for word in secrets if word in short.text] == []
    looked = await clerk.post(f"/cases/{case}/looks", data={"reason": "核对送达地址，联系当事人。"})
    assert [word for word in secrets if word not in looked.text] == []
    assert "本次查看已经记录" in looked.text
    (look,) = await told(kit, LookTaken)
    assert (look.seen, look.own, look.by_name) == (Seen.PARTY, False, "测试立案人员")
    assert kit.exchange.open(look.reason, str(look.look_id)) == "核对送达地址，联系当事人。"
    assert (await clerk.get(f"/cases/{case}/parties/{await _party_of(clerk, case)}/edit")).status_code == 200
    assert [look.seen for look in await told(kit, LookTaken)] == [Seen.PARTY, Seen.FORM]


async def test_the_cases_own_people_need_no_reason_and_others_of_the_bench_do(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    feeder = Feeder(SERVICE, kit)
    presiding, stranger = new_id(), new_id()
    await feeder.feed(judge(JUDGES[0]), judge(presiding, roles=(Role.PRESIDING,), name="审判长甲"))
    await feeder.feed(judge(stranger, roles=(Role.PRESIDING,), panel="变现合议庭", name="审判长乙"))
    case = await filed(clerk)
    assigned = {"judge_id": str(JUDGES[0])}
    assert (await clerk.post(f"/api/cases/{case}/assignment", json=assigned)).status_code == 200
    path = f"/api/cases/{case}/looks"
    for staff_id, role, expected in (
        (JUDGES[0], Role.JUDGE, 200),
        (presiding, Role.PRESIDING, 200),
        (stranger, Role.PRESIDING, 422),
        (new_id(), Role.JUDGE, 422),
    ):
        token = kit.staff_signer.for_staff(caller(role, staff_id), timedelta(minutes=5))
        answer = await clerk.post(path, json={}, headers={"authorization": f"Bearer {token}"})
        assert answer.status_code == expected, role
        assert ("19900000005" in answer.text) == (expected == 200)
    assert [look.own for look in await told(kit, LookTaken)] == [True, True]


@pytest.mark.parametrize("role", [Role.DUTY, Role.OFFICE, Role.AUCTION, Role.PRESIDENT])
async def test_whose_act_needs_no_full_particulars_sees_none(
    kit: IntakeKit, clerk: httpx.AsyncClient, role: Role
) -> None:
    case = await filed(clerk)
    async with client(SERVICE, kit, role) as http:
        assert "199****0005" in (await http.get(f"/api/cases/{case}")).text
        reason = {"reason": "核对送达地址，联系当事人。"}
        assert (await http.post(f"/api/cases/{case}/looks", json=reason)).status_code == 403


@pytest.mark.parametrize(
    ("field", "mask"),
    [("postal_address", "重庆市沙坪坝****"), ("email", "u***@example.com"), ("phone", "199****0005")],
)
async def test_a_mask_is_never_saved_over_what_it_hides(
    kit: IntakeKit, clerk: httpx.AsyncClient, field: str, mask: str
) -> None:
    case = await filed(clerk)
    path = f"/api/cases/{case}/parties/{await _party_of(clerk, case)}"
    refused = await clerk.patch(path, json={field: mask})
    assert refused.status_code == 422
    assert "遮掩后的内容" in refused.text
    assert await told(kit, PartyChanged) == []
