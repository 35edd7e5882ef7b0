"""One matter, one task: a delivery in trouble, a clock that ran out, a case that is closed."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.stage_tracking.domain.acts import EnterPeriod, ReachMilestone
from services.stage_tracking.service import SERVICE
from services.stage_tracking.usecases.acts import act
from services.stage_tracking.usecases.clocks import fire_due
from services.stage_tracking.usecases.reading import case_view
from shared.contracts.notices import DeliveryTroubled, NoticeServed
from shared.contracts.stages import Milestone, Period
from shared.db.transaction import new_id
from shared.powers import Role
from tests.fixtures.kits import NOON, Feeder, caller, client, make_kit
from tests.fixtures.staging import JUDGE, about, assigned, filed, party

BUNDLE = ("ENFORCEMENT_NOTICE", "RIGHTS_RISKS", "INTEGRITY_CARD")


@pytest.fixture
async def kit(fresh_database: Any) -> AsyncIterator[Any]:
    kit = await make_kit(SERVICE, await fresh_database(SERVICE))
    yield kit
    await kit.db.close()


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
