"""The dry run: what a file would do is seen, mended and confirmed before anything is filed."""

import html
import io
import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import openpyxl  # type: ignore[import-untyped]
import pytest
from sqlalchemy import text

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.drafts import LIFETIME, drop_old_drafts
from services.case_intake.usecases.imports import work_through
from shared.contracts.cases import CaseCorrected, CaseFiled, PartyAdded, PartyChanged, PartyIdentity
from shared.powers import Role
from shared.web.formats import masked_phone
from tests.fixtures.filing import JUDGES, judge
from tests.fixtures.kits import Feeder, client, told

HEADER, *LINES = (Path(__file__).parents[1] / "fixtures" / "cases.csv").read_text("utf-8-sig").splitlines()
PHONE, OTHER_PHONE = "19900000005", "19900000099"


@pytest.fixture
async def kit(kit: IntakeKit) -> IntakeKit:
    await Feeder(SERVICE, kit).feed(*map(judge, JUDGES))
    kit.settings.import_wait_seconds = 0
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        http.headers["accept"] = "text/html"
        yield http


def table(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


async def drafted(clerk: httpx.AsyncClient, content: bytes, **fields: str) -> str:
    answer = await clerk.post("/cases/import", files={"file": ("案件.csv", content)}, data=fields)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["location"])


async def dry_run(clerk: httpx.AsyncClient, content: bytes, **fields: str) -> dict[str, Any]:
    files = {"file": ("案件.xlsx", content)}
    answer = await clerk.post("/api/cases/import", params={"dry_run": "true"}, files=files, data=fields)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def confirmed(kit: IntakeKit, clerk: httpx.AsyncClient, page: str) -> httpx.Response:
    """Confirm what the page shows, and work through it; the report."""
    mark = re.search(r'name="mark" value="([0-9a-f]{64})"', (await clerk.get(page)).text)
    assert mark is not None
    answer = await clerk.post(f"{page}/confirm", data={"mark": mark[1]})
    assert answer.status_code == 303, answer.text
    await work_through(kit)
    return await clerk.get(answer.headers["location"])


async def filed(kit: IntakeKit, clerk: httpx.AsyncClient, *lines: str) -> None:
    await confirmed(kit, clerk, await drafted(clerk, table(*lines), hold_minutes="0"))


def stat(page: str, word: str) -> str:
    found = re.search(rf'{word}</span>\s*<span class="value">([^<]+)<', page)
    assert found, word
    return found[1]


