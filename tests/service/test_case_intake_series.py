"""A serial far beyond its series is asked about and moves nothing; what cannot be read breaks no list."""

import importlib
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, text

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.imports import work_through
from shared.db.transaction import new_id
from shared.powers import Role
from tests.fixtures.filing import filing, party, respondent
from tests.fixtures.kits import client
from tests.fixtures.page_forms import CASE, PARTY

FAR = "（2026）渝05执99999999号"
HTML = {"accept": "text/html"}


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def filed(clerk: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    answer = await clerk.post("/api/cases", json=filing(**changes), headers={"Idempotency-Key": str(new_id())})
    assert answer.status_code == 201, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_a_far_serial_is_asked_about_and_does_not_move_the_series(clerk: httpx.AsyncClient) -> None:
    asked = await clerk.post("/api/cases", json=filing(case_number=FAR))
    assert (asked.status_code, asked.json()["code"]) == (409, "serial_far")
    assert [error["field"] for error in asked.json()["errors"]] == ["case_number"]
    await filed(clerk, case_number=FAR, confirmed=["serial_far"])
    assert (await filed(clerk))["case_number"] == "（2026）渝05执1号"
    again = await clerk.post("/api/cases", json=filing(case_number=FAR))
    assert again.json()["code"] == "case_number_taken"
    numbers = {case["case_number"] for case in (await clerk.get("/api/cases")).json()["items"]}
    assert numbers == {FAR, "（2026）渝05执1号"}
    assert FAR in (await clerk.get("/cases", headers=HTML)).text


async def test_the_series_passes_over_a_number_that_a_case_has(clerk: httpx.AsyncClient, kit: IntakeKit) -> None:
    number = "（2026）渝05执100002号"
    await filed(clerk, case_number=number, confirmed=["serial_far"])
    await filed(clerk, case_number="（2026）渝05执100000号")
    assert (await filed(clerk))["case_number"] == "（2026）渝05执100001号"
    other = [party(id_number="511222199907060003"), respondent(id_number="510212199101060000")]
    assert (await filed(clerk, parties=other))["case_number"] == "（2026）渝05执100003号"


async def test_an_exhausted_series_gives_out_nothing_unreadable(clerk: httpx.AsyncClient, kit: IntakeKit) -> None:
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("INSERT INTO serials VALUES ('渝05', '执', 2026, 99999999)"))
    refused = await clerk.post("/api/cases", json=filing())
    assert (refused.status_code, refused.json()["code"]) == (409, "series_exhausted")


async def test_the_form_asks_and_goes_on_when_confirmed(clerk: httpx.AsyncClient) -> None:
    clerk.headers.update(HTML)
    form = {**CASE, "case_number": FAR, **{f"parties.0.{name}": value for name, value in PARTY.items()}, "key": "k"}
    asked = await clerk.post("/cases/new", data=form)
    assert (asked.status_code, 'value="serial_far"' in asked.text, FAR in asked.text) == (409, True, True)
    done = await clerk.post("/cases/new", data={**form, "confirmed": "serial_far"})
    assert done.status_code == 303


async def test_the_same_filing_again_by_the_back_button_is_asked_about(clerk: httpx.AsyncClient) -> None:
    clerk.headers.update(HTML)
    form = {**CASE, **{f"parties.0.{name}": value for name, value in PARTY.items()}, "key": "k"}
    assert (await clerk.post("/cases/new", data=form)).status_code == 303
    assert (await clerk.post("/cases/new", data=form)).status_code == 303  # a double click is the same filing
    edited = {**form, "cause": "买卖合同纠纷"}
    asked = await clerk.post("/cases/new", data=edited)
    assert (asked.status_code, "（2026）渝05执1号" in asked.text) == (409, True)
    assert 'value="买卖合同纠纷"' in asked.text
    assert (await clerk.post("/cases/new", data={**edited, "confirmed": "filed_already"})).status_code == 303
    assert len((await clerk.get("/api/cases")).json()["items"]) == 2


async def test_the_api_names_the_case_that_was_filed_already(clerk: httpx.AsyncClient) -> None:
    first = await filed(clerk)
    asked = await clerk.post("/api/cases", json=filing(cause="买卖合同纠纷"))
    assert (asked.status_code, asked.json()["code"]) == (409, "filed_already")
    assert first["case_number"] in asked.json()["detail"]
    for other in (
        {"confirmed": ["filed_already"]},
        {"basis_document": "（2025）渝05民终1号"},
        {"parties": [party(), respondent(id_number="511222199907060046")]},
    ):
        assert (await clerk.post("/api/cases", json=filing(**other))).status_code == 201
    with_key = await clerk.post("/api/cases", json=filing(), headers={"Idempotency-Key": "another"})
    assert with_key.status_code == 201


def table(*numbers: str) -> bytes:
    head = "案号,立案日期,执行依据文号,作出机关,案由,执行标的金额,当事人地位,姓名或名称,证件类型,证件号码,手机号码,"
    head += "电子邮箱,同意电子送达,送达地址确认日期,法定代理人,法定代理人手机,送达地址,委托代理人,代理人手机,应履行义务"
    row = (
        "{},2026-11-02,（2025）渝05民终8685号,本院,借款,1.00,申请执行人,刘艳,居民身份证,510212199101060000,,,否,,,,,,,"
    )
    return "\r\n".join([head, *(row.format(number) for number in numbers)]).encode()


