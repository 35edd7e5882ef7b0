"""One matter, one task: a delivery in trouble, a clock that ran out, a case that is closed."""

import re
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text

from services.stage_tracking.domain.acts import EnterPeriod, ReachMilestone
from services.stage_tracking.service import SERVICE
from services.stage_tracking.usecases.acts import act
from services.stage_tracking.usecases.reading import case_view, log_page
from services.stage_tracking.usecases.ringing import fire_due
from shared.contracts.notices import DeliveryTroubled, NoticeServed
from shared.contracts.stages import Milestone, Period
from shared.db.transaction import new_id
from shared.powers import Role
from tests.fixtures.kits import NOON, Feeder, caller, client
from tests.fixtures.staging import JUDGE, about, assigned, filed, party

BUNDLE = ("ENFORCEMENT_NOTICE", "RIGHTS_RISKS", "INTEGRITY_CARD")


@pytest.fixture
def feeder(kit: Any) -> Feeder:
    return Feeder(SERVICE, kit)


async def open_tasks(kit: Any, case_id: UUID) -> list[tuple[str, str]]:
    return sorted((task.kind, task.title) for task in (await case_view(kit, str(case_id))).tasks)


async def case_with_bundle(feeder: Feeder) -> tuple[UUID, list[dict[str, Any]]]:
    """A case with a judge, and what is said of three notices to its respondent."""
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    await feeder.feed(event, assigned(event.case_id, NOON))
    return event.case_id, [about(event.case_id, respondent, kind) for kind in BUNDLE]


def troubled(bundle: list[dict[str, Any]], channel: str, trouble: str = "failed") -> list[DeliveryTroubled]:
    particulars = {"delivery_id": new_id(), "channel": channel, "trouble": trouble, "reason": "邮箱不存在。"}
    return [DeliveryTroubled(**one, **particulars) for one in bundle]


def served(one: dict[str, Any]) -> NoticeServed:
    return NoticeServed(**one, channel="paper", served_on=date(2026, 11, 25))


async def test_a_delivery_in_trouble_is_one_task_until_all_that_it_carried_is_served(kit: Any, feeder: Feeder) -> None:
    case_id, bundle = await case_with_bundle(feeder)
    await feeder.feed(*troubled(bundle, "mail"), *troubled(bundle[:1], "sms", "unknown"))
    both = [
        ("delivery_trouble", "3份文书的电子邮件发送失败，请核实"),
        ("delivery_trouble", "执行通知书短信是否发出尚不明确，请核实"),
    ]
    assert await open_tasks(kit, case_id) == both
    await feeder.feed(served(bundle[1]), served(bundle[2]), served(bundle[2]))
    assert await open_tasks(kit, case_id) == both
    await feeder.feed(served(bundle[0]))
    assert await open_tasks(kit, case_id) == []


async def test_of_several_attempts_only_the_last_is_a_task(kit: Any, feeder: Feeder) -> None:
    case_id, bundle = await case_with_bundle(feeder)
    await feeder.feed(*troubled(bundle, "mail", "unknown"), *troubled(bundle, "mail", "failed"))
    assert await open_tasks(kit, case_id) == [("delivery_trouble", "3份文书的电子邮件发送失败，请核实")]


async def test_the_same_delivery_told_of_again_is_the_same_task_in_its_last_words(kit: Any, feeder: Feeder) -> None:
    case_id, bundle = await case_with_bundle(feeder)
    (first,) = troubled(bundle[:1], "mail", "unknown")
    await feeder.feed(first, first.model_copy(update={"trouble": "failed", "reason": "已退信。"}))
    assert await open_tasks(kit, case_id) == [("delivery_trouble", "执行通知书电子邮件发送失败，请核实")]
    (task,) = (await case_view(kit, str(case_id))).tasks
    assert task.detail.startswith("已退信。")


async def test_what_is_overdue_needs_no_reminder_any_more(kit: Any, feeder: Feeder) -> None:
    event = filed(filed_on=date(2026, 8, 28))
    await feeder.feed(event, assigned(event.case_id, NOON))
    await fire_due(kit)
    assert "reminder" in {kind for kind, _ in await open_tasks(kit, event.case_id)}
    kit.clock.move(timedelta(days=8))
    await fire_due(kit)
    tasks = await open_tasks(kit, event.case_id)
    assert "reminder" not in {kind for kind, _ in tasks}
    assert ("overdue_reasons", "“本院三个月办案期限”已超期，请说明理由") in tasks


async def test_nobody_gives_reasons_for_the_clocks_of_a_closed_case(kit: Any, feeder: Feeder) -> None:
    event = filed(filed_on=date(2026, 6, 14))
    await feeder.feed(event, assigned(event.case_id, NOON))
    await fire_due(kit)
    assert "overdue_reasons" in {kind for kind, _ in await open_tasks(kit, event.case_id)}
    judge, day = caller(Role.JUDGE, JUDGE), date(2026, 11, 23)
    enter = EnterPeriod(kind="enter_period", period=Period.CLOSURE, on=day, evidence="笔录", checked=())
    close = ReachMilestone(kind="milestone", milestone=Milestone.CLOSURE, on=day, evidence="结案通知书")
    for deed in (enter, close):
        await act(kit, judge, str(event.case_id), deed)
    assert {kind for kind, _ in await open_tasks(kit, event.case_id)} <= {"checklist"}


