"""Import of the example file: what must come of it, once, twice, in parallel and through crashes."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.imports import work_through
from shared.contracts.cases import CaseAssigned, CaseFiled, PartyAdded, PartyIdentity, PartyRole
from shared.powers import Role
from tests.fixtures.filing import JUDGES, judge
from tests.fixtures.kits import Feeder, as_owner, client, told

FIXTURES = Path(__file__).parents[1] / "fixtures"
FILE = (FIXTURES / "cases.csv").read_bytes()
EXPECTED = json.loads((FIXTURES / "cases.expect.json").read_text())
HEADER, *LINES = FILE.decode("utf-8-sig").splitlines()


@pytest.fixture
def kit(kit: IntakeKit) -> IntakeKit:
    kit.settings.import_wait_seconds = 0
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def upload(clerk: httpx.AsyncClient, content: bytes, **fields: str) -> httpx.Response:
    return await clerk.post("/api/cases/import", files={"file": ("案件.csv", content, "text/csv")}, data=fields)


async def imported(kit: IntakeKit, clerk: httpx.AsyncClient, content: bytes, **fields: str) -> dict[str, Any]:
    """Upload, work through it, and read the report."""
    answer = await upload(clerk, content, **fields)
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    async with asyncio.timeout(200):  # on a busy machine one slice of the work is not enough for a large file
        while True:
            await work_through(kit)
            report: dict[str, Any] = (await clerk.get(f"/api/cases/imports/{answer.json()['id']}")).json()
            if report["state"] == "done":
                return report


def table(*lines: str) -> bytes:
    return "\n".join([HEADER, *lines]).encode()


def places(report: dict[str, Any]) -> list[tuple[int, str]]:
    return [(fault["line"], fault["column"]) for fault in report["faults"]]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
async def test_the_file_comes_to_what_is_expected(kit: IntakeKit, clerk: httpx.AsyncClient, encoding: str) -> None:
    await Feeder(SERVICE, kit).feed(*map(judge, JUDGES))
    report = await imported(kit, clerk, FILE.decode("utf-8-sig").encode(encoding))
    assert sorted(places(report)) == sorted((line, column) for line, column, _ in EXPECTED["bad"])
    assert [fault["line"] for fault in report["faults"]] == sorted(fault["line"] for fault in report["faults"])
    assert all(fault["reason"] for fault in report["faults"])
    counts = {name: report[name] for name in ("rows", "cases", "done_cases", "filed", "completed", "unchanged")}
    total = EXPECTED["cases"]
    assert counts == {
        "rows": EXPECTED["rows"],
        "cases": total,
        "done_cases": total,
        "filed": EXPECTED["cases_filed"],
        "completed": 0,
        "unchanged": 0,
    }
    await check_events(kit)


async def check_events(kit: IntakeKit) -> None:
    filed = await told(kit, CaseFiled)
    both = set(PartyRole)
    lacking = [event for event in filed if {party.role for party in event.parties} != both]
    assert sorted(event.facts.case_number for event in lacking) == sorted(EXPECTED["cases_lacking_a_role"])
    without = sorted(event.facts.case_number for event in filed if event.facts.obligation is None)
    assert without == sorted(EXPECTED["cases_lacking_the_obligation"])
    assert EXPECTED["cases_without_a_usable_row"][0] not in {event.facts.case_number for event in filed}
    parties = [party for event in filed if event not in lacking for party in event.parties]
    identities = [kit.keyring.open_model(PartyIdentity, party.identity, str(party.party_id)) for party in parties]
    assert len({identity.phone for identity in identities}) == EXPECTED["phones_of_cases_with_both_roles"]
    order = [(event.case_id, type(event)) for event in await told(kit)]
    assert order == [(event.case_id, kind) for event in filed for kind in (CaseFiled, CaseAssigned)]
    shares = [event.judge.staff_id for event in await told(kit, CaseAssigned)]
    assert sorted(shares.count(staff_id) for staff_id in JUDGES) == [66, 66, 67]


async def test_repeating_the_file_changes_nothing(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    first = await imported(kit, clerk, FILE)
    events = await told(kit)
    second = await imported(kit, clerk, FILE)
    assert (second["filed"], second["completed"], second["unchanged"]) == (0, 0, EXPECTED["cases_filed"])
    assert second["faults"] == first["faults"]
    assert await told(kit) == events


async def test_it_goes_on_after_a_crash_at_any_step(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    """A connection that the server ends in the midst of a transaction is what a killed process leaves behind."""
    await upload(clerk, FILE)
    cut = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND usename = current_user AND pid <> pg_backend_pid()"
    )
    crashes = 0
    for turn in range(12):
        work = asyncio.ensure_future(work_through(kit))
        for _ in range(40):
            await asyncio.sleep(0)
        await asyncio.wait([work], timeout=0.15 + turn / 20)
        async with kit.db.engine.connect() as conn:
            await conn.execute(cut)
        crashes += isinstance((await asyncio.gather(work, return_exceptions=True))[0], Exception)
        await kit.db.engine.dispose()
    assert crashes > 0
    for _ in range(5):  # a slice may end before the work does
        await work_through(kit)
    filed = await told(kit, CaseFiled)
    assert len(filed) == len({event.facts.case_number for event in filed}) == EXPECTED["cases_filed"]
    report = (await clerk.get("/api/cases/imports")).json()["items"][0]
    assert (report["state"], report["filed"]) == ("done", EXPECTED["cases_filed"])


async def test_two_workers_and_two_imports_at_once_file_each_case_once(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    await Feeder(SERVICE, kit).feed(*map(judge, JUDGES))
    await asyncio.gather(upload(clerk, FILE), upload(clerk, FILE))
    await asyncio.gather(work_through(kit), work_through(kit))
    for _ in range(5):  # a slice may end before the work does
        await work_through(kit)
    assert len(await told(kit, CaseFiled)) == EXPECTED["cases_filed"]
    lines = (await clerk.get("/api/cases/imports")).json()["items"]
    assert [line["filed"] + line["unchanged"] for line in lines] == [EXPECTED["cases_filed"]] * 2
    assert sum(line["filed"] for line in lines) == EXPECTED["cases_filed"]
    reports = [(await clerk.get(f"/api/cases/imports/{line['id']}")).json() for line in lines]
    assert [len(report["faults"]) for report in reports] == [len(EXPECTED["bad"])] * 2
    shares = [event.judge.staff_id for event in await told(kit, CaseAssigned)]
    assert sorted(shares.count(staff_id) for staff_id in JUDGES) == [66, 66, 67]


async def test_a_further_party_is_added_and_a_difference_only_reported(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    await imported(kit, clerk, table(LINES[0]))
    report = await imported(kit, clerk, table(LINES[0].replace("19900000005", "19900000099"), LINES[1]))
    assert (report["filed"], report["completed"], report["unchanged"]) == (0, 1, 0)
    assert places(report) == [(2, "手机号码")]
    assert "未改动" in report["faults"][0]["reason"]
    (event,) = await told(kit, PartyAdded)
    assert event.party.role is PartyRole.RESPONDENT
    (party,) = (await told(kit, CaseFiled))[0].parties
    assert kit.keyring.open_model(PartyIdentity, party.identity, str(party.party_id)).phone == "19900000005"


async def test_an_old_stock_is_carried_over_in_silence(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    await Feeder(SERVICE, kit).feed(judge(JUDGES[0]))
    await imported(kit, clerk, table(LINES[0]), silent="true")
    await imported(kit, clerk, table(*LINES[:2]), silent="true", assign="by_hand")
    events = await told(kit)
    assert [type(event) for event in events] == [CaseFiled, CaseAssigned, PartyAdded]
    assert all(event.silent for event in events)


async def test_a_number_from_an_import_is_never_allotted_again(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    await imported(kit, clerk, table(LINES[0]))
    async with kit.db.read() as conn:
        last = (await conn.execute(text("SELECT last FROM serials WHERE kind = '执' AND year = 2026"))).scalar_one()
    assert last == 5001


async def test_the_post_waits_for_the_end(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    kit.settings.import_wait_seconds = 20

    async def work() -> None:
        assert await kit.signals.wait("import_received", 20)
        await work_through(kit)

    answer, _ = await asyncio.gather(upload(clerk, table(*LINES[:4])), work())
    assert (answer.status_code, answer.json()["state"], answer.json()["filed"]) == (200, "done", 2)


@pytest.mark.parametrize("content", [b"", HEADER.encode(), b"PK\x03\x04", b"\xff\xfe\x00", table('"x')])
async def test_an_unusable_file_is_refused_and_not_kept(
    kit: IntakeKit, clerk: httpx.AsyncClient, content: bytes
) -> None:
    answer = await upload(clerk, content)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "file")
    assert (await clerk.get("/api/cases/imports")).json()["items"] == []


async def test_a_file_is_needed(clerk: httpx.AsyncClient) -> None:
    answer = await clerk.post("/api/cases/import", data={"silent": "vielleicht", "assign": "x"})
    assert answer.status_code == 422
    assert {error["field"] for error in answer.json()["errors"]} == {"file", "silent", "assign"}


async def test_nothing_of_the_file_stands_in_plain_text(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    await imported(kit, clerk, table(*LINES[:2]))
    dump: list[str] = []
    async with kit.db.read() as conn:
        for name in ("imports", "import_groups", "import_faults", "cases", "parties"):
            dump += (await conn.execute(text(f"SELECT t::text FROM {name} t"))).scalars().all()  # noqa: S608
    written = "\n".join(dump)
    assert [
        word for word in ("刘艳", "19900000005", "510212199101060000", "案件.csv", "三峡广场") if word in written
    ] == []
    assert "（2026）渝05执5001号" in written


async def test_rows_that_cannot_be_opened_end_the_import(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    answer = await upload(clerk, table(*LINES[:2]))
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("UPDATE import_groups SET rows = 'lost.' || rows"))
    await work_through(kit)
    report = (await clerk.get(f"/api/cases/imports/{answer.json()['id']}")).json()
    assert (report["state"], report["filed"]) == ("unreadable", 0)


async def test_a_case_that_cannot_be_worked_at_blocks_neither_its_file_nor_later_ones(
    kit: IntakeKit, clerk: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    number = LINES[0].split(",")[0]
    async with as_owner(kit) as conn:
        await conn.execute(text(f"ALTER TABLE cases ADD CONSTRAINT spoilt CHECK (case_number <> '{number}')"))
    first = (await upload(clerk, table(*LINES[:4]))).json()["id"]
    second = (await upload(clerk, table(*LINES[6:8]))).json()["id"]
    await work_through(kit)
    reports = [(await clerk.get(f"/api/cases/imports/{each}")).json() for each in (first, second)]
    assert [(report["state"], report["filed"]) for report in reports] == [("done", 1), ("done", 1)]
    (fault,) = reports[0]["faults"]
    assert (fault["line"], fault["column"], fault["case_number"]) == (2, "", number)
    assert fault["reason"] == "系统未能处理这一案件，请联系系统管理员；其他案件不受影响。"
    assert number not in {event.facts.case_number for event in await told(kit, CaseFiled)}
    (record,) = [record for record in caplog.records if record.getMessage() == "a case could not be imported"]
    assert (str(record.__dict__["import_id"]), record.__dict__["position"]) == (first, 0)
    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE cases DROP CONSTRAINT spoilt"))
    again = await imported(kit, clerk, table(*LINES[:4]))
    assert (again["filed"], again["unchanged"], again["faults"]) == (1, 1, [])


async def test_a_damaged_case_on_file_does_not_end_the_import(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    await imported(kit, clerk, table(LINES[0]))
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("UPDATE parties SET identity = 'lost.' || identity"))
    report = await imported(kit, clerk, table(*LINES[:4]))
    assert (report["filed"], [fault["line"] for fault in report["faults"]]) == (1, [2])
