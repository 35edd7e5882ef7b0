"""The one search: whole names, telephones and ID numbers by keyed hash, case numbers also in part; kept nowhere."""

import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.search import index_names
from shared.powers import Role
from tests.fixtures.filing import JUDGES, filing, judge, party, respondent
from tests.fixtures.kits import Feeder, client


@pytest.fixture
async def kit(kit: IntakeKit) -> IntakeKit:
    await Feeder(SERVICE, kit).feed(*map(judge, JUDGES))
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        parties = [party(name="阿依古丽·买买提"), respondent()]
        for number in ("（2026）渝05执5001号", "（2026）渝05执6001号"):
            body = filing(case_number=number, assign="auto", parties=parties)
            answer = await http.post("/api/cases", json=body)
            assert answer.status_code == 201, answer.text
            parties = [party(name="李示例", id_number="510212199101060019", phone="19900000007")]
        yield http


async def found(http: httpx.AsyncClient, q: str) -> list[tuple[str, str]]:
    answer = await http.get("/api/search", params={"q": q})
    assert answer.status_code == 200, answer.text
    return sorted((case["case_number"][-5:-1], case["by"]) for case in answer.json()["items"])


@pytest.mark.parametrize(
    ("typed", "cases"),
    [
        ("5001", [("5001", "case_number")]),
        ("（2026）渝05执", [("5001", "case_number"), ("6001", "case_number")]),
        ("(2026)渝05执6001号", [("6001", "case_number")]),
        ("阿依古丽·买买提", [("5001", "name")]),
        (" 阿依古丽 • 买买提\u200b", [("5001", "name")]),
        ("阿依古丽", []),
        ("199-0000-0005", [("5001", "phone")]),
        ("+86 19900000007", [("6001", "phone")]),
        ("５10212199101060019", [("6001", "id_number")]),
        ("510212199101060000", [("5001", "id_number")]),
        ("5102121991", []),
        ("%", []),
    ],
)
async def test_what_is_typed_finds_its_case(clerk: httpx.AsyncClient, typed: str, cases: list[tuple[str, str]]) -> None:
    assert await found(clerk, typed) == cases


async def test_an_answer_says_who_handles_the_case_and_masks_its_parties(clerk: httpx.AsyncClient) -> None:
    (case,) = (await clerk.get("/api/search", params={"q": "19900000005"})).json()["items"]
    assert case["judge"]
    assert case["parties"][0]["fits"]
    assert [word for word in ("阿依古丽·买买提", "19900000005", "510212199101060000") if word in str(case)] == []


async def test_the_page_takes_what_is_typed_by_post_and_keeps_it_out_of_every_address_and_log(
    clerk: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clerk.headers["accept"] = "text/html"
    assert 'method="post" action="/search"' in (await clerk.get("/cases")).text
    page = await clerk.post("/search", data={"q": "510212199101060000"})
    assert "执5001号" in page.text
    assert 'value="510212199101060000"' in page.text
    assert 'href="/search?' not in page.text
    nothing = (await clerk.post("/search", data={"q": "阿依古丽"})).text
    assert "须填写完整" in nothing
    assert "请填写要找的内容" in (await clerk.post("/search", data={"q": "  "})).text
    await clerk.get("/api/search", params={"q": "510212199101060000"})
    told = [record.getMessage() for record in caplog.records if record.name != "httpx"]
    assert [line for line in told if "510212199101060000" in line] == []


@pytest.mark.parametrize("role", [Role.ADMIN, Role.AUCTION, Role.INTEGRITY])
async def test_only_those_may_search_whom_the_table_names(kit: IntakeKit, role: Role) -> None:
    async with client(SERVICE, kit, role) as http:
        assert (await http.get("/api/search", params={"q": "5001"})).status_code == 403
        assert (await http.post("/search", data={"q": "5001"})).status_code == 403


async def test_parties_of_earlier_releases_are_found_by_name_once_they_are_indexed(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("UPDATE parties SET name_index = NULL"))
    assert await found(clerk, "李示例") == []
    await index_names(kit)
    assert await found(clerk, "李示例") == [("6001", "name")]


async def test_a_corrected_name_is_found_and_the_former_is_not(clerk: httpx.AsyncClient) -> None:
    case: dict[str, Any] = (await clerk.get("/api/cases/（2026）渝05执6001号")).json()
    path = f"/api/cases/{case['id']}/parties/{case['parties'][0]['id']}"
    changed = await clerk.patch(path, json={"name": "李实力"})
    assert changed.status_code == 200, changed.text
    assert (await found(clerk, "李示例"), await found(clerk, "李实力")) == ([], [("6001", "name")])
