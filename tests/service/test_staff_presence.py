"""Whence members of staff are signed in is told, sealed, so that nothing opened there passes for a party's reading."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.staff.service import SERVICE
from shared.contracts.staff import StaffSeen
from shared.http.sources import DEVICE_COOKIE
from shared.powers import Role
from shared.runtime.service import Kit, Service
from tests.fixtures.kits import app_of, told
from tests.service.test_staff_door import EMPTY, HTML, PASSWORD, add

SOURCE = "203.0.113.7"


@pytest.fixture
def service() -> Service:
    return EMPTY


@pytest.fixture
async def http(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app_of(SERVICE, kit), client=(SOURCE, 50000))
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=HTML) as http:
        yield http


async def test_signing_in_and_staying_in_tell_source_and_device_sealed(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    member = await add(kit, Role.JUDGE)
    assert (await http.post("/sign-in", data={"login": "judge", "password": PASSWORD})).status_code == 303
    assert (await http.post("/sign-in/refresh")).status_code == 204
    assert (await http.post("/api/staff/sign-in", json={"login": "judge", "password": PASSWORD})).status_code == 200
    seen = await told(kit, StaffSeen)
    assert [event.staff_id for event in seen] == [member.id] * 3
    about = str(member.id)
    assert {kit.exchange.open(event.source, about) for event in seen} == {SOURCE}
    devices = {kit.exchange.open(event.device, about) for event in seen if event.device is not None}
    assert devices == {http.cookies[DEVICE_COOKIE]}
    assert SOURCE not in "".join(event.model_dump_json() for event in seen)


async def test_a_wrong_password_tells_of_nobody(kit: Kit[Any], http: httpx.AsyncClient) -> None:
    await add(kit, Role.JUDGE)
    assert (await http.post("/sign-in", data={"login": "judge", "password": "wrong"})).status_code == 401
    assert await told(kit, StaffSeen) == []
