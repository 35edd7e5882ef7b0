"""The pages of filing without scripts: nothing typed is lost, all faults stand beside their fields."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.case_intake.domain.words import COLUMNS
from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.imports import work_through
from shared.contracts.cases import CaseAssigned, CaseCorrected, CaseFiled, PartyAdded, PartyChanged
from shared.contracts.looks import LookTaken
from shared.powers import Role
from tests.fixtures.filing import JUDGES, filing, judge, party
from tests.fixtures.kits import Feeder, client, told

CASE = {
    "key": "one",
    "filed_on": "2026-11-23",
    "basis_document": "（2025）渝05民终8685号",
    "basis_maker": "重庆市第五中级人民法院",
    "cause": "民间借贷纠纷",
    "claim_amount": "100",
    "obligation": "支付人民币100元",
    "assign": "by_hand",
}
APPLICANT = {
    "role": "申请执行人",
    "name": "刘艳",
    "id_kind": "居民身份证",
    "id_number": "510212199101060000",
    "phone": "19900000005",
    "consents": "是",
}
RESPONDENT = {**APPLICANT, "role": "被执行人", "name": "张静", "id_number": "511222199907060003"}


@pytest.fixture
async def kit(kit: IntakeKit) -> IntakeKit:
    await Feeder(SERVICE, kit).feed(*map(judge, JUDGES))
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        http.headers["accept"] = "text/html"
        yield http


def blocks(*parties: dict[str, str]) -> dict[str, str]:
    return {f"parties.{at}.{name}": text for at, one in enumerate(parties) for name, text in one.items()}


def value(html: str, name: str) -> str | None:
    """What the field shows."""
    found = re.search(rf'name="{re.escape(name)}" value="([^"]*)"', html)
    return found and found[1]


async def filed(clerk: httpx.AsyncClient, **changes: Any) -> str:
    answer = await clerk.post("/api/cases", json=filing(**changes))
    return str(answer.json()["id"])


async def test_a_case_is_filed_by_the_form_once(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    assert "第2名当事人（被执行人）" in (await clerk.get("/cases/new")).text
    form = {**CASE, **blocks(APPLICANT, RESPONDENT)}
    first, second = await clerk.post("/cases/new", data=form), await clerk.post("/cases/new", data=form)
    assert first.status_code == 303
    assert second.headers["location"] == first.headers["location"]
    assert len(await told(kit, CaseFiled)) == 1
    page = (await clerk.get(first.headers["location"])).text
    assert "案件已登记" in page
    assert "510212199101060000" not in page
    edited = {**form, "cause": "买卖合同纠纷"}
    asked = await clerk.post("/cases/new", data=edited)
    assert (asked.status_code, "刚刚登记过" in asked.text) == (409, True)
    other = await clerk.post("/cases/new", data={**edited, "confirmed": "filed_already"})
    assert other.headers["location"] != first.headers["location"]


async def test_parties_are_added_and_removed_and_nothing_typed_is_lost(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    form = {**CASE, **blocks(APPLICANT, RESPONDENT), "add": "respondent"}
    more = (await clerk.post("/cases/new", data=form)).text
    assert "第3名当事人（被执行人）" in more
    assert (value(more, "cause"), value(more, "parties.1.name")) == ("民间借贷纠纷", "张静")
    fewer = (await clerk.post("/cases/new", data={**CASE, **blocks(APPLICANT, RESPONDENT), "remove": "0"})).text
    assert value(fewer, "parties.0.name") == "张静"
    assert "第2名当事人" not in fewer
    assert await told(kit) == []


async def test_all_faults_stand_beside_their_fields(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    form = {**CASE, "cause": "", "claim_amount": "<b>", **blocks(APPLICANT, {**RESPONDENT, "phone": "12345"})}
    answer = await clerk.post("/cases/new", data=form)
    assert answer.status_code == 422
    for name in ("cause", "claim_amount", "parties.1.phone"):
        fault = re.search(rf'id="f-{re.escape(name)}-fault">.*?<span>([^<]+)</span>', answer.text)
        assert fault, name
    assert 'id="f-parties.0.phone-fault" hidden' in answer.text
    assert value(answer.text, "parties.1.phone") == "12345"
    assert value(answer.text, "claim_amount") == "&lt;b&gt;"
    assert await told(kit) == []


async def test_a_number_on_file_is_told_beside_its_field(clerk: httpx.AsyncClient) -> None:
    await filed(clerk, case_number="（2026）渝05执7号")
    form = {**CASE, "case_number": "（2026）渝05执7号", **blocks(APPLICANT, RESPONDENT)}
    answer = await clerk.post("/cases/new", data=form)
    assert answer.status_code == 422
    assert "这个案号已经登记" in answer.text


async def test_facts_and_parties_are_completed_on_the_pages(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk, obligation=None, parties=[party()])
    page = (await clerk.get(f"/cases/{case}")).text
    assert "缺被执行人，暂不通知任何人" in page
    assert "应履行义务尚未填写" in page
    form = {name: CASE[name] for name in ("basis_document", "basis_maker", "cause", "claim_amount", "obligation")}
    form["version"] = value((await clerk.get(f"/cases/{case}/edit")).text, "version")
    assert (await clerk.post(f"/cases/{case}/edit", data={**form, "cause": ""})).status_code == 422
    assert (await clerk.post(f"/cases/{case}/edit", data=form)).status_code == 303
    assert "被执行人" in (await clerk.get(f"/cases/{case}/parties/new")).text
    assert (await clerk.post(f"/cases/{case}/parties/new", data={})).status_code == 422
    assert (await clerk.post(f"/cases/{case}/parties/new", data=RESPONDENT)).status_code == 303
    repeated = await clerk.post(f"/cases/{case}/parties/new", data=RESPONDENT)
    assert "本案已有" in repeated.text
    page = (await clerk.get(f"/cases/{case}")).text
    assert "暂不通知任何人" not in page
    edit = re.search(rf"/cases/{case}/parties/([0-9a-f-]+)/edit", page)
    assert edit is not None
    shown = (await clerk.get(edit[0])).text
    assert value(shown, "name") == "刘艳"
    changed = {**APPLICANT, "version": value(shown, "version")}
    assert (await clerk.post(edit[0], data={**changed, "phone": "1"})).status_code == 422
    assert (await clerk.post(edit[0], data={**changed, "phone": "19900000099"})).status_code == 303
    kinds = [type(event) for event in await told(kit)]
    assert kinds == [CaseFiled, CaseCorrected, PartyAdded, LookTaken, PartyChanged]


async def test_a_case_is_given_to_a_judge_on_its_page(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    path = f"/cases/{case}/assignment"
    seen = {"version": value((await clerk.get(f"/cases/{case}")).text, "version")}
    faulty = await clerk.post(path, data={**seen, "judge_id": "", "clerk_name": "何" * 201})
    assert faulty.status_code == 422
    assert "请从名单中选择承办法官" in faulty.text
    assert value(faulty.text, "clerk_name") == "何" * 201
    answer = await clerk.post(path, data={**seen, "judge_id": str(JUDGES[1]), "clerk_name": "何明"})
    assert answer.status_code == 303
    page = (await clerk.get(answer.headers["location"])).text
    assert "法官2" in page
    assert "由人分案" in page
    assert len(await told(kit, CaseAssigned)) == 1


async def test_only_those_who_may_act_see_the_buttons(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    acts = ("/cases/new", "/cases/import", f"/cases/{case}/edit", f"/cases/{case}/assignment", "/parties/new")
    shown = (await clerk.get("/cases")).text + (await clerk.get(f"/cases/{case}")).text
    assert all(act in shown for act in acts)
    async with client(SERVICE, kit, Role.DUTY) as duty:
        hidden = (await duty.get("/cases")).text + (await duty.get(f"/cases/{case}")).text
        assert "刘艳" in hidden
        assert [act for act in acts if act in hidden] == []
        assert "tab=log" not in hidden
        assert (await duty.get("/cases/new")).status_code == 403


async def test_the_list_says_what_stands_where(clerk: httpx.AsyncClient) -> None:
    assert "还没有案件" in (await clerk.get("/cases")).text
    await filed(clerk, parties=[party()])
    page = (await clerk.get("/cases", params={"state": "incomplete", "q": "（2026）渝05执1"})).text
    assert "（2026）渝05执1号" in page
    assert "没有符合条件的案件" in (await clerk.get("/cases", params={"q": "9999"})).text


async def test_a_table_is_imported_on_the_pages(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    assert (await clerk.post("/cases/import", data={"way": "stock"})).status_code == 422
    unusable = await clerk.post("/cases/import", files={"file": ("a.csv", b"x")}, data={"way": "stock"})
    assert "缺少列" in unusable.text
    assert re.search(r'name="way" value="stock" checked', unusable.text)
    template = (await clerk.get("/cases/import/template")).content
    assert (await clerk.get("/cases/import/template", params={"kind": "xlsx"})).content.startswith(b"PK")
    line = "（2026）渝05执1号,2026-11-23,甲,乙,丙,1,申请执行人,刘艳,居民身份证,510212199101060000,1,,是"
    line += "," * (len(COLUMNS) - 1 - line.count(","))
    files = {"file": ("案件.csv", template + line.encode())}
    stock = {"way": "stock_now"}
    page = (await clerk.post("/cases/import", files=files, data=stock)).headers["location"]
    assert page.startswith("/cases/imports/")
    waiting = await clerk.get(f"{page}/progress")
    assert "every 1s" in waiting.text
    await work_through(kit)
    ended = await clerk.get(f"{page}/progress")
    assert ended.headers["hx-refresh"] == "true"
    assert "every 1s" not in ended.text
    report = (await clerk.get(page)).text
    assert "手机号码" in report
    assert "刘艳" in report
    assert "1处内容需要处理" in report
    assert "案件.csv" in (await clerk.get("/cases/import")).text


@pytest.mark.parametrize(
    "path", ["/cases/（2026）渝05执99号", "/cases/x", "/cases/imports/01890000-0000-7000-8000-000000000000"]
)
async def test_what_is_not_there_is_told_on_a_page(clerk: httpx.AsyncClient, path: str) -> None:
    answer = await clerk.get(path)
    assert answer.status_code == 404
    assert "<html" in answer.text
