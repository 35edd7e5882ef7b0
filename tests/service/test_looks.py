"""Who looked at personal data stands on one page; a doubtful reading is management's task until it is judged."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from services.stage_tracking.service import SERVICE
from shared.contracts.envelope import Sealed
from shared.contracts.looks import ListExported, LookTaken, Seen
from shared.contracts.notices import ReadingDecided, ReadingDoubted
from shared.contracts.staff import MemberChanged
from shared.db.transaction import new_id
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.kits import NOON, Feeder, client
from tests.fixtures.staging import NUMBER, about, assigned, filed, party


@pytest.fixture
async def watcher(kit: Kit[Any]) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.SUPERVISION) as http:
        yield http


MEMBER: dict[str, Any] = {
    "login": "clerk",
    "name": "立案员",
    "phone": "023-67670000",
    "department": "立案庭",
    "panel": None,
    "roles": ("clerk",),
    "court": "渝05",
    "active": True,
}


def look(kit: Kit[Any], name: str, minutes: int, **more: Any) -> LookTaken:
    look_id, reason = new_id(), more.pop("reason", None)
    sealed = None if reason is None else Sealed(kit.exchange.seal(reason, str(look_id)))
    at = NOON + timedelta(minutes=minutes)
    given = {"seen": Seen.LETTER, "subject": new_id(), "case_id": new_id(), "case_number": NUMBER, **more}
    return LookTaken(look_id=look_id, by=new_id(), by_name=name, looked_at=at, reason=sealed, **given)


async def test_looks_are_listed_newest_first_filtered_and_read_page_by_page(
    kit: Kit[Any], watcher: httpx.AsyncClient
) -> None:
    told = [
        look(kit, "法官甲", 1, own=True),
        look(kit, "法官乙", 2, seen=Seen.PARTY, reason="核对送达地址，联系当事人。"),
        look(kit, "立案员", 3, seen=Seen.PRINTING, case_number="（2026）渝05执7号"),
    ]
    await Feeder(SERVICE, kit).feed(*told)
    first = (await watcher.get("/api/looks?limit=2")).json()
    rest = (await watcher.get(f"/api/looks?limit=2&cursor={first['next']}")).json()
    assert [each["by_name"] for each in (*first["items"], *rest["items"])] == ["立案员", "法官乙", "法官甲"]
    assert rest["next"] is None
    for query, names in (
        ("q=执7号", ["立案员"]),
        ("name=法官", ["法官乙", "法官甲"]),
        ("seen=party", ["法官乙"]),
        ("foreign=true&name=法官", ["法官乙"]),
    ):
        found = (await watcher.get(f"/api/looks?{query}")).json()["items"]
        assert [each["by_name"] for each in found] == names, query
    page = (await watcher.get("/looks?seen=party")).text
    for words in ("法官乙", "核对送达地址，联系当事人。", "当事人的完整信息"):
        assert words in page
    assert "立案员" not in page
    assert "没有符合条件的查看记录" in (await watcher.get("/looks?q=9999")).text


async def test_one_persons_looks_in_two_services_are_both_kept(kit: Kit[Any], watcher: httpx.AsyncClient) -> None:
    """Each service counts its own events: of one key they would take each other's for repetitions."""
    mine = new_id()
    for name in ("a", "b"):
        told = look(kit, "法官甲", 1).model_copy(update={"by": mine})
        assert await Feeder(SERVICE, kit).feed(told), name
    assert len((await watcher.get("/api/looks")).json()["items"]) == 2


async def test_a_list_that_left_as_a_file_stands_beside_the_looks(kit: Kit[Any], watcher: httpx.AsyncClient) -> None:
    look_id, who = new_id(), new_id()
    filters = Sealed(kit.exchange.seal("状态：待分案", str(look_id)))
    told = {"look_id": look_id, "by": who, "by_name": "立案员", "list_name": "案件", "file_kind": "xlsx"}
    await Feeder(SERVICE, kit).feed(
        MemberChanged(staff_id=who, **MEMBER),
        ListExported(**told, filters=filters, rows=50_000, cut=True, exported_at=NOON),
        look(kit, "法官甲", 1),
    )
    (kept,) = (await watcher.get("/api/looks?seen=export")).json()["items"]
    assert (kept["by_name"], kept["title"], kept["case_id"]) == ("立案员", "导出列表", None)
    assert kept["reason"] == "案件（Excel），状态：待分案，前50000条，其余未导出"
    page = (await watcher.get("/looks", params={"by": str(who)})).text
    assert kept["reason"] in page
    assert "法官甲" not in page
    assert (await watcher.get("/looks", params={"by": str(new_id())})).status_code == 422


@pytest.mark.parametrize("role", [role for role in Role if role not in {Role.SUPERVISION, Role.INTEGRITY}])
async def test_nobody_else_reads_who_looked(kit: Kit[Any], role: Role) -> None:
    async with client(SERVICE, kit, role) as http:
        assert {(await http.get(path)).status_code for path in ("/looks", "/api/looks")} == {403}


async def test_a_doubtful_reading_is_managements_task_until_it_is_judged(kit: Kit[Any]) -> None:
    feeder, case_id, applicant = Feeder(SERVICE, kit), new_id(), party("applicant")
    await feeder.feed(filed(applicant, party("respondent"), case_id=case_id), assigned(case_id, NOON))
    notice = {**about(case_id, applicant, "CASE_ACCEPTED"), "reading_id": new_id()}
    await feeder.feed(ReadingDoubted(**notice, read_at=NOON, reason="打开文书的网络地址有法院工作账号登录，须核实。"))
    async with client(SERVICE, kit, Role.MANAGEMENT) as http:
        tasks = (await http.get("/api/stages/tasks")).json()["items"]
        (task,) = [each for each in tasks if each["kind"] == "reading_doubted"]
        assert "待核实发送" in task["detail"]
        by_hand = await http.post(f"/api/stages/tasks/{task['id']}/done", json={"note": "已处理。"})
        assert by_hand.status_code == 409
        await feeder.feed(ReadingDecided(**notice, own=False, decided_by=new_id(), decided_at=NOON))
        tasks = (await http.get("/api/stages/tasks")).json()["items"]
        assert [each for each in tasks if each["kind"] == "reading_doubted"] == []
        log = (await http.get(f"/api/stages/{case_id}/log")).json()["items"]
    kinds = [entry["kind"] for entry in log]
    assert kinds[-2:] == ["reading_doubted", "reading_decided"]
