"""What filing says of a case that is closed or archived."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from services.case_intake.service import SERVICE
from services.case_intake.settings import IntakeKit
from shared.contracts.stages import Milestone, MilestoneReached
from shared.powers import Role
from tests.fixtures.filing import JUDGES, filing, judge
from tests.fixtures.kits import Feeder, client


@pytest.fixture
async def kit(kit: IntakeKit) -> IntakeKit:
    await Feeder(SERVICE, kit).feed(judge(JUDGES[0]))
    return kit


@pytest.fixture
async def clerk(kit: IntakeKit) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.CLERK) as http:
        http.headers["accept"] = "text/html"
        yield http


def badges(html: str) -> list[str]:
    """The words of the states that a page shows."""
    return re.findall(r"(信息不全|待分案|已分案|已结案|已归档)</span>", html)


@pytest.mark.parametrize(
    ("reached", "word", "state"),
    [
        ([], "已分案", "assigned"),
        ([Milestone.SERVICE], "已分案", "assigned"),
        ([Milestone.CLOSURE], "已结案", "closed"),
        ([Milestone.CLOSURE, Milestone.ARCHIVING], "已归档", "archived"),
    ],
)
async def test_the_head_of_a_case_says_how_far_it_is(
    kit: IntakeKit, clerk: httpx.AsyncClient, reached: list[Milestone], word: str, state: str
) -> None:
    case_id = (await clerk.post("/api/cases", json=filing(assign="auto"))).json()["id"]
    facts = [{"case_id": case_id, "milestone": each, "on": "2026-11-23"} for each in reached]
    await Feeder(SERVICE, kit).feed(*map(MilestoneReached.model_validate, facts))
    assert badges((await clerk.get(f"/cases/{case_id}")).text) == [word]
    assert (await clerk.get(f"/api/cases/{case_id}")).json()["states"] == [state]
    for wanted in ("assigned", "closed", "archived"):
        listed = (await clerk.get("/cases", params={"state": wanted})).text
        assert (case_id in listed) is (wanted == state)
        found = (await clerk.get("/api/cases", params={"state": wanted})).json()["items"]
        assert [each["id"] for each in found] == ([case_id] if wanted == state else [])