async def test_a_preview_asks_about_far_serials_and_files_them_once_confirmed(
    clerk: httpx.AsyncClient, kit: IntakeKit
) -> None:
    files = {"file": ("cases.csv", table("（2026）渝05执1号", FAR))}
    kept = await clerk.post("/cases/import", files=files, data={"assign": "by_hand"})
    here = kept.headers["location"]
    page = await clerk.get(here, headers=HTML)
    assert ("远大于已登记的序号" in page.text, FAR in page.text, f"{here}/numbers" in page.text) == (True, True, True)
    assert (await clerk.post(f"{here}/numbers")).status_code == 303
    page = await clerk.get(here, headers=HTML)
    assert "远大于已登记的序号" not in page.text
    mark = page.text.split('name="mark" value="')[1].split('"')[0]
    await clerk.post(f"{here}/confirm", data={"mark": mark})
    await work_through(kit)
    assert len((await clerk.get("/api/cases")).json()["items"]) == 2
    assert (await filed(clerk))["case_number"] == "（2026）渝05执2号"


@pytest.mark.parametrize(("terms", "cases"), [({}, 1), ({"confirmed": "serial_far"}, 2)])
async def test_an_import_over_the_api_refuses_far_serials_unless_confirmed(
    clerk: httpx.AsyncClient, kit: IntakeKit, terms: dict[str, str], cases: int
) -> None:
    quick = kit.settings.model_copy(update={"import_wait_seconds": 0})
    object.__setattr__(kit, "settings", quick)
    files = {"file": ("cases.csv", table("（2026）渝05执1号", FAR))}
    sent = await clerk.post("/api/cases/import", files=files, data=terms)
    await work_through(kit)
    report = (await clerk.get(f"/api/cases/imports/{sent.json()['id']}")).json()
    assert (report["filed"], [fault["column"] for fault in report["faults"]]) == (cases, ["案号"] * (2 - cases))


async def test_one_unreadable_row_breaks_no_list(clerk: httpx.AsyncClient, kit: IntakeKit) -> None:
    good, bad = await filed(clerk), await filed(clerk, confirmed=["filed_already"])
    async with kit.db.begin() as tx:
        await tx.conn.execute(
            text("UPDATE cases SET case_number = '（2026）渝05执100000000号', obligation = 'k0.x' WHERE id = :id"),
            {"id": bad["id"]},
        )
        await tx.conn.execute(text("UPDATE parties SET identity = 'k0.x' WHERE case_id = :id"), {"id": bad["id"]})
    listed = (await clerk.get("/api/cases")).json()["items"]
    assert {case["id"]: "unreadable" in case["states"] for case in listed} == {good["id"]: False, bad["id"]: True}
    page = await clerk.get("/cases", headers=HTML)
    assert (page.status_code, "内容无法读取" in page.text) == (200, True)
    for path in (f"/cases/{bad['id']}", f"/api/cases/{bad['id']}"):
        assert (await clerk.get(path, headers=HTML)).status_code == 200


async def test_a_number_that_was_given_out_unreadable_still_opens_and_is_corrected(
    clerk: httpx.AsyncClient, kit: IntakeKit
) -> None:
    case = await filed(clerk)
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("UPDATE cases SET case_number = '（2026）渝05执100000000号'"))
    changed = await clerk.patch(f"/api/cases/{case['id']}", json={"cause": "买卖合同纠纷"})
    assert (changed.status_code, changed.json()["cause"]) == (200, "买卖合同纠纷")
    assert changed.json()["states"] == ["unassigned"]


async def test_the_migration_brings_a_carried_away_series_back(clerk: httpx.AsyncClient, kit: IntakeKit) -> None:
    for number in ("（2026）渝05执5001号", "（2026）渝05执5002号", "（2026）渝05执恢7号"):
        await filed(clerk, case_number=number)
    await filed(clerk, case_number=FAR, confirmed=["serial_far"])
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("UPDATE serials SET last = 100000000 WHERE kind = '执'"))
    step = importlib.import_module("services.case_intake.migrations.0004_series_without_gaps")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with kit.db.begin() as tx:
        await tx.conn.run_sync(run)
        rows = await tx.conn.execute(text("SELECT kind, last FROM serials"))
        last = {row.kind: row.last for row in rows}
    assert last == {"执": 5002, "执恢": 7}
    assert (await filed(clerk))["case_number"] == "（2026）渝05执5003号"


async def test_an_import_and_a_party_sent_again_with_their_key_get_the_old_answer(
    clerk: httpx.AsyncClient, kit: IntakeKit
) -> None:
    object.__setattr__(kit, "settings", kit.settings.model_copy(update={"import_wait_seconds": 0}))
    key, files = {"Idempotency-Key": "lost-answer"}, {"file": ("cases.csv", table("（2026）渝05执1号"))}
    ids = {(await clerk.post("/api/cases/import", files=files, headers=key)).json()["id"] for _ in range(3)}
    assert len(ids) == 1
    # The old answer is given before the limit of rows is looked at.
    object.__setattr__(kit, "settings", kit.settings.model_copy(update={"import_max_rows": 0}))
    again = await clerk.post("/api/cases/import", files=files, headers=key)
    assert again.json()["id"] in ids
    other = await clerk.post("/api/cases/import", files=files, data={"silent": "true"}, headers=key)
    assert (other.status_code, other.json()["code"]) == (409, "idempotency_key_reused")
    case = await filed(clerk, parties=[party()])
    answers = [await clerk.post(f"/api/cases/{case['id']}/parties", json=respondent(), headers=key) for _ in range(2)]
    assert [(answer.status_code, len(answer.json()["parties"])) for answer in answers] == [(201, 2)] * 2
