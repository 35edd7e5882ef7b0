"""Filing on a real database: numbers, idempotency, corrections, parties, assignment, privacy."""

import asyncio
import importlib
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text
from stdnum.cn import ric

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.assignment import assign_waiting
from shared.contracts.cases import (
    AssignmentRule,
    CaseAssigned,
    CaseCorrected,
    CaseFiled,
    PartyAdded,
    PartyChanged,
    PartyIdentity,
    PartyRole,
)
from shared.db.transaction import new_id
from shared.powers import Role
from tests.fixtures.filing import JUDGES, filing, judge, party, respondent, reviewer
from tests.fixtures.kits import Feeder, as_owner, client, told
from tests.fixtures.statements import asked


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def filed(clerk: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await clerk.post("/api/cases", json=filing(**changes), headers={"Idempotency-Key": str(new_id())})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_case_is_filed_and_told_of_with_sealed_particulars(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    answer = await filed(clerk)
    assert answer["case_number"] == "（2026）渝05执1号"
    (event,) = await told(kit)
    assert isinstance(event, CaseFiled)
    assert str(event.case_id) == answer["id"]
    assert [fact.role for fact in event.parties] == [PartyRole.APPLICANT, PartyRole.RESPONDENT]
    assert event.facts.obligation is not None
    assert kit.keyring.open(event.facts.obligation, answer["id"]) == filing()["obligation"]
    first = event.parties[0]
    identity = kit.keyring.open_model(PartyIdentity, first.identity, str(first.party_id))
    assert (identity.name, identity.phone) == ("刘艳", "19900000005")


async def test_numbers_are_allotted_in_a_row_and_never_twice(clerk: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(filed(clerk) for _ in range(4)))
    assert {answer["case_number"] for answer in answers} == {f"（2026）渝05执{number}号" for number in (1, 2, 3, 4)}
    await filed(clerk, case_number="（2026）渝05执90号")
    await filed(clerk, case_number="（2026）渝05执恢500号")
    await filed(clerk, case_number="(2009)渝五中法执字第700号")
    assert (await filed(clerk))["case_number"] == "（2026）渝05执91号"
    assert (await filed(clerk, filed_on="2025-01-02"))["case_number"] == "（2025）渝05执1号"


@pytest.mark.parametrize("number", ["(2009)渝五中法执字第700号", "（2026）渝05执7号"])
@pytest.mark.parametrize("brackets", ["()", "（）", "〔〕"])
async def test_a_number_is_found_however_its_brackets_are_typed(
    clerk: httpx.AsyncClient, number: str, brackets: str
) -> None:
    await filed(clerk, case_number=number)
    typed = number.translate(str.maketrans("()（）", brackets * 2))
    assert (await clerk.get(f"/api/cases/{typed}")).json()["case_number"] == number
    for part in (typed, typed[:7], typed[6:]):
        found = (await clerk.get("/api/cases", params={"q": part})).json()["items"]
        assert [case["case_number"] for case in found] == [number], part


async def test_the_same_key_gets_the_same_answer_and_files_once(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    headers = {"Idempotency-Key": "k-1"}
    requests = (clerk.post("/api/cases", json=filing(), headers=headers) for _ in range(3))
    answers = await asyncio.gather(*requests)
    assert [answer.status_code for answer in answers] == [201, 201, 201]
    assert len({answer.text for answer in answers}) == 1
    assert len(await told(kit, CaseFiled)) == 1
    other = await clerk.post("/api/cases", json=filing(cause="买卖合同纠纷"), headers=headers)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")


async def test_a_number_on_file_is_a_conflict_and_writes_nothing(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    await filed(clerk, case_number="（2026）渝05执7号")
    again = await clerk.post("/api/cases", json=filing(case_number="（2026）渝05执7号"))
    assert (again.status_code, again.json()["code"]) == (409, "case_number_taken")
    assert len(await told(kit)) == 1


async def test_every_faulty_field_is_named_and_nothing_is_written(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    body = filing(claim_amount=-1, parties=[party(phone="12345", name=""), respondent(id_number="x")])
    del body["filed_on"]
    answer = await clerk.post("/api/cases", json=body)
    assert answer.status_code == 422
    named = {error["field"] for error in answer.json()["errors"]}
    assert named == {"filed_on", "claim_amount", "parties.0.phone", "parties.0.name", "parties.1.id_number"}
    assert await told(kit) == []


async def test_a_case_is_read_by_number_and_by_id(clerk: httpx.AsyncClient) -> None:
    answer = await filed(clerk)
    by_number = (await clerk.get(f"/api/cases/{answer['case_number']}")).json()
    assert by_number == (await clerk.get(f"/api/cases/{answer['id']}")).json()
    assert by_number["claim_amount"] == "624998.14"
    assert (by_number["states"], by_number["lacks"]) == (["unassigned"], [])
    assert by_number["parties"][0]["id_number"] == "5102************00"
    for unknown in ("（2026）渝05执9号", str(new_id()), "lanes-of-nobody"):
        assert (await clerk.get(f"/api/cases/{unknown}")).status_code == 404


async def test_the_list_goes_on_by_cursor_and_filters(clerk: httpx.AsyncClient) -> None:
    for number in range(5):
        await filed(clerk, filed_on=f"2026-11-0{number + 1}")
    await filed(clerk, case_number="（2026）渝05执恢1号", parties=[party()])
    seen, cursor = [], ""
    while cursor is not None:
        page = (await clerk.get("/api/cases", params={"limit": 2, "cursor": cursor})).json()
        seen += [item["case_number"] for item in page["items"]]
        cursor = page["next"]
    assert seen == ["（2026）渝05执恢1号", *(f"（2026）渝05执{number}号" for number in (5, 4, 3, 2, 1))]
    prefix = await clerk.get("/api/cases", params={"q": "（2026）渝05执恢"})
    assert [item["case_number"] for item in prefix.json()["items"]] == ["（2026）渝05执恢1号"]
    incomplete = (await clerk.get("/api/cases", params={"state": "incomplete"})).json()["items"]
    assert [item["lacks"] for item in incomplete] == [["respondent"]]
    assert (await clerk.get("/api/cases", params={"q": "%"})).json()["items"] == []
    assert (await clerk.get("/api/cases", params={"cursor": "zzz"})).status_code == 422


async def test_a_correction_is_told_once_with_the_whole_facts(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk, obligation=None)
    assert (await clerk.get(f"/api/cases/{case['id']}")).json()["lacks"] == ["obligation"]
    for _ in range(2):
        answer = await clerk.patch(f"/api/cases/{case['id']}", json={"obligation": "交付房屋", "claim_amount": None})
        assert (answer.status_code, answer.json()["lacks"], answer.json()["claim_amount"]) == (200, [], None)
    (event,) = await told(kit, CaseCorrected)
    assert kit.keyring.open(event.facts.obligation, case["id"]) == "交付房屋"
    assert event.facts.case_number == case["case_number"]
    faulty = await clerk.patch(f"/api/cases/{case['id']}", json={"cause": "", "claim_amount": "x"})
    assert [error["field"] for error in faulty.json()["errors"]] == ["cause", "claim_amount"]


async def test_a_party_joins_later_and_completes_the_case(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk, parties=[party()])
    path = f"/api/cases/{case['id']}/parties"
    answer = await clerk.post(path, json=respondent())
    assert (answer.status_code, answer.json()["states"], answer.json()["lacks"]) == (201, ["unassigned"], [])
    assert (await clerk.post(path, json=respondent(phone="19900000009"))).status_code == 409
    (event,) = await told(kit, PartyAdded)
    assert (event.party.role, event.silent) == (PartyRole.RESPONDENT, False)


async def test_a_party_is_changed_in_part(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    path = f"/api/cases/{case['id']}/parties/{case['parties'][0]['id']}"
    for _ in range(2):
        answer = await clerk.patch(path, json={"phone": "19900000077", "email": None, "consents": False})
        assert answer.status_code == 200
    (event,) = await told(kit, PartyChanged)
    identity = kit.keyring.open_model(PartyIdentity, event.party.identity, str(event.party.party_id))
    assert (identity.phone, identity.email, identity.name, event.party.consents) == ("19900000077", None, "刘艳", False)
    assert (await clerk.patch(path, json={"phone": "1"})).status_code == 422
    assert (await clerk.patch(path, json={"role": "respondent"})).status_code == 422
    nobody = f"/api/cases/{case['id']}/parties/{new_id()}"
    assert (await clerk.patch(nobody, json={"phone": "19900000077"})).status_code == 404


async def test_the_rule_gives_each_case_to_whom_has_the_fewest(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    reviewers = [UUID(int=number) for number in (11, 12, 13)]
    await Feeder(SERVICE, kit).feed(*map(judge, JUDGES), *map(reviewer, reviewers))
    # Another series each, so that nothing but the judges' lock makes one wait for another.
    kinds = ("执", "执恢", "执异", "执复", "执保", "执监", "执协", "执他")
    numbers = [f"（{year}）渝05{kind}1号" for year in (2024, 2025, 2026) for kind in kinds]
    await asyncio.gather(*(filed(clerk, assign="auto", case_number=number) for number in numbers))
    assigned = await told(kit, CaseAssigned)
    assert sorted(event.judge.staff_id for event in assigned) == sorted(JUDGES * 6 + reviewers * 2)
    assert {event.rule for event in assigned} == {AssignmentRule.FEWEST_OPEN_CASES}
    told_of = [event.case_id for event in await told(kit, CaseFiled)]
    for case_id in told_of:
        events = [type(event) for event in await told(kit) if event.case_id == case_id]
        assert events == [CaseFiled, CaseAssigned]


async def test_a_case_waits_until_a_judge_is_known(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk, assign="auto")
    assert not case["assigned"]
    feeder = Feeder(SERVICE, kit)
    await feeder.feed(judge(JUDGES[0], panel=None), judge(JUDGES[1], active=False), judge(JUDGES[2], court="渝0101"))
    assert await assign_waiting(kit) == 0
    await feeder.feed(judge(JUDGES[1]))
    assert await assign_waiting(kit) == 1
    (event,) = await told(kit, CaseAssigned)
    assert (event.judge.staff_id, event.panel, event.department) == (JUDGES[1], "启动合议庭", "执行局")
    await feeder.feed(judge(JUDGES[1], roles=(Role.PRESIDING,)))
    assert not (await filed(clerk, assign="auto"))["assigned"]


async def test_assignment_by_hand_and_its_refusals(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    await Feeder(SERVICE, kit).feed(judge(JUDGES[0]), judge(JUDGES[1], panel=None))
    path = f"/api/cases/{case['id']}/assignment"
    wish = {"judge_id": str(JUDGES[0]), "clerk_name": "何明"}
    for _ in range(2):
        assert (await clerk.post(path, json=wish)).json()["judge"]["name"] == "法官1"
    (event,) = await told(kit, CaseAssigned)
    assert (event.rule, event.clerk_name, event.panel) == (AssignmentRule.BY_HAND, "何明", "启动合议庭")
    without_panel = await clerk.post(path, json={"judge_id": str(JUDGES[1])})
    assert [error["field"] for error in without_panel.json()["errors"]] == ["panel"]
    unknown = await clerk.post(path, json={"judge_id": str(UUID(int=9)), "panel": "甲"})
    assert [error["field"] for error in unknown.json()["errors"]] == ["judge_id"]
    again = await clerk.post(path, json={"judge_id": str(JUDGES[1]), "panel": "调查合议庭"})
    assert again.json()["panel"] == "调查合议庭"
    assert len(await told(kit, CaseAssigned)) == 2


MAIN, OBJECTION = "（2026）渝05执1号", "（2026）渝05执异1号"


async def test_a_review_goes_only_to_the_adjudication_and_nothing_else_does(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    """law.md 4; the reform of 2009: by the rule and by hand; the form lists whoever may have the case."""
    feeder = Feeder(SERVICE, kit)
    await feeder.feed(judge(JUDGES[0]))
    await filed(clerk, case_number=MAIN, assign="auto")
    objection = await filed(clerk, case_number=OBJECTION, main_case=MAIN, assign="auto")
    assert not objection["assigned"], "only the bureau has judges"
    page = (await clerk.get(f"/cases/{objection['id']}")).text
    assert "尚无可分案的裁决法官" in page
    assert str(JUDGES[0]) not in page
    path = f"/api/cases/{objection['id']}/assignment"
    refused = await clerk.post(path, json={"judge_id": str(JUDGES[0]), "panel": "审监一合议庭"})
    assert [error["field"] for error in refused.json()["errors"]] == ["judge_id"]
    assert "由审判监督庭办理" in refused.text
    assert "请系统管理员登记在任的裁决法官" in refused.text
    await feeder.feed(reviewer(JUDGES[1]))
    assert await assign_waiting(kit) == 1
    event = (await told(kit, CaseAssigned))[-1]
    assert (event.judge.staff_id, event.department, event.panel) == (JUDGES[1], "审判监督庭", "审监一合议庭")
    enforcement = await filed(clerk, case_number="（2026）渝05执2号", assign="auto")
    assert (await told(kit, CaseAssigned))[-1].judge.staff_id == JUDGES[0], "who reviews has fewer open cases"
    path = f"/api/cases/{enforcement['id']}/assignment"
    refused = await clerk.post(path, json={"judge_id": str(JUDGES[1])})
    assert "由执行局办理" in refused.text
    page = (await clerk.get(f"/cases/{enforcement['id']}")).text
    assert (str(JUDGES[0]) in page, str(JUDGES[1]) in page) == (True, False)


async def test_who_implemented_a_case_never_reviews_what_was_done_in_it(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    """异议复议规定 11(3): nobody who ever was its judge, and nobody of its panel, whatever their posts are by now."""
    feeder, both = Feeder(SERVICE, kit), (Role.JUDGE, Role.ADJUDICATION)
    await feeder.feed(judge(JUDGES[0]), judge(JUDGES[1]))
    attacked = await filed(clerk, case_number=MAIN)
    for staff_id, panel in ((JUDGES[0], "执行一合议庭"), (JUDGES[1], "执行二合议庭")):
        wish = {"judge_id": str(staff_id), "panel": panel}
        assert (await clerk.post(f"/api/cases/{attacked['id']}/assignment", json=wish)).status_code == 200
    await feeder.feed(reviewer(JUDGES[0]), judge(JUDGES[1], roles=both), reviewer(JUDGES[2], panel="执行二合议庭"))
    objection = await filed(clerk, case_number=OBJECTION, main_case=MAIN, assign="auto")
    assert not objection["assigned"], "who had it before, who has it, and who sits on its panel"
    page = (await clerk.get(f"/cases/{objection['id']}")).text
    assert [str(each) in page for each in JUDGES] == [False] * 3
    path = f"/api/cases/{objection['id']}/assignment"
    for wish in (
        *({"judge_id": str(each), "panel": "审监一合议庭"} for each in JUDGES),
        {"judge_id": str(JUDGES[0]), "panel": "执行二合议庭"},
    ):
        refused = await clerk.post(path, json=wish)
        assert [error["field"] for error in refused.json()["errors"]] == ["judge_id"]
        assert "不得审查本案" in refused.text
    await feeder.feed(reviewer(JUDGES[2]))
    refused = await clerk.post(path, json={"judge_id": str(JUDGES[2]), "panel": "执行二合议庭"})
    assert [error["field"] for error in refused.json()["errors"]] == ["panel"]
    assert await assign_waiting(kit) == 1
    assert (await clerk.get(f"/api/cases/{objection['id']}")).json()["panel"] == "审监一合议庭"


async def test_the_page_of_a_case_offers_only_what_its_reader_may_read(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    await Feeder(SERVICE, kit).feed(judge(JUDGES[0]), reviewer(JUDGES[1]))
    main = await filed(clerk, case_number=MAIN, assign="auto")
    review = await filed(clerk, case_number=OBJECTION, main_case=MAIN, assign="auto")
    other = await filed(clerk, case_number="（2026）渝05执2号", assign="auto")
    offered: dict[tuple[Role, UUID], list[bool]] = {
        (Role.ADJUDICATION, JUDGES[1]): [True, True, False],
        (Role.JUDGE, JUDGES[0]): [True, False, True],
    }
    for (role, staff_id), expected in offered.items():
        async with client(SERVICE, kit, role, staff_id=staff_id) as http:
            for case, there in zip((main, review, other), expected, strict=True):
                answer = await http.get(f"/cases/{case['id']}?tab=log")
                assert answer.status_code == 200
                page = answer.text
                assert ("tab=timeline" in page, "tab=tasks" in page) == (True, True)
                assert ("tab=log" in page, "tab=notices" in page) == (there, there), (role, case["case_number"])
                assert ("/log" in page.partition('id="more"')[2]) is there


async def test_a_review_that_waits_holds_up_no_other_case(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    objection = await filed(clerk, case_number=OBJECTION, main_case=MAIN, assign="auto")
    other = await filed(clerk, case_number="（2026）渝05执2号", assign="auto")
    await Feeder(SERVICE, kit).feed(judge(JUDGES[1]))
    assert await assign_waiting(kit) == 1
    found = [(await clerk.get(f"/api/cases/{case['id']}")).json()["judge"] for case in (objection, other)]
    assert (found[0], found[1] is not None) == (None, True)


async def test_an_older_register_and_its_cases_are_carried_over(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    """Whom an older release kept were judges of the bureau; whoever had a case then has implemented it."""
    feeder = Feeder(SERVICE, kit)
    await feeder.feed(judge(JUDGES[0]))
    await filed(clerk, case_number=MAIN, assign="auto")
    step = importlib.import_module("services.case_intake.migrations.0011_powers")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE cases DROP COLUMN handled_by"))
        await conn.execute(text("ALTER TABLE judges DROP COLUMN powers"))
        await conn.run_sync(run)
    assert (await filed(clerk, case_number="（2026）渝05执2号", assign="auto"))["assigned"]
    await feeder.feed(reviewer(JUDGES[0]))
    assert not (await filed(clerk, case_number=OBJECTION, main_case=MAIN, assign="auto"))["assigned"]


@pytest.mark.parametrize("role", [Role.JUDGE, Role.DUTY, Role.ADMIN, None])
async def test_only_the_clerk_files(kit: IntakeKit, role: Role | None) -> None:
    async with client(SERVICE, kit, role) as http:
        assert (await http.post("/api/cases", json=filing())).status_code == (403 if role else 401)


async def test_nothing_of_a_party_stands_in_plain_text(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    given = party(agent_name="何静", agent_phone="19900009601", guardian_name="甘某某", guardian_phone="19900009602")
    await clerk.post("/api/cases", json=filing(parties=[given]), headers={"Idempotency-Key": "k"})
    tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    dump: list[str] = []
    async with kit.db.read() as conn:
        for name in (await conn.execute(text(tables))).scalars().all():
            dump += (await conn.execute(text(f'SELECT t::text FROM "{name}" t'))).scalars().all()  # noqa: S608
            if name == "outbox":
                dump += [
                    bytes(value).decode() for value in (await conn.execute(text("SELECT value FROM outbox"))).scalars()
                ]
    written = "\n".join(dump)
    secret = {
        value for field, value in given.items() if field not in {"role", "id_kind", "consents", "address_confirmed_on"}
    }
    assert [value for value in (*secret, filing()["obligation"]) if value in written] == []
    assert "民间借贷纠纷" in written


async def test_a_case_of_many_parties_takes_no_more_statements(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    await filed(clerk, basis_document="（2025）渝05民终1号")  # what is asked once is asked
    counts = []
    for serial, number in ((2, 1), (3, 30)):
        first = [f"51122219990706{each:03}" for each in range(number)]
        others = [respondent(id_number=each + ric.calc_check_digit(f"{each}0")) for each in first]
        with asked(kit) as statements:
            await filed(clerk, basis_document=f"（2025）渝05民终{serial}号", parties=[party(), *others])
        counts.append(len(statements))
    assert counts[0] == counts[1]