async def test_one_task_that_cannot_be_read_hides_no_other(kit: Any, feeder: Feeder) -> None:
    case_id, bundle = await case_with_bundle(feeder)
    await feeder.feed(*troubled(bundle, "mail"))
    before = await open_tasks(kit, case_id)
    async with kit.db.begin() as tx:
        await tx.conn.execute(text("UPDATE tasks SET detail = 'k0.x' WHERE case_id = :id"), {"id": case_id})
    async with client(SERVICE, kit, Role.CLERK) as clerk:
        page = await clerk.get("/work", headers={"accept": "text/html"})
        shown = (await clerk.get(f"/api/stages/{case_id}")).json()["tasks"]
    assert page.status_code == 200
    assert sorted((task["kind"], task["title"]) for task in shown) == before
    assert {task["detail"] for task in shown} == {"（内容无法读取，请告知系统管理员）"}


CLOCKS = ("court_limit", "statutory_limit")


def signed(kit: Any, judge: UUID) -> dict[str, str]:
    return {"authorization": "Bearer " + kit.staff_signer.for_staff(caller(Role.JUDGE, judge), timedelta(hours=1))}


async def reasons_in(kit: Any, case_id: UUID) -> list[str]:
    page = await log_page(kit, str(case_id), 0, 100)
    return [entry.text for entry in page.entries if entry.kind == "task_done"]


@pytest.fixture
async def judge_http(kit: Any) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, kit, Role.JUDGE) as http:
        http.headers["accept"] = "text/html"
        http.headers.update(signed(kit, JUDGE))
        yield http


async def late_cases(kit: Any, feeder: Feeder, count: int, *, silent: bool = False) -> list[UUID]:
    """Cases whose judge owes reasons for clocks that ran out."""
    events = [filed(filed_on=date(2026, 5, 1), silent=silent) for _ in range(count)]
    for event in events:
        await feeder.feed(event, assigned(event.case_id, NOON))
    await fire_due(kit)
    return [event.case_id for event in events]


async def test_many_tasks_of_one_rule_are_finished_for_one_reason(
    kit: Any, feeder: Feeder, judge_http: httpx.AsyncClient
) -> None:
    cases = await late_cases(kit, feeder, 3)
    rule = {"rule": "overdue_reasons:court_limit"}
    page = (await judge_http.get("/work", params=rule)).text
    ids = re.findall(r'name="task" value="([^"]+)"', page)
    assert (len(ids), "为所选事项说明理由" in page, "办结" in page) == (3, True, False)
    form = rule | {"task": ids[:2], "note": "被执行人下落不明，正在查找。"}
    assert (await judge_http.post("/work/done", data=form | {"note": " "})).status_code == 422
    assert (await judge_http.post("/work/done", data=form | {"task": []})).status_code == 422
    done = await judge_http.post("/work/done", data=form)
    assert (done.status_code, done.headers["location"]) == (303, "/work?done=2")
    left = re.findall(r'name="task" value="([^"]+)"', (await judge_http.get("/work", params=rule)).text)
    assert left == ids[2:]
    assert sorted([len(await reasons_in(kit, case)) for case in cases]) == [0, 1, 1]


async def test_of_many_tasks_all_are_finished_or_none(kit: Any, feeder: Feeder, judge_http: httpx.AsyncClient) -> None:
    await late_cases(kit, feeder, 1)
    pages = [await judge_http.get("/work", params={"rule": f"overdue_reasons:{clock}"}) for clock in CLOCKS]
    one, other = (re.findall(r'name="task" value="([^"]+)"', page.text)[0] for page in pages)
    mixed = await judge_http.post("/work/done", data={"task": [one, other], "note": "理由"})
    assert mixed.status_code == 422
    assert "一次只能办理同一类事项" in mixed.text
    strange = await judge_http.post("/work/done", data={"task": [one, str(new_id())], "note": "理由"})
    assert strange.status_code == 404
    async with client(SERVICE, kit, Role.JUDGE) as somebody_else:
        assert (await somebody_else.post("/work/done", data={"task": [one], "note": "理由"})).status_code == 403
    again = [await judge_http.get("/work", params={"rule": f"overdue_reasons:{clock}"}) for clock in CLOCKS]
    assert all('name="task"' in page.text for page in again)


async def test_my_work_is_grouped_filtered_and_keeps_what_was_carried_over_apart(
    kit: Any, feeder: Feeder, judge_http: httpx.AsyncClient
) -> None:
    await late_cases(kit, feeder, 2)
    await late_cases(kit, feeder, 1, silent=True)
    page = (await judge_http.get("/work")).text
    assert "说明超期理由：本院三个月办案期限" in page
    counts = re.findall(r'class="count">(\d+)<', page)
    assert int(counts[0]) == 2 * int(counts[1]) > 0
    for tile in ("state=late", "state=soon"):
        assert f'href="/work?{tile}"' in page
    by_case = (await judge_http.get("/work", params={"by": "case", "stock": "1"})).text
    assert by_case.count('data-label="件数"') == 1
    assert "没有符合条件的待办事项" in (await judge_http.get("/work", params={"q": "9999"})).text
    for bad in ({"sort": "x"}, {"rule": "x"}, {"by": ""}):
        assert (await judge_http.get("/work", params=bad)).status_code == 200
    assert (await judge_http.get("/work", params={"cursor": "x"})).status_code == 422
    whole = await judge_http.get("/work", params={"export": "csv", "sort": "-number"})
    lines = whole.content.decode("utf-8-sig").splitlines()
    assert lines[0] == "事项,标题,案号,期限,负责人,列入时间"
    assert len(lines) == int(counts[0]) + 1
