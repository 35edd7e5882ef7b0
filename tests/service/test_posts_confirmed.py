"""An administrator becomes nobody unseen: members and posts are on record, and what opens most has to be confirmed."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import func, update

from services.staff.domain.people import Member
from services.staff.service import SERVICE
from services.staff.store import people, tables
from services.staff.store.record import Wanted
from services.staff.usecases import record
from services.staff.usecases.admission import caller_for
from shared.clock import SystemClock
from shared.contracts.staff import AccessRevoked, MemberChanged
from shared.db.lists import Part
from shared.powers import Role
from shared.runtime.service import Kit, Service
from tests.fixtures.kits import client, told
from tests.service.test_staff_door import HTML, NEW, add, come_in

EMPTY = replace(SERVICE, start=None)
GHOST = {"login": "ghost", "name": "影子", "phone": "023-12345730", "department": "执行指挥中心", "roles": ["duty"]}


@pytest.fixture
def service() -> Service:
    return EMPTY


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit) as http:
        yield http


@pytest.fixture
async def admin(kit: Kit[Any]) -> Member:
    return await add(kit, Role.ADMIN)


@pytest.fixture
async def watcher(kit: Kit[Any]) -> Member:
    return await add(kit, Role.INTEGRITY)


def bearer(kit: Kit[Any], member: Member) -> dict[str, str]:
    caller = caller_for(member, SystemClock().now(), factor_at=SystemClock().now())
    return {"authorization": f"Bearer {kit.staff_signer.for_staff(caller, timedelta(minutes=5))}"}


async def waiting(kit: Kit[Any]) -> list[Any]:
    return (await record.look(kit, Wanted(reviewed=False), Part()))[0]


async def now(kit: Kit[Any], staff_id: UUID) -> Member:
    async with kit.db.read() as conn:
        found = await people.by_id(conn, staff_id)
    assert found is not None
    return found


async def test_a_ghost_on_the_desk_waits_for_the_integrity_office(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    made = (await http.post("/api/staff/members", json=GHOST, headers=bearer(kit, admin))).json()
    assert (made["member"]["roles"], made["member"]["waiting"]) == ([], ["duty"])
    assert (await told(kit, MemberChanged))[-1].roles == (), "no other service knows of a post that does not hold"
    given = {"login": "ghost", "password": made["initial_password"], "new_password": NEW}
    assert (await http.post("/api/staff/sign-in", json=given)).json()["code"] == "posts_waiting"
    [event] = await waiting(kit)
    assert (event.kind.value, event.doer, event.held) == ("member_added", admin.name, (Role.DUTY,))
    own = await http.post(f"/staff/record/{event.id}/review", headers=bearer(kit, admin))
    assert own.status_code == 403
    page = (await http.get("/staff/record", headers=bearer(kit, watcher) | HTML)).text
    assert ("确认生效" in page, "不予确认" in page) == (True, True)
    assert "待下次登录告知" not in page, "nobody is told that they were added"
    done = await http.post(f"/staff/record/{event.id}/review", headers=bearer(kit, watcher) | HTML)
    assert done.status_code == 303
    ghost = await now(kit, event.staff_id)
    assert (ghost.roles, ghost.waiting) == ((Role.DUTY,), ())
    assert (await told(kit, MemberChanged))[-1].roles == (Role.DUTY,)
    assert (await told(kit, AccessRevoked))[-1].staff_id == ghost.id
    assert (await http.post(f"/staff/record/{event.id}/review", headers=bearer(kit, watcher))).status_code == 404


@pytest.mark.parametrize("role", [Role.DUTY, Role.INTEGRITY])
async def test_an_administrator_gives_himself_nothing(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member, role: Role
) -> None:
    roles = {"roles": ["admin", role.value], "version": None}
    answer = await http.patch(f"/api/staff/members/{admin.id}", json=roles, headers=bearer(kit, admin))
    assert (answer.json()["roles"], answer.json()["waiting"]) == (["admin"], [role.value])
    named = await http.patch(f"/api/staff/members/{admin.id}", json={"name": "某某"}, headers=bearer(kit, admin))
    assert named.json()["waiting"] == [role.value], "what waits goes on waiting"
    [posts, name] = sorted(await waiting(kit), key=lambda event: event.id)
    assert (posts.kind.value, name.kind.value, "某某" in name.note) == ("posts_changed", "particulars_changed", True)
    refused = await http.post(f"/staff/record/{posts.id}/refuse", headers=bearer(kit, watcher))
    assert refused.status_code == 303
    assert ((await now(kit, admin.id)).given, (await waiting(kit))) == ((Role.ADMIN,), [name])


async def test_a_court_begins_with_one_person_and_it_is_on_record(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member
) -> None:
    """Until somebody of the integrity office has come in once, posts hold at once."""
    inspector = GHOST | {"login": "inspector", "department": "监察室", "roles": ["integrity"]}
    for new in (inspector, GHOST):
        made = (await http.post("/api/staff/members", json=new, headers=bearer(kit, admin))).json()
        assert (made["member"]["roles"], made["member"]["waiting"]) == (new["roles"], [])
    assert [event.kind.value for event in await waiting(kit)] == ["member_added"] * 2


async def test_whoever_left_comes_back_with_no_post_that_has_to_be_confirmed(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    duty = await add(kit, Role.DUTY)
    at = f"/api/staff/members/{duty.id}"
    await http.patch(at, json={"active": False}, headers=bearer(kit, admin))
    back = (await http.patch(at, json={"active": True}, headers=bearer(kit, admin))).json()
    assert (back["roles"], back["waiting"]) == ([], ["duty"])


async def test_the_last_of_the_integrity_office_is_not_sent_away(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    at = f"/api/staff/members/{watcher.id}"
    for change in ({"active": False}, {"roles": ["supervision"]}):
        answer = await http.patch(at, json=change, headers=bearer(kit, admin))
        assert (answer.status_code, answer.json()["code"]) == (409, "last_integrity")


async def test_nobody_looks_into_their_own(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member, watcher: Member
) -> None:
    """Nor whoever came in after somebody reset their sign-in, for however long: it may be the one who did."""
    await http.post(f"/api/staff/members/{watcher.id}/password", headers=bearer(kit, admin))
    await http.post("/api/staff/members", json=GHOST, headers=bearer(kit, admin))
    ghost, reset = sorted(await waiting(kit), key=lambda event: event.kind.value)
    for event, code in ((reset, "own_event"), (ghost, "in_doubt")):
        answer = await http.post(
            f"/staff/record/{event.id}/review", headers=bearer(kit, watcher) | {"accept": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, code)
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(tables.door_events).values(at=func.now() - timedelta(days=400)))
    assert (await http.post(f"/staff/record/{ghost.id}/review", headers=bearer(kit, watcher))).status_code == 403
    other = await add(kit, Role.INTEGRITY, login="integrity2")
    for event, by in ((reset, other), (ghost, watcher)):
        assert (await http.post(f"/staff/record/{event.id}/review", headers=bearer(kit, by))).status_code == 303


async def test_who_signs_in_first_does_not_hide_a_reset_from_the_owner(
    kit: Kit[Any], http: httpx.AsyncClient, admin: Member
) -> None:
    await add(kit, Role.JUDGE)
    judge = next(
        each
        for each in [await now(kit, event.staff_id) for event in await told(kit, MemberChanged)]
        if each.login == "judge"
    )
    reset = await http.post(f"/api/staff/members/{judge.id}/password", headers=bearer(kit, admin))
    async with client(SERVICE, kit, source="203.0.113.7") as thief:
        await come_in(thief, "judge", reset.json()["initial_password"], new_password=NEW, again=NEW)
        await thief.post("/staff/notices", data={"answer": "known", "next": "/work"})
    came = await come_in(http, "judge", NEW)
    assert came.headers["location"].startswith("/staff/notices")
    page = (await http.get(came.headers["location"], headers=HTML)).text
    assert ("密码被重置" in page, "203.0.113.7" in page, "另一台设备" in page) == (True, True, True)
    async with kit.db.begin() as tx:
        kept = (await tx.conn.execute(tables.door_events.select())).all()
        assert "203.0.113.7" not in str(kept)
        await tx.conn.execute(update(tables.door_events).values(at=func.now() - timedelta(days=31)))
    assert (await come_in(http, "judge", NEW)).headers["location"] == "/work"
