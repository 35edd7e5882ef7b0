"""Urgency, grounds of review and ordered reports at every door of filing: form, edit, API, import, migration."""

import html
import importlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.imports import work_through
from shared.contracts.cases import CaseCorrected, CaseFiled
from shared.contracts.reviews import ReviewGround
from shared.powers import Role
from tests.fixtures.filing import filing
from tests.fixtures.kits import as_owner, client, told
from tests.fixtures.page_forms import CASE, PARTY

HEADER, *LINES = (Path(__file__).parents[1] / "fixtures" / "cases.csv").read_text("utf-8-sig").splitlines()
OBJECTION, PRESERVATION, RESUMED = "（2026）渝05执异1号", "（2026）渝05执保1号", "（2026）渝05执恢1号"
FORM = {**CASE, **{f"parties.0.{name}": value for name, value in PARTY.items()}, "assign": "by_hand", "key": "k"}
HTML = {"accept": "text/html"}
WORDS = {"urgent": "情况紧急", "ground": "审查事由", "report_ordered": "责令再次报告财产"}


@pytest.fixture
def kit(kit: IntakeKit) -> IntakeKit:
    kit.settings.import_wait_seconds = 0
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def filed(clerk: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await clerk.post("/api/cases", json=filing(**changes))
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = (await clerk.get(f"/api/cases/{answer.json()['id']}")).json()
    return found


def fields(page: str) -> set[str]:
    return {name for name in WORDS if f'name="{name}"' in page}


@pytest.mark.parametrize(
    ("number", "own", "typed", "told_as"),
    [
        (PRESERVATION, "urgent", "是", True),
        (OBJECTION, "ground", "不予执行仲裁裁决", ReviewGround.AWARD_REFUSAL),
        (RESUMED, "report_ordered", "是", True),
    ],
)
async def test_the_form_asks_for_what_belongs_to_the_kind_without_scripts(
    kit: IntakeKit, clerk: httpx.AsyncClient, number: str, own: str, typed: str, told_as: object
) -> None:
    clerk.headers.update(HTML)
    assert fields((await clerk.get("/cases/new")).text) == set()
    form = {**FORM, "case_number": number}
    asked = await clerk.post("/cases/new", data=form)
    assert (asked.status_code, fields(asked.text)) == (200, {own})
    assert f"请补选{WORDS[own]}" in html.unescape(asked.text)
    assert f'href="#f-{own}"' in asked.text
    assert f'id="f-{own}"' in asked.text
    assert ('name="secured_on"' in asked.text) is (number == PRESERVATION), "shown, not asked for"
    assert await told(kit, CaseFiled) == [], "asked first, filed then"
    shown = await clerk.post("/cases/new", data={**form, own: "", "kind": "show"})
    assert (shown.status_code, fields(shown.text), "尚未登记" in shown.text) == (200, {own}, False)
    done = await clerk.post("/cases/new", data={**form, own: typed})
    assert done.status_code == 303, done.text
    (event,) = await told(kit, CaseFiled)
    assert getattr(event.facts, own) == told_as
    page = (await clerk.get(done.headers["location"])).text
    assert {"urgent": "立即开始执行保全", "ground": typed, "report_ordered": "已责令"}[own] in page


async def test_the_form_takes_an_unanswered_question_and_refuses_what_belongs_to_another_kind(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    clerk.headers.update(HTML)
    wrong = await clerk.post("/cases/new", data={**FORM, "ground": "案外人异议"})
    assert (wrong.status_code, fields(wrong.text)) == (422, {"ground"}), "shown, so that it can be emptied"
    assert "本案是执行案件，没有这一项，请留空" in html.unescape(wrong.text)
    assert (await clerk.post("/cases/new", data={**FORM, "case_number": OBJECTION, "ground": ""})).status_code == 303
    (event,) = await told(kit, CaseFiled)
    assert event.facts.ground is None


@pytest.mark.parametrize(
    ("number", "own", "typed", "other"),
    [
        (PRESERVATION, "urgent", "是", "否"),
        (OBJECTION, "ground", "案外人异议", "执行行为异议"),
        (RESUMED, "report_ordered", "是", "否"),
    ],
)
async def test_the_edit_form_has_the_fields_of_the_kind_and_keeps_versions(
    kit: IntakeKit, clerk: httpx.AsyncClient, number: str, own: str, typed: str, other: str
) -> None:
    case = await filed(clerk, case_number=number)
    clerk.headers.update(HTML)
    path = f"/cases/{case['id']}/edit"
    page = (await clerk.get(path)).text
    assert fields(page) == {own}
    form = {**{name: CASE[name] for name in ("basis_document", "basis_maker", "cause", "claim_amount", "obligation")}}
    version = re.search(r'name="version" value="([^"]+)"', page)
    assert version is not None
    form |= {"version": version[1]}
    assert (await clerk.post(path, data={**form, own: typed})).status_code == 303
    assert getattr((await told(kit, CaseCorrected))[0].facts, own) in {True, ReviewGround.THIRD_PARTY}
    stale = await clerk.post(path, data={**form, own: other})
    assert stale.status_code == 409
    assert (WORDS[own] in stale.text, typed in stale.text, other in stale.text) == (True, True, True)


async def test_an_enforcement_has_none_of_the_fields(clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk)
    clerk.headers.update(HTML)
    assert fields((await clerk.get(f"/cases/{case['id']}/edit")).text) == set()
    page = (await clerk.get(f"/cases/{case['id']}")).text
    assert not any(word in page for word in WORDS.values())


async def test_the_api_takes_gives_and_refuses_them(clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk, case_number=OBJECTION, ground="third_party")
    assert (case["ground"], case["urgent"], case["report_ordered"]) == ("third_party", False, False)
    path = f"/api/cases/{case['id']}"
    seen = {"version": case["version"]}
    changed = await clerk.patch(path, json={**seen, "ground": "change_of_party"})
    assert (changed.status_code, changed.json()["ground"]) == (200, "change_of_party")
    assert (await clerk.patch(path, json={**seen, "ground": None})).status_code == 409
    emptied = await clerk.patch(path, json={"version": changed.json()["version"], "ground": None})
    assert emptied.json()["ground"] is None
    for field, value in (("urgent", True), ("report_ordered", True), ("ground", "else")):
        answer = await clerk.patch(path, json={"version": emptied.json()["version"], field: value})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    wrong = await clerk.post("/api/cases", json=filing(urgent=True))
    assert "财产保全案件（执保）才填写" in wrong.json()["errors"][0]["reason"]


def table(number: str, ground: str = "", *, columns: bool = True) -> bytes:
    first = LINES[0].split(",")
    line = ",".join([number, *first[1:]])
    if not columns:
        return f"{HEADER}\n{line}\n".encode()
    return f"{HEADER},审查事由,情况紧急\n{line},{ground},\n".encode()


async def test_an_import_has_the_columns_or_not(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    async def dry(content: bytes) -> dict[str, Any]:
        answer = await clerk.post("/api/cases/import?dry_run=true", files={"file": ("a.csv", content)})
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    without = await dry(table(OBJECTION, columns=False))
    assert (without["filed"], without["without_ground"], without["faults"]) == (1, 1, [])
    said = await dry(table(OBJECTION, "变更、追加当事人"))
    assert (said["filed"], said["without_ground"], said["faults"]) == (1, 0, [])
    wrong = await dry(table("（2026）渝05执8001号", "案外人异议"))
    assert [(fault["column"], "请留空" in fault["reason"]) for fault in wrong["faults"]] == [("审查事由", True)]
    answer = await clerk.post("/api/cases/import", files={"file": ("a.csv", table(OBJECTION, "变更、追加当事人"))})
    assert answer.status_code == 202
    await work_through(kit)
    (event,) = await told(kit, CaseFiled)
    assert event.facts.ground is ReviewGround.CHANGE_OF_PARTY
    again = await dry(table(OBJECTION, columns=False))
    assert (again["unchanged"], again["differing"]) == (1, 0), "a column that is left out takes nothing back"
    other = await dry(table(OBJECTION, "案外人异议"))
    assert [each["column"] for each in other["differences"]] == ["审查事由"]


async def test_the_template_has_the_columns(clerk: httpx.AsyncClient) -> None:
    clerk.headers.update(HTML)
    template = (await clerk.get("/cases/import/template")).text
    assert all(word in template for word in WORDS.values())


async def test_the_migration_keeps_old_cases(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    case = await filed(clerk, case_number=OBJECTION)
    step = importlib.import_module("services.case_intake.migrations.0009_particulars_of_kinds")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        for name in WORDS:
            await conn.execute(text(f"ALTER TABLE cases DROP COLUMN {name}"))
        await conn.run_sync(run)
    found = (await clerk.get(f"/api/cases/{case['id']}")).json()
    assert found == case


KINDS_OF = {
    "执": (["respondent", "obligation"], True, True),
    "执恢": (["respondent", "obligation"], True, True),
    "执保": (["respondent"], False, False),
    "执异": (["respondent"], False, False),
    "执监": (["respondent"], False, False),
    "执协": ([], False, False),
    "执他": ([], False, False),
}
"""What a case with one applicant lacks; whether its pages ask for the obligation; whether a judge is due in 7 days."""


@pytest.mark.parametrize("kind", KINDS_OF)
async def test_nothing_is_missed_that_no_notice_of_this_kind_needs(clerk: httpx.AsyncClient, kind: str) -> None:
    lacks, owed, within_seven_days = KINDS_OF[kind]
    body = filing(case_number=f"（2026）渝05{kind}1号", obligation=None)
    body["parties"] = body["parties"][:1]
    made = (await clerk.post("/api/cases", json=body)).json()
    found = (await clerk.get(f"/api/cases/{made['id']}")).json()
    assert found["lacks"] == lacks
    assert ("incomplete" in found["states"]) is bool(lacks)
    listed = (await clerk.get("/api/cases", params={"state": "incomplete"})).json()["items"]
    assert [each["case_number"] for each in listed] == ([body["case_number"]] if lacks else [])
    page = (await clerk.get(f"/cases/{made['id']}", headers=HTML)).text
    assert ("执行通知等待补填" in page) is owed
    assert ("缺应履行义务" in page) is owed
    assert ("暂不通知任何人" in page) is bool(lacks)
    assert ("立案后7日内应确定承办法官" in page) is within_seven_days
    form = (await clerk.get(f"/cases/{made['id']}/edit", headers=HTML)).text
    assert ("写入执行通知书" in form) is owed
