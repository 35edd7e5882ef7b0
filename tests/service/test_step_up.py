"""Who sent a tip is shown only to whoever has just given a code; what was typed meanwhile goes on."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.asset_tips import store
from services.asset_tips.service import SERVICE as TIPS
from services.staff.domain.people import Member
from services.staff.service import SERVICE as STAFF
from services.staff.store import tables
from shared.clock import SystemClock
from shared.contracts.desk import ItemTaken
from shared.contracts.tips import TipReceived
from shared.http.auth import STAFF_COOKIE
from shared.powers import FACTOR_WITHIN, Action, Role
from shared.runtime.service import Kit
from tests.fixtures.databases import FreshDatabase
from tests.fixtures.factors import code_now
from tests.fixtures.kits import NOON, Feeder, caller, client, make_kit, told
from tests.service.test_form_goes_on import fields_in, kept_in
from tests.service.test_staff_door import add, come_in

CONTACT, REASON = "李证人 13800000000", "须核实线索所述楼栋号。"
WITHIN = FACTOR_WITHIN[Action.TIP_SENDERS_LOOK]
BROWSER = {"accept": "text/html", "sec-fetch-site": "same-origin"}


@dataclass
class Desk:
    """The door, and the service that keeps senders; a tip that the duty officer has taken."""

    door: Kit[Any]
    tips: Kit[Any]
    officer: Member
    path: str

    def token(self, **claims: Any) -> dict[str, str]:
        """A bearer of the officer's."""
        told = replace(caller(Role.DUTY, self.officer.id), **claims)
        return {"authorization": "Bearer " + self.tips.staff_signer.for_staff(told, timedelta(hours=1))}

    async def look(self, headers: dict[str, str]) -> httpx.Response:
        """Ask for the sender by the API."""
        async with client(TIPS, self.tips, Role.DUTY) as http:
            return await http.post(f"/api{self.path}", json={"reason": REASON}, headers=headers)


@pytest.fixture
async def desk(fresh_database: FreshDatabase) -> AsyncIterator[Desk]:
    empty = replace(STAFF, start=None)
    door, tips = await make_kit(empty, await fresh_database(empty)), await make_kit(TIPS, await fresh_database(TIPS))
    tips = replace(tips, staff_tokens=door.staff_tokens, staff_signer=door.staff_signer)
    officer = await add(door, Role.DUTY)
    async with client(TIPS, tips) as visitor:
        tip = {"text": "轿车停在三峡广场地下车库。", "contact": CONTACT}
        assert (await visitor.post("/api/tips", json=tip)).status_code == 201
    for job in TIPS.jobs(tips):
        await job.run()
    (event,) = await told(tips, TipReceived)
    taken = ItemTaken(item_id=event.tip_id, source="tip", taken_by=officer.id, taken_at=NOON)
    await Feeder(TIPS, tips).feed(taken)
    yield Desk(door, tips, officer, f"/tip-senders/{event.tip_id}")
    await door.db.close()
    await tips.db.close()


async def looks(desk: Desk) -> int:
    async with desk.tips.db.read() as conn:
        return len((await conn.execute(store.looks.select())).all())


async def test_without_a_fresh_code_nobody_looks(desk: Desk) -> None:
    now = SystemClock().now()
    for given_at in (None, now - WITHIN - timedelta(seconds=1)):
        refused = await desk.look(desk.token(factor_at=given_at))
        assert (refused.status_code, refused.json()["code"]) == (401, "fresh_code_needed")
        assert "15分钟" in refused.json()["detail"]
        assert refused.headers["www-authenticate"] == 'Bearer error="insufficient_user_authentication", max_age=900'
    assert await looks(desk) == 0
    answer = await desk.look(desk.token(factor_at=now - WITHIN + timedelta(minutes=1)))
    assert answer.json() == {"contact": CONTACT}


async def test_no_token_of_another_system_looks(desk: Desk) -> None:
    for scopes in (set(Action), {Action.DESK_WORK}, {Action.TIP_SENDERS_LOOK}):
        refused = await desk.look(desk.token(scopes=frozenset(scopes)))
        assert refused.status_code == 403
    assert await looks(desk) == 0


async def test_a_page_asks_for_the_code_and_what_was_typed_goes_on(desk: Desk) -> None:
    async with client(STAFF, desk.door) as door, client(TIPS, desk.tips, Role.DUTY) as office:
        del office.headers["authorization"]
        for http in (door, office):
            http.headers.update(BROWSER)
        await come_in(door, "duty")
        await wait_too_long(desk, door)
        office.cookies.set(STAFF_COOKIE, door.cookies[STAFF_COOKIE])
        asked = await office.get(desk.path)
        assert (asked.status_code, asked.headers["location"]) == (
            303,
            f"/sign-in/code?next={desk.path.replace('/', '%2F')}",
        )
        sent = await office.post(desk.path, data={"reason": REASON, "_by": str(desk.officer.id)})
        assert (sent.status_code, 'action="/sign-in/code"' in sent.text, REASON in sent.text) == (401, True, False)
        page = await door.post("/sign-in/code", data={"kept": kept_in(sent.text)})
        assert (page.status_code, "没有丢失" in page.text) == (200, True)
        wrong = await door.post("/sign-in/code", data={"kept": kept_in(page.text), "code": "000000"})
        assert wrong.status_code == 401
        done = await door.post("/sign-in/code", data={"kept": kept_in(wrong.text), "code": code_now()})
        assert (done.status_code, "data-go-on" in done.text, fields_in(done.text)) == (200, True, {"reason": REASON})
        office.cookies.set(STAFF_COOKIE, done.cookies[STAFF_COOKIE])
        shown = await office.post(desk.path, data=fields_in(done.text))
        assert (shown.status_code, CONTACT in shown.text) == (200, True)


async def wait_too_long(desk: Desk, door: httpx.AsyncClient) -> None:
    """The code was given so long ago that it is asked for again."""
    async with desk.door.db.begin() as tx:
        await tx.conn.execute(tables.sessions.update().values(factor_at=SystemClock().now() - WITHIN * 2))
    assert (await door.post("/sign-in/refresh")).status_code == 204
