"""Every reported file comes out as its manifest says, over the API; and hidden rows are asked about on the page."""

import io
import json
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.imports import work_through
from shared.contracts.cases import CaseFiled, PartyIdentity
from shared.powers import Role
from tests.fixtures.filing import filing, party
from tests.fixtures.kits import client, told
from tests.fixtures.tables import REPORTS

MANIFEST: list[dict[str, Any]] = json.loads((REPORTS / "manifest.json").read_text())
HIDDEN = (REPORTS / "filtered-rows.xlsx").read_bytes()


@pytest.fixture
def kit(kit: IntakeKit) -> IntakeKit:
    kit.settings.import_wait_seconds = 0
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def imported(kit: IntakeKit, clerk: httpx.AsyncClient, name: str, **fields: str) -> dict[str, Any]:
    """The report of an import, with what was filed as `cases`."""
    before = len(await told(kit, CaseFiled))
    files = {"file": (name, (REPORTS / name).read_bytes())}
    answer = await clerk.post("/api/cases/import", files=files, data={"assign": "by_hand", **fields})
    assert answer.status_code == 202, (name, answer.text)
    await work_through(kit)
    report: dict[str, Any] = (await clerk.get(f"/api/cases/imports/{answer.json()['id']}")).json()
    return {**report, "cases": (await told(kit, CaseFiled))[before:]}


def identities(kit: IntakeKit, report: dict[str, Any]) -> list[PartyIdentity]:
    parties = [party for case in report["cases"] for party in case.parties]
    return [kit.keyring.open_model(PartyIdentity, party.identity, str(party.party_id)) for party in parties]


def come_out(kit: IntakeKit, report: dict[str, Any], check: dict[str, Any]) -> dict[str, Any]:
    """What the manifest names, as it really came out."""
    people, columns = identities(kit, report), [fault["column"] for fault in report["faults"]]
    found = {
        "fault": columns[0] if len(columns) == 1 and not people else None,
        "rows": len(people) if not columns else None,
        "line": 3,
        "phone_or_fault": check.get("phone_or_fault") if [one.phone for one in people] == ["13900000001"] * 2 else None,
        "hidden": [fault["line"] for fault in report["faults"] if "隐藏" in fault["reason"]],
        "filed_on": str(report["cases"][0].facts.filed_on) if people else None,
        "amount": str(report["cases"][0].facts.claim_amount) if people else None,
        "name": people[0].name if people else None,
        "phone": people[0].phone if people else None,
    }
    return {key: found[key] for key in check}


async def test_every_reported_file_comes_out_as_its_manifest_says(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    assert {each["file"] for each in MANIFEST} == {file.name for file in REPORTS.iterdir()} - {"manifest.json"}
    wrong = {}
    for each in MANIFEST:
        report = await imported(kit, clerk, each["file"])
        came = come_out(kit, report, each["check"])
        if came != each["check"]:
            wrong[each["file"]] = (came, report["faults"])
    assert wrong == {}


async def test_hidden_rows_are_filed_by_the_api_only_when_it_is_told_to(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    files = {"file": ("案件.xlsx", HIDDEN)}
    seen = (await clerk.post("/api/cases/import?dry_run=true", files=files)).json()
    assert (seen["hidden"], seen["faults"]) == ([4, 5], [])
    left = await imported(kit, clerk, "filtered-rows.xlsx")
    assert not any("71032" in case.facts.case_number for case in left["cases"])
    both = await imported(kit, clerk, "filtered-rows.xlsx", hidden_rows="include")
    assert ["71032" in case.facts.case_number for case in both["cases"]] == [True]
    assert both["faults"] == []


async def test_hidden_rows_are_named_and_asked_about_on_the_page(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    clerk.headers["accept"] = "text/html"
    page = (await clerk.post("/cases/import", files={"file": ("案件.xlsx", HIDDEN)})).headers["location"]
    shown = (await clerk.get(page)).text
    assert "第4–5行在表格中是隐藏的" in shown
    assert "选择后才能确认" in shown
    assert shown.index("选择后才能确认") < shown.index("请先在上面选择是否办理隐藏的行") < shown.index("放弃")
    assert "全部行都没有问题" not in shown
    assert f"{page}/confirm" not in shown
    early = await clerk.post(f"{page}/confirm", data={"mark": "x"})
    assert (early.status_code, "请先选择这些行是否办理" in early.text) == (409, True)
    await clerk.post(f"{page}/hidden", data={"hidden_rows": "leave"})
    assert "不办理这些行" in (await clerk.get(page)).text
    await clerk.post(f"{page}/hidden", data={"hidden_rows": "include"})
    shown = (await clerk.get(page)).text
    assert "这些行一并办理" in shown
    mark = re.search(r'name="mark" value="([0-9a-f]{64})"', shown)
    assert mark is not None
    answer = await clerk.post(f"{page}/confirm", data={"mark": mark[1]})
    assert answer.status_code == 303
    await work_through(kit)
    assert any("71032" in case.facts.case_number for case in await told(kit, CaseFiled))


async def test_a_party_that_nobody_can_see_is_filed_neither_by_form_nor_by_api(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    body = filing(parties=[party(name="\u200b\u2060")])
    answer = await clerk.post("/api/cases", json=body)
    assert [error["field"] for error in answer.json()["errors"]] == ["parties.0.name"]
    body = filing(parties=[party(name="\u200b王芳\ufeff", phone="\u202d139‑0000‑0001\u202c")])
    assert (await clerk.post("/api/cases", json=body)).status_code == 201
    (event,) = await told(kit, CaseFiled)
    identity = kit.keyring.open_model(PartyIdentity, event.parties[0].identity, str(event.parties[0].party_id))
    assert (identity.name, identity.phone) == ("王芳", "13900000001")


@pytest.mark.parametrize(("content", "word"), [(b"%PDF-1.7\n%x", "PDF"), (b"<html><table>", "网页")])
async def test_another_kind_of_file_is_called_what_it_is(clerk: httpx.AsyncClient, content: bytes, word: str) -> None:
    answer = await clerk.post("/api/cases/import", files={"file": ("案件.xlsx", io.BytesIO(content))})
    assert answer.status_code == 422
    assert f"这是{word}" in answer.json()["errors"][0]["reason"]
