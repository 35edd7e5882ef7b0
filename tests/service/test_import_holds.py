"""Notices of an import are held, recalled and released, whatever is being filed meanwhile."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.holds import tell_decisions
from services.case_intake.usecases.imports import work_through
from shared.contracts.cases import CaseFiled, NoticesRecalled, NoticesReleased, PartyAdded
from shared.powers import Role
from tests.fixtures.kits import NOON, client, told

HEADER, *LINES = (Path(__file__).parents[1] / "fixtures" / "cases.csv").read_text("utf-8-sig").splitlines()
TEN = timedelta(minutes=10)


@pytest.fixture
def kit(kit: IntakeKit) -> IntakeKit:
    kit.settings.import_wait_seconds = 0
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        yield http


async def received(clerk: httpx.AsyncClient, *lines: str, **fields: str) -> str:
    files = {"file": ("案件.csv", "\n".join([HEADER, *lines]).encode())}
    answer = await clerk.post("/api/cases/import", files=files, data={"assign": "by_hand", **fields})
    assert answer.status_code == 202, answer.text
    return f"/api/cases/imports/{answer.json()['id']}"


async def decide(clerk: httpx.AsyncClient, path: str, act: str) -> tuple[int, Any]:
    answer = await clerk.post(f"{path}/{act}")
    return answer.status_code, answer.json().get("notices") or answer.json()["code"]


async def test_without_a_word_nothing_is_held(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    path = await received(clerk, *LINES[:2])
    await work_through(kit)
    assert [event.hold_until for event in await told(kit, CaseFiled)] == [None]
    assert (await clerk.get(path)).json()["notices"] == "at_once"
    assert await decide(clerk, path, "recall") == (409, "notices_left")
    assert await decide(clerk, path, "release") == (409, "nothing_held")
    assert len(await told(kit)) == 1


async def test_recalled_notices_stay_until_they_are_released(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    await received(clerk, LINES[0])
    await work_through(kit)
    path = await received(clerk, *LINES[:4], hold_minutes="10")
    await work_through(kit)
    cases = await told(kit, CaseFiled)
    assert [event.hold_until for event in cases] == [None, NOON + TEN]
    assert [event.hold_until for event in await told(kit, PartyAdded)] == [NOON + TEN]
    kit.clock.move(TEN - timedelta(seconds=1))  # type: ignore[attr-defined]
    assert await decide(clerk, path, "recall") == (200, "recalled")
    assert await decide(clerk, path, "recall") == (200, "recalled")
    recalled = {event.case_id for event in await told(kit, NoticesRecalled)}
    assert recalled == {event.case_id for event in cases}
    kit.clock.move(TEN)  # type: ignore[attr-defined]
    page = (await clerk.get(f"/cases/{cases[1].case_id}", headers={"accept": "text/html"})).text
    assert "本案通知已撤回，尚未放行" in page
    assert path.removeprefix("/api") in page
    assert await decide(clerk, path, "release") == (200, "released")
    assert await decide(clerk, path, "release") == (200, "released")
    assert await decide(clerk, path, "recall") == (409, "notices_left")
    assert {event.case_id for event in await told(kit, NoticesReleased)} == recalled
    assert len(await told(kit, NoticesRecalled, NoticesReleased)) == 4
    assert "已撤回" not in (await clerk.get(f"/cases/{cases[1].case_id}", headers={"accept": "text/html"})).text


async def test_held_notices_may_leave_at_once_and_a_late_recall_is_refused(
    kit: IntakeKit, clerk: httpx.AsyncClient
) -> None:
    first = await received(clerk, *LINES[:2], hold_minutes="10")
    second = await received(clerk, *LINES[2:4], hold_minutes="10")
    await work_through(kit)
    assert await decide(clerk, first, "release") == (200, "released")
    kit.clock.move(TEN)  # type: ignore[attr-defined]
    assert (await clerk.get(second)).json()["notices"] == "over"
    assert await decide(clerk, second, "recall") == (409, "notices_left")
    assert len(await told(kit, NoticesReleased)) == 1
    assert await told(kit, NoticesRecalled) == []


async def test_a_recall_reaches_the_cases_that_are_filed_after_it(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    path = await received(clerk, *LINES[:4], hold_minutes="10")
    assert await decide(clerk, path, "recall") == (200, "recalled")
    assert await told(kit) == []
    await work_through(kit)
    await tell_decisions(kit)
    order = [type(event) for event in await told(kit)]
    assert sorted(order, key=str) == [CaseFiled, CaseFiled, NoticesRecalled, NoticesRecalled]
    async with kit.db.read() as conn:
        assert (await conn.execute(text("SELECT untold FROM imports"))).scalar_one() is False


async def test_an_old_stock_has_nothing_to_recall(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    path = await received(clerk, *LINES[:2], hold_minutes="10", silent="true")
    await work_through(kit)
    (event,) = await told(kit, CaseFiled)
    assert (event.silent, event.hold_until) == (True, None)
    assert await decide(clerk, path, "recall") == (409, "notices_left")


@pytest.mark.parametrize("minutes", ["-1", "61", "x"])
async def test_a_hold_has_its_limits(clerk: httpx.AsyncClient, minutes: str) -> None:
    files = {"file": ("a.csv", b"x")}
    answer = await clerk.post("/api/cases/import", files=files, data={"hold_minutes": minutes})
    assert [error["field"] for error in answer.json()["errors"]] == ["hold_minutes"]


async def test_on_the_page_notices_are_recalled_and_released(kit: IntakeKit, clerk: httpx.AsyncClient) -> None:
    clerk.headers["accept"] = "text/html"
    path = (await received(clerk, *LINES[:2], hold_minutes="10")).removeprefix("/api")
    await work_through(kit)
    assert "通知暂缓发送至2026年11月23日（周一）12:10" in (await clerk.get(path)).text
    recalled = await clerk.get((await clerk.post(f"{path}/recall")).headers["location"])
    assert "尚未放行" in recalled.text
    assert "通知已撤回" in (await clerk.get("/cases/import")).text
    released = await clerk.get((await clerk.post(f"{path}/release")).headers["location"])
    assert "通知已放行" in released.text
    late = await clerk.post(f"{path}/recall")
    assert late.status_code == 409
    assert "无法撤回" in late.text