async def test_a_file_is_seen_before_it_is_filed(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    page = await drafted(clerk, table(*LINES[:4]))
    shown = (await clerk.get(page)).text
    assert [stat(shown, word) for word in ("将立案", "将登记当事人", "短信", "需要处理")] == [
        "2 件",
        "4 名",
        "4 条",
        "0 处",
    ]
    assert "立案时已过期限的案件（2件）" in shown
    assert "3个月内执结（本院期限）：2026年9月14日（周一）届满" in shown
    assert "暂缓10分钟" in shown
    assert await told(kit) == []
    assert "还没有导入过" in (await clerk.get("/cases/import")).text
    report = await confirmed(kit, clerk, page)
    assert "通知暂缓发送至2026年11月23日（周一）12:10" in report.text
    assert len(await told(kit, CaseFiled)) == 2
    again = await clerk.post(f"{page}/confirm", data={"mark": "x"})
    assert (again.status_code, again.headers["location"]) == (303, str(report.url.path))
    assert (await clerk.get(page)).status_code == 404


async def mend(clerk: httpx.AsyncClient, page: str, cells: dict[str, str]) -> httpx.Response:
    """Mend cells over the preview as it now stands."""
    version = (await clerk.get(page)).text.split('name="version" value="')[1].split('"')[0]
    return await clerk.post(f"{page}/mend", data={**cells, "version": version})


async def test_two_who_mend_one_cell_are_shown_both_values(clerk: httpx.AsyncClient) -> None:
    page = await drafted(clerk, table(LINES[0].replace(PHONE, "1990000000"), LINES[1].replace("被执行人", "路人")))
    opened = (await clerk.get(page)).text.split('name="version" value="')[1].split('"')[0]
    await mend(clerk, page, {"cell.2.phone": PHONE})
    elsewhere = await clerk.post(f"{page}/mend", data={"cell.3.role": "过客", "version": opened})
    assert elsewhere.status_code == 303, "another cell overwrites nothing"
    late = await clerk.post(f"{page}/mend", data={"cell.2.phone": OTHER_PHONE, "version": opened})
    assert (late.status_code, "第2行手机号码" in late.text, masked_phone(PHONE) in late.text) == (409, True, True)
    assert PHONE not in late.text, "what another typed stays masked"
    version = late.text.split('name="version" value="')[1].split('"')[0]
    assert f'name="cell.2.phone" value="{OTHER_PHONE}"' in late.text
    over = {"cell.2.phone": OTHER_PHONE, "version": version}
    assert (await clerk.post(f"{page}/mend", data=over)).status_code == 303


async def test_faulty_cells_are_mended_on_the_spot(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    spoilt = LINES[0].replace(PHONE, "1990000000"), LINES[1].replace("被执行人", "路人")
    page = await drafted(clerk, table(*spoilt))
    shown = (await clerk.get(page)).text
    assert 'name="cell.2.phone" value="1990000000"' in shown
    assert 'name="cell.3.role" value="路人"' in shown
    assert "没有可以立案、补充或更正的内容" in shown
    form = {"cell.2.phone": PHONE, "cell.3.role": "路人", "cell.77.role": "x"}
    assert (await mend(clerk, page, form)).headers["location"] == page
    shown = (await clerk.get(page)).text
    assert "cell.2.phone" not in shown
    assert (stat(shown, "将立案"), stat(shown, "将登记当事人")) == ("1 件", "1 名")
    await mend(clerk, page, {"cell.3.role": "被执行人"})
    await confirmed(kit, clerk, page)
    (event,) = await told(kit, CaseFiled)
    party = event.parties[0]
    assert kit.keyring.open_model(PartyIdentity, party.identity, str(party.party_id)).phone == PHONE
    assert len(event.parties) == 2


async def test_a_confirmation_is_good_for_what_was_shown_only(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    page = await drafted(clerk, table(LINES[0], LINES[1].replace("被执行人", "路人")))
    mark = re.search(r'name="mark" value="([0-9a-f]{64})"', (await clerk.get(page)).text)
    assert mark is not None
    await mend(clerk, page, {"cell.3.role": "被执行人"})
    late = await clerk.post(f"{page}/confirm", data={"mark": mark[1]})
    assert late.status_code == 409
    assert "尚未立案" in late.text
    await work_through(kit)
    assert await told(kit) == []


async def test_a_corrected_file_shows_its_differences_and_makes_them_when_confirmed(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    await filed(kit, clerk, *LINES[:2])
    other = [line.replace(PHONE, OTHER_PHONE).replace("民间借贷纠纷", "买卖合同纠纷") for line in LINES[:2]]
    page = await drafted(clerk, table(*other))
    shown = html.unescape((await clerk.get(page)).text)
    rows = re.findall(r"<td[^>]*data-label=\"(?:项目|已登记|更正为)\"[^>]*><div class=\"cell\">([^<]*)<", shown)
    assert rows == ["案由", "民间借贷纠纷", "买卖合同纠纷", "手机号码", "199****0005", OTHER_PHONE]
    assert PHONE not in shown, "what is on file is shown whole on the case's page alone, to whoever gives a reason"
    assert stat(shown, "短信") == "0 条"
    report = await confirmed(kit, clerk, page)
    assert stat(report.text, "更正") == "1 件"
    (corrected,), (changed,) = await told(kit, CaseCorrected), await told(kit, PartyChanged)
    identity = kit.keyring.open_model(PartyIdentity, changed.party.identity, str(changed.party.party_id))
    assert (corrected.facts.cause, identity.phone, identity.name) == ("买卖合同纠纷", OTHER_PHONE, "刘艳")
    case = f"/api/cases/{corrected.case_id}"
    for path, change in (
        (case, {"cause": "租赁合同纠纷"}),
        (f"{case}/parties/{changed.party.party_id}", {"name": "刘宴"}),
    ):
        undone = await clerk.patch(path, json=change)
        assert (undone.status_code, undone.json()["code"]) == (409, "stale_version"), "the file counts as somebody else"
    again = (await clerk.get(await drafted(clerk, table(*other)))).text
    assert "没有可以立案、补充或更正的内容" in again


async def test_what_changed_since_the_confirmation_is_reported_and_not_made(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    await filed(kit, clerk, *LINES[:2])
    page = await drafted(clerk, table(LINES[0].replace(PHONE, OTHER_PHONE), LINES[1]))
    mark = re.search(r'name="mark" value="([0-9a-f]{64})"', (await clerk.get(page)).text)
    assert mark is not None
    report = (await clerk.post(f"{page}/confirm", data={"mark": mark[1]})).headers["location"]
    (event,) = await told(kit, CaseFiled)
    path = f"/api/cases/{event.case_id}/parties/{event.parties[0].party_id}"
    assert (await clerk.patch(path, json={"phone": "19900000077"})).status_code == 200
    await work_through(kit)
    assert "未改动" in (await clerk.get(report)).text
    assert len(await told(kit, PartyChanged)) == 1


async def test_by_the_api_a_dry_run_files_nothing_and_shows_no_persons(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    await filed(kit, clerk, *LINES[:2])
    before = await told(kit)
    book = openpyxl.Workbook()
    changed = (LINES[0].replace(PHONE, OTHER_PHONE), LINES[1], *LINES[2:4], LINES[6].replace("申请执行人", "路人"))
    for line in (HEADER, *changed):
        book.active.append(line.split(","))
    content = io.BytesIO()
    book.save(content)
    seen = await dry_run(clerk, content.getvalue())
    assert seen["differences"] == [{"line": 2, "column": "手机号码", "case_number": LINES[0].split(",")[0]}]
    counts = {name: seen[name] for name in ("rows", "filed", "completed", "differing", "unchanged", "refused")}
    assert counts == {"rows": 5, "filed": 1, "completed": 0, "differing": 1, "unchanged": 0, "refused": 1}
    assert (seen["messages"]["sms"], seen["parties"], len(seen["late"])) == (2, 2, 1)
    assert [(fault["line"], fault["column"]) for fault in seen["faults"]] == [(6, "当事人地位")]
    assert OTHER_PHONE not in str(seen)
    assert (await dry_run(clerk, content.getvalue(), silent="true"))["messages"]["sms"] == 0
    assert await told(kit) == before
    assert len((await clerk.get("/api/cases/imports")).json()["items"]) == 1


async def test_an_unconfirmed_file_is_dropped_after_an_hour_or_on_demand(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    first, second = await drafted(clerk, table(LINES[0])), await drafted(clerk, table(LINES[1]))
    assert (await clerk.post(f"{first}/drop")).headers["location"] == "/cases/import"
    assert (await clerk.get(first)).status_code == 404
    kit.clock.move(LIFETIME - timedelta(seconds=1))  # type: ignore[attr-defined]
    await drop_old_drafts(kit)
    assert (await clerk.get(second)).status_code == 200
    kit.clock.move(timedelta(seconds=1))  # type: ignore[attr-defined]
    assert (await clerk.get(second)).status_code == 404
    assert (await clerk.post(f"{second}/confirm", data={"mark": "x"})).status_code == 404
    await drop_old_drafts(kit)
    async with kit.db.read() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM import_drafts"))).scalar_one() == 0


async def test_nothing_of_an_unconfirmed_file_stands_in_plain_text(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    page = await drafted(clerk, table(*LINES[:2]).replace(PHONE.encode(), b"1"))
    await mend(clerk, page, {"cell.2.phone": OTHER_PHONE})
    async with kit.db.read() as conn:
        (row,) = (await conn.execute(text("SELECT t::text FROM import_drafts t"))).scalars()
    assert [word for word in ("刘艳", OTHER_PHONE, "510212199101060000", "案件.csv") if word in row] == []


async def test_a_workbook_is_filed_as_its_text_would_be(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    book = openpyxl.Workbook()
    for line in (HEADER, *LINES[:2]):
        book.active.append([int(cell) if re.fullmatch(r"1\d{10}", cell) else cell for cell in line.split(",")])
    content = io.BytesIO()
    book.save(content)
    await confirmed(kit, clerk, await drafted(clerk, content.getvalue(), hold_minutes="0"))
    again = (await clerk.get(await drafted(clerk, table(*LINES[:2])))).text
    assert "没有可以立案、补充或更正的内容" in again
    assert len(await told(kit, CaseFiled)) == 1
    assert await told(kit, PartyAdded, PartyChanged, CaseCorrected) == []


async def test_open_previews_are_found_again(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    page = await drafted(clerk, table(LINES[0].replace(PHONE, "1990000000")))
    await mend(clerk, page, {"cell.2.phone": PHONE})
    shown = (await clerk.get("/cases/import")).text
    row = re.search(rf'<tr>(?:(?!</tr>).)*href="{page}".*?</tr>', shown, re.DOTALL)
    assert row is not None
    assert [word for word in ("案件.csv", "测试立案人员", "待确认", "已改正1处") if word not in row[0]] == []
    async with client(SERVICE, kit, Role.JUDGE) as judge_http:
        assert (await judge_http.get("/cases/import")).status_code == 403
    await confirmed(kit, clerk, page)
    assert "待确认的预览" not in (await clerk.get("/cases/import")).text


async def test_two_hundred_late_cases_are_one_screen_and_the_rest_comes_on_demand(clerk: httpx.AsyncClient) -> None:
    lines = [LINES[0].replace("执5001号", f"执{6000 + at}号") for at in range(200)]
    page = await drafted(clerk, table(*lines))
    shown = (await clerk.get(page)).text
    assert set(re.findall(r">(\d+) 件</div>", shown)) == {"200"}
    assert shown.count("（2026）渝05执6") == 20
    rows = (await clerk.get(f"{page}/late", params={"cursor": 20}, headers={"hx-request": "true"})).text
    assert rows.lstrip().startswith("<tr>")
    assert (rows.count("（2026）渝05执6"), "还有80条" in rows) == (100, True)
    last = (await clerk.get(f"{page}/late", params={"cursor": 120}, headers={"hx-request": "true"})).text
    assert (last.count("（2026）渝05执6"), "hx-get" in last) == (80, False)
    alone = await clerk.get(f"{page}/late", params={"rule": "3个月内执结（本院期限）"})
    assert "<html" in alone.text
    assert alone.text.count("（2026）渝05执6") == 100
    assert "没有这样的内容" in (await clerk.get(f"{page}/late", params={"rule": "x"})).text


async def test_a_fault_names_the_party_and_what_needs_no_work_stands_apart(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    page = await drafted(clerk, table(LINES[0], LINES[0], LINES[1].replace("被执行人", "路人")))
    shown = (await clerk.get(page)).text
    work, _, rest = shown.partition('id="notes"')
    assert stat(shown, "需要处理") == "1 处"
    assert "路人" in work.partition('id="faults"')[2]
    assert "同一当事人重复" not in work
    assert "同一当事人重复" in rest
    assert 'name="cell.4.role"' in work
    report = (await confirmed(kit, clerk, page)).text
    work, _, rest = report.partition("无需处理的说明")
    assert LINES[1].split(",")[7] in work
    assert ("1处内容需要处理" in work, "同一当事人重复" in work, "同一当事人重复" in rest) == (True, False, True)
