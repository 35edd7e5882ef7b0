"""Wrong passwords keep out whoever types them, and never the desk; a flood of them holds up nobody else."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx
import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select, update

from services.staff.domain.people import Member
from services.staff.service import SERVICE
from services.staff.store import tables
from services.staff.usecases import locks
from services.staff.usecases.locks import STRANGERS, Place
from services.staff.usecases.members import reset_password
from shared.crypto import slow
from shared.crypto.slow import Line
from shared.db.tables import wrong_tries
from shared.db.tries import TRIES
from shared.errors import TooMany
from shared.powers import Role
from shared.runtime.service import Kit, Service
from tests.fixtures.kits import client
from tests.service.test_staff_door import PASSWORD, add, come_in

EMPTY = replace(SERVICE, start=None)


@pytest.fixture
def service() -> Service:
    return EMPTY


@pytest.fixture
async def duty(kit: Kit[Any]) -> Member:
    return await add(kit, Role.DUTY)


def at(kit: Kit[Any], source: str) -> httpx.AsyncClient:
    return client(SERVICE, kit, source=source)


async def locked_here(kit: Kit[Any], source: str, *, initial: bool = False) -> None:
    """A stranger at `source` has typed so many wrong passwords for `duty` that he is locked out there."""
    counts = locks.counts_for(kit, "duty", Place(source), known=False, initial=initial)
    for _ in range(TRIES):
        async with kit.db.begin() as tx:
            await locks.claim(tx.conn, counts)
    async with at(kit, source) as stranger:
        assert (await come_in(stranger, "duty", "wrong")).status_code == 429


async def strangers_locked(kit: Kit[Any]) -> None:
    """Strangers from everywhere have used up what they may try together."""
    await locked_here(kit, "198.51.100.1")
    async with kit.db.begin() as tx:
        here = wrong_tries.c.mark.endswith("/strangers")
        await tx.conn.execute(update(wrong_tries).where(here).values(tried=STRANGERS, last_at=func.now()))


async def test_a_stranger_locks_the_login_only_where_he_stands(kit: Kit[Any], duty: Member) -> None:
    async with at(kit, "198.51.100.1") as stranger, at(kit, "192.0.2.7") as desk:
        assert [(await come_in(stranger, "duty", "wrong")).status_code for _ in range(6)] == [401] * 5 + [429]
        assert (await come_in(stranger, "duty")).status_code == 429, "not even with the right word"
        assert (await come_in(desk, "duty")).status_code == 303


async def test_a_device_that_has_signed_in_is_let_through_whatever_strangers_do(kit: Kit[Any], duty: Member) -> None:
    async with at(kit, "198.51.100.1") as desk:
        assert (await come_in(desk, "duty")).status_code == 303
        await strangers_locked(kit)
        assert (await come_in(desk, "duty")).status_code == 303, "though a stranger stands behind the same address"
    async with at(kit, "192.0.2.7") as unknown:
        answer = await come_in(unknown, "duty")
        assert (answer.status_code, "以前登录过的电脑" in answer.text) == (429, True)
        unknown.cookies.set("yg_device", "made up", domain="test")
        assert (await come_in(unknown, "duty")).status_code == 429


async def test_one_members_device_is_no_key_to_anothers_login(kit: Kit[Any], duty: Member) -> None:
    await add(kit, Role.CLERK)
    async with at(kit, "192.0.2.7") as http:
        assert (await come_in(http, "clerk")).status_code == 303
        await strangers_locked(kit)
        assert (await come_in(http, "duty")).status_code == 429


async def test_a_reset_opens_every_lock_and_strangers_cannot_close_it_again(kit: Kit[Any], duty: Member) -> None:
    await locked_here(kit, "192.0.2.7")
    await strangers_locked(kit)
    password = await reset_password(kit, duty.id)
    async with at(kit, "192.0.2.7") as desk:
        assert (await come_in(desk, "duty", password)).status_code == 409, "a new password is asked for"
        for number in range(2):
            await locked_here(kit, f"198.51.100.{number}", initial=True)
        new = {"new_password": "rv4p-7tzn-5bgs", "again": "rv4p-7tzn-5bgs"}
        assert (await come_in(desk, "duty", password, **new)).status_code == 303


async def test_a_hash_of_older_figures_is_replaced_when_its_password_comes(kit: Kit[Any], duty: Member) -> None:
    async def stored() -> str:
        async with kit.db.read() as conn:
            return str((await conn.execute(select(tables.members.c.password_hash))).scalar_one())

    async with kit.db.begin() as tx:
        old = PasswordHasher(time_cost=1, memory_cost=64, parallelism=4).hash(PASSWORD)
        await tx.conn.execute(update(tables.members).values(password_hash=old))
    async with at(kit, "192.0.2.7") as http:
        assert (await come_in(http, "duty")).status_code == 303
        assert ",p=1$" in await stored()
        assert (await come_in(http, "duty")).status_code == 303


async def test_the_line_before_the_hashes_is_short_and_keeps_places_for_those_who_are_known() -> None:
    line, gate, order = Line(places=2, reserved=1), asyncio.Event(), []
    loop = asyncio.get_running_loop()

    def work(name: str) -> str:
        asyncio.run_coroutine_threadsafe(gate.wait(), loop).result(10)
        order.append(name)
        return name

    waiting = [asyncio.create_task(line.run(work, name)) for name in "ab"]
    await asyncio.sleep(0)
    with pytest.raises(TooMany) as refused:
        await line.run(work, "c")
    assert refused.value.retry_after > 0
    waiting.append(asyncio.create_task(line.run(work, "known", known=True)))
    await asyncio.sleep(0)
    with pytest.raises(TooMany):
        await line.run(work, "known too", known=True)
    gate.set()
    assert await asyncio.gather(*waiting) == order == ["a", "b", "known"]
    assert await line.run(work, "d") == "d"


async def test_a_flood_of_sign_ins_is_answered_at_once_and_other_pages_go_on(kit: Kit[Any]) -> None:
    """Each from a source of its own, so that no limit of one source helps; hashed as the product does."""
    kit = replace(kit, hasher=slow.HASHER)
    https = [at(kit, f"198.51.100.{number}") for number in range(30)]
    floods = [asyncio.create_task(come_in(http, f"nobody{number}", "x")) for number, http in enumerate(https)]
    async with at(kit, "192.0.2.7") as visitor:
        page = await visitor.get("/sign-in")
        assert page.status_code == 200
        assert not all(flood.done() for flood in floods), "the flood still waits for its hashes"
    statuses = [(await flood).status_code for flood in floods]
    refused = next(answer for answer in map(asyncio.Task.result, floods) if answer.status_code == 429)
    assert set(statuses) == {401, 429}
    assert statuses.count(401) <= slow.LINE.places + 6, "no more were hashed than stood in line"
    assert (refused.headers["retry-after"], "过几秒" in refused.text) == ("5", True)
    for http in https:
        await http.aclose()


async def test_one_source_is_held_back_at_the_door(kit: Kit[Any]) -> None:
    async with at(kit, "198.51.100.1") as http:
        statuses = [(await http.post("/api/staff/sign-in", content=b"{")).status_code for _ in range(31)]
    assert statuses == [422] * 30 + [429]
    async with at(kit, "192.0.2.7") as http:
        assert (await http.post("/api/staff/sign-in", content=b"{")).status_code == 422
