"""What is taken back is worth nothing in any service: a copied cookie or bearer, after going out or a new password."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from services.staff.domain.people import Member
from services.staff.service import SERVICE as STAFF
from services.staff.usecases.members import change_member, reset_password
from services.stage_tracking.service import SERVICE as STAGES
from shared.bus.lanes import Verdict
from shared.bus.postgres import PostgresLog
from shared.contracts.operations import TroubleReported
from shared.contracts.staff import AccessRevoked
from shared.db.revocations import standing
from shared.db.transaction import new_id
from shared.http.access import FRESH, Access
from shared.http.routes import Zone
from shared.powers import Role
from shared.runtime.service import Kit
from shared.runtime.unit import Unit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.kits import NOON, Feeder, client, make_kit, told
from tests.service.test_staff_door import BY_ADMIN, NEW, PASSWORD, add, come_in

EMPTY = replace(STAFF, start=None)


@dataclass
class Court:
    """The door, and another service that hears of it by events alone."""

    staff: Kit[Any]
    stages: Unit
    feeder: Feeder
    seconds: float = 0.0
    heard: int = 0

    async def hear(self) -> None:
        """The other service takes what the door has told; two seconds pass."""
        events = (await told(self.staff, AccessRevoked))[self.heard :]
        self.heard += len(events)
        for event in events:
            assert await self.stages.keeper.settle(self.feeder.wrap(event)) is Verdict.HANDLED
        self.seconds += FRESH

    async def lets_in(self, **headers: str) -> bool:
        """Whether the other service lets somebody in who shows this."""
        transport = httpx.ASGITransport(self.stages.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as http:
            answer = await http.get("/api/stages/compute-nothing/log")
        assert answer.status_code in {401, 403, 404}
        return answer.status_code != 401


@pytest.fixture
async def court(fresh_database: FreshDatabase) -> AsyncIterator[Court]:
    staff = await make_kit(EMPTY, await fresh_database(EMPTY))
    url = await fresh_database(STAGES)
    stages = replace(await make_kit(STAGES, url), staff_tokens=staff.staff_tokens)
    unit = Unit(STAGES, stages, PostgresLog(url), tuple(Zone))
    court = Court(staff, unit, Feeder(STAGES, stages))
    unit.app.state.access = Access(lambda: standing(stages.db), lambda: court.seconds)
    yield court
    await staff.db.close()
    await stages.db.close()


@pytest.fixture
async def judge(court: Court) -> Member:
    return await add(court.staff, Role.JUDGE)


@pytest.fixture
async def copied(court: Court, judge: Member) -> AsyncIterator[tuple[httpx.AsyncClient, dict[str, str]]]:
    """The judge's browser, and a copy of the cookie that it holds."""
    async with client(STAFF, court.staff) as browser:
        await come_in(browser, "judge")
        yield browser, {"cookie": f"yg_session={browser.cookies['yg_session']}"}


Copied = tuple[httpx.AsyncClient, dict[str, str]]


async def test_going_out_ends_the_copied_cookie_everywhere_and_no_other_session(court: Court, copied: Copied) -> None:
    browser, copy = copied
    async with client(STAFF, court.staff) as elsewhere:
        await come_in(elsewhere, "judge")
        other = {"cookie": f"yg_session={elsewhere.cookies['yg_session']}"}
    assert await court.lets_in(**copy)
    await browser.post("/sign-out")
    await court.hear()
    assert not await court.lets_in(**copy)
    assert await court.lets_in(**other)
    async with client(STAFF, court.staff) as thief:
        assert (await thief.get("/api/staff/me", headers=copy)).status_code == 401, "at the door itself"


async def test_a_dismissed_member_is_out_everywhere_cookie_and_bearer(
    court: Court, copied: Copied, judge: Member
) -> None:
    async with client(STAFF, court.staff) as script:
        answer = await script.post("/api/staff/sign-in", json={"login": "judge", "password": PASSWORD})
    bearer = {"authorization": f"Bearer {answer.json()['token']}"}
    assert (await court.lets_in(**copied[1]), await court.lets_in(**bearer)) == (True, True)
    await change_member(court.staff, judge.id, {"active": False}, BY_ADMIN)
    await court.hear()
    assert (await court.lets_in(**copied[1]), await court.lets_in(**bearer)) == (False, False)


async def test_a_new_password_ends_what_the_old_one_opened_and_not_this_browser(court: Court, copied: Copied) -> None:
    browser, copy = copied
    await browser.post("/staff/password", data={"old": PASSWORD, "new": NEW, "again": NEW})
    await court.hear()
    assert not await court.lets_in(**copy)
    assert await court.lets_in(cookie=f"yg_session={browser.cookies['yg_session']}")


async def test_a_reset_and_going_out_everywhere_end_all(court: Court, copied: Copied, judge: Member) -> None:
    browser, copy = copied
    await browser.post("/staff/sign-out-everywhere")
    await court.hear()
    assert not await court.lets_in(**copy)
    assert (await browser.post("/sign-in/refresh")).status_code == 401
    await come_in(browser, "judge")
    again = {"cookie": f"yg_session={browser.cookies['yg_session']}"}
    assert await court.lets_in(**again)
    await reset_password(court.staff, judge.id)
    await court.hear()
    assert not await court.lets_in(**again)


async def test_other_posts_hold_at_once_and_the_session_goes_on(court: Court, copied: Copied, judge: Member) -> None:
    browser, copy = copied
    await change_member(court.staff, judge.id, {"roles": (Role.SUPERVISION,)}, BY_ADMIN)
    await court.hear()
    assert not await court.lets_in(**copy)
    assert (await browser.post("/sign-in/refresh")).status_code == 204
    assert await court.lets_in(cookie=f"yg_session={browser.cookies['yg_session']}")


async def test_what_a_service_does_not_ask_for_may_have_left_the_log_long_ago(court: Court) -> None:
    """That is no gap for one that begins to listen late."""
    event = TroubleReported(trouble_id=new_id(), service="staff", kind="x", summary="x", noticed_at=NOON)
    for _ in range(3):
        record = court.feeder.wrap(event)
    assert await court.stages.keeper.settle(record) is Verdict.HANDLED
