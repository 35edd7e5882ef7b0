"""The fragments of a case's page while its filing is still on the way to stage tracking."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.stage_tracking.service import SERVICE
from shared.http.app import build_app
from shared.http.routes import Zone
from shared.powers import Role
from tests.fixtures.kits import Feeder, caller
from tests.fixtures.staging import filed, party


@pytest.mark.parametrize("fragment", ["clocks", "timeline", "tasks", "log"])
async def test_a_fragment_asks_again_until_the_filing_has_arrived(kit: Any, fragment: str) -> None:
    event = filed(party("applicant"), party("respondent"))
    path = f"/stages/cases/{event.case_id}/{fragment}"
    token = kit.staff_signer.for_staff(caller(Role.JUDGE), timedelta(hours=1))
    transport = httpx.ASGITransport(build_app(kit, SERVICE.title, SERVICE.routes, tuple(Zone)))
    headers = {"authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as http:
        early = await http.get(path)
        assert early.status_code == 202
        assert f'hx-get="{path}" hx-trigger="load delay:1s"' in early.text
        await Feeder(SERVICE, kit).feed(event)
        there = await http.get(path)
    assert there.status_code == 200
    assert "hx-trigger" not in there.text
