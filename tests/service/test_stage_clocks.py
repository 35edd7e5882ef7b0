"""Clocks that are taken back and set again; what their ringing asked for follows them; one case stops no other."""

import importlib
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import Connection, insert, text, update

from services.stage_tracking.service import SERVICE
from services.stage_tracking.store.tables import tasks
from services.stage_tracking.usecases.asking import ask_for_old
from services.stage_tracking.usecases.reading import case_view, log_page
from services.stage_tracking.usecases.recomputing import recompute_outdated
from services.stage_tracking.usecases.ringing import fire_due
from shared.calendar.workdays import CourtCalendar
from shared.clock import court_date
from shared.contracts.case_kinds import DeadlineKind, kind_of
from shared.contracts.cases import CaseCorrected
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import DeadlineRang, ProgressPublished
from shared.db.transaction import new_id
from shared.powers import HANDLING, Role
from shared.web.formats import cn_date
from tests.fixtures.kits import NOON, Feeder, as_owner, client, told
from tests.fixtures.staging import JUDGE, assigned, filed

FILED, TODAY = date(2026, 11, 9), court_date(NOON)
PLAIN, RESUMED = "（2026）渝05执1号", "（2026）渝05执恢1号"
URGED = "情况紧急，请立即开始执行保全"
EXTENSION = {
    "kind": "extend",
    "count": 1,
    "approved_by": "王建国",
    "approved_on": "2026-11-23",
    "reason": "案情复杂",
    "evidence": "延长审限审批表1号",
}
PRESERVATION, OBJECTION, AGAIN = "（2026）渝05执保1号", "（2026）渝05执异1号", "（2026）渝05执复1号"


@pytest.fixture
def feeder(kit: Any) -> Feeder:
    return Feeder(SERVICE, kit)


async def clocks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {row.kind: row for row in (await case_view(kit, str(case_id))).deadlines}


async def titles(kit: Any, case_id: UUID) -> list[str]:
    return [task.title for task in (await case_view(kit, str(case_id))).tasks]


async def log(kit: Any, case_id: UUID) -> str:
    return "\n".join(f"{entry.title}：{entry.text}" for entry in (await log_page(kit, str(case_id), 0, 200)).entries)


def corrected(event: Any, **changes: Any) -> CaseCorrected:
    """The case's facts as they were filed, but for these."""
    return CaseCorrected(case_id=event.case_id, facts=event.facts.model_copy(update=changes))


@pytest.mark.parametrize(
    ("number", "clock"),
    [
        (PLAIN, "upper_court_six_months"),
        (RESUMED, "execution_notice_outer"),
        (PRESERVATION, "preservation_begin"),
        (OBJECTION, "objection_decision"),
        (AGAIN, "reconsideration_decision"),
    ],
)
async def test_a_clock_that_was_withdrawn_is_set_again(kit: Any, feeder: Feeder, number: str, clock: str) -> None:
    event = filed(case_number=number, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON))
    before = (await clocks(kit, event.case_id))[clock]
    for version in (2, 3):
        await feeder.feed(corrected(event, received_on=None))
        assert clock not in await clocks(kit, event.case_id)
        await feeder.feed(corrected(event))
        after = (await clocks(kit, event.case_id))[clock]
        assert (after.version, after.due_on) == (version, before.due_on)
    assert f"{DeadlineKind(clock).label}：重新起算，第3版，{cn_date(before.due_on)}" in await log(kit, event.case_id)


async def test_a_clock_that_an_upgrade_withdrew_is_set_once_the_clerk_answers(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PRESERVATION, filed_on=TODAY)
    await feeder.feed(event, assigned(event.case_id, NOON))
    async with as_owner(kit) as conn:  # as the release before left it: counted from the filing, receipt unknown
        await conn.execute(text("UPDATE cases SET received_on = NULL"))
        await conn.execute(text("UPDATE deadlines SET calendar_until = '1990-01-01'"))
    assert await recompute_outdated(kit) == 1
    assert await clocks(kit, event.case_id) == {}
    await feeder.feed(corrected(event))
    assert (await clocks(kit, event.case_id))["preservation_begin"].version == 2
    assert "补填收到申请的日期" not in await titles(kit, event.case_id)


async def test_a_review_goes_from_filing_to_receipt_and_back(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=OBJECTION, filed_on=FILED, received_on=None, ground=ReviewGround.AWARD_REFUSAL)
    await feeder.feed(event)
    assert (await clocks(kit, event.case_id))["objection_decision"].version == 1
    await feeder.feed(corrected(event, ground=ReviewGround.CONDUCT))
    assert await clocks(kit, event.case_id) == {}
    await feeder.feed(corrected(event, ground=ReviewGround.CONDUCT, received_on=FILED))
    assert (await clocks(kit, event.case_id))["objection_decision"].version == 2


async def test_a_case_that_cannot_be_computed_holds_up_no_other(kit: Any, feeder: Feeder) -> None:
    events = [filed(case_number=f"（2026）渝05执{number}号", filed_on=FILED) for number in range(1, 4)]
    await feeder.feed(*events)
    stuck = min(event.case_id for event in events)
    async with as_owner(kit) as conn:
        await conn.execute(text("UPDATE deadlines SET calendar_until = '1990-01-01'"))
        await conn.execute(text("UPDATE cases SET ground = 'gone' WHERE case_id = :stuck"), {"stuck": stuck})
    for _ in range(2):
        with pytest.raises(ExceptionGroup) as failed:
            await recompute_outdated(kit)
        assert [type(error) for error in failed.value.exceptions] == [ValueError]
        async with kit.db.read() as conn:
            old = await conn.execute(text("SELECT DISTINCT case_id FROM deadlines WHERE calendar_until = '1990-01-01'"))
            assert list(old.scalars()) == [stuck]


async def test_the_end_of_the_courts_limit_takes_only_its_own_reminder_back(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PLAIN, filed_on=date(2026, 8, 26), received_on=date(2026, 5, 20))
    await feeder.feed(event, assigned(event.case_id, NOON))
    await fire_due(kit)
    upper, reminder = "此后申请执行人可以向上一级法院申请执行", "三个月办案期限提醒"
    asked = await titles(kit, event.case_id)
    assert all(any(words in title for title in asked) for words in (upper, reminder))
    kit.clock.move(timedelta(days=6))
    await fire_due(kit)
    left = await titles(kit, event.case_id)
    assert "“本院三个月办案期限”已超期，请说明理由" in left
    assert (any(upper in title for title in left), any(reminder in title for title in left)) == (True, False)


async def act(kit: Any, number: str, **deed: Any) -> httpx.Response:
    """The case's judge does it."""
    async with client(SERVICE, kit, HANDLING[kind_of(number).power], staff_id=JUDGE) as judge:
        return await judge.post(f"/api/stages/{number}/acts", json=deed)


async def begun(kit: Any, milestone: str = "enforcement") -> None:
    deed = {"kind": "milestone", "milestone": milestone, "on": str(TODAY), "evidence": "查封裁定1号"}
    assert (await act(kit, PRESERVATION, **deed)).status_code == 201


async def letters(kit: Any, case_id: UUID) -> list[str]:
    """What the parties were told, in order."""
    return [kit.exchange.open(str(each.text), str(case_id)) for each in await told(kit, ProgressPublished)]


def announced(*closed: date) -> CourtCalendar:
    """The next year's calendar, with these days off."""
    return CourtCalendar({date(2026, 1, 1), date(2027, 1, 1), *closed})


async def test_what_is_urgent_is_urged_until_it_has_begun_whatever_its_clock_does(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PRESERVATION, filed_on=TODAY, urgent=True)
    await feeder.feed(event, assigned(event.case_id, NOON))
    await feeder.feed(corrected(event, received_on=None))
    assert URGED in await titles(kit, event.case_id)
    assert await clocks(kit, event.case_id) == {}
    await begun(kit)
    assert URGED not in await titles(kit, event.case_id)
    await feeder.feed(corrected(event), assigned(event.case_id, NOON, UUID(int=8)))
    assert URGED not in await titles(kit, event.case_id)


async def test_what_is_urgent_without_a_clock_is_over_with_the_case(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PRESERVATION, filed_on=TODAY, received_on=None, urgent=True)
    await feeder.feed(event, assigned(event.case_id, NOON))
    assert URGED in await titles(kit, event.case_id)
    await begun(kit, "closure")
    assert await titles(kit, event.case_id) == []


async def test_an_upgrade_urges_what_is_urgent_and_asks_nothing_of_another_kind(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PRESERVATION, filed_on=TODAY, urgent=True)
    await feeder.feed(event, assigned(event.case_id, NOON))
    async with as_owner(kit) as conn:
        await conn.execute(text("UPDATE cases SET received_on = NULL"))
        await conn.execute(text("UPDATE deadlines SET calendar_until = '1990-01-01'"))
    assert await recompute_outdated(kit) == 1
    assert {URGED, "补填收到申请的日期"} <= set(await titles(kit, event.case_id))
    await feeder.feed(corrected(event, case_number="（2026）渝05执他1号"))
    assert await titles(kit, event.case_id) == []


async def test_a_corrected_limit_takes_its_reproach_back_and_rings_in_its_own_words(kit: Any, feeder: Feeder) -> None:
    event = filed(
        case_number=OBJECTION, filed_on=FILED, received_on=date(2026, 1, 9), ground=ReviewGround.CONDUCT, main_case="无"
    )
    await feeder.feed(event, assigned(event.case_id, NOON, post=Role.ADJUDICATION))
    await fire_due(kit)
    reproach = "“执行异议审查期限”已超期，请说明理由"
    assert await titles(kit, event.case_id) == [reproach]
    await feeder.feed(corrected(event, received_on=FILED))
    assert await titles(kit, event.case_id) == []
    kit.clock.move(timedelta(days=3))
    await fire_due(kit)
    (task,) = (await case_view(kit, str(event.case_id))).tasks
    assert (task.title, "期限于2026年11月24日（周二）届满" in task.detail) == (reproach, True)


async def test_an_extension_takes_the_reminder_back_and_reminds_anew(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PLAIN, filed_on=date(2026, 8, 26), received_on=TODAY)
    await feeder.feed(event, assigned(event.case_id, NOON))
    await fire_due(kit)
    assert any("三个月办案期限提醒：2026年11月26日" in title for title in await titles(kit, event.case_id))
    assert (await act(kit, PLAIN, **EXTENSION, clock="court_limit")).status_code == 201
    assert not any("三个月" in title for title in await titles(kit, event.case_id))
    kit.clock.move(timedelta(days=28))
    await fire_due(kit)
    assert any("三个月办案期限提醒：2026年12月28日" in title for title in await titles(kit, event.case_id))


async def test_what_rang_for_a_tentative_day_rings_again_once_it_is_certain(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PLAIN, filed_on=date(2026, 10, 8))
    kit.clock.move(timedelta(days=42))
    await feeder.feed(event, assigned(event.case_id, NOON))
    await fire_due(kit)
    assert any("2027年1月8日（周五）届满（暂定" in title for title in await titles(kit, event.case_id))
    await recompute_outdated(kit, announced())
    await fire_due(kit)
    (task,) = (each for each in (await case_view(kit, str(event.case_id))).tasks if "三个月" in each.title)
    assert ("暂定" in task.title, task.due_at) == (False, (await clocks(kit, event.case_id))["court_limit"].due_at)
    rang = [each.version for each in await told(kit, DeadlineRang) if each.kind == "court_limit_reminder"]
    assert rang == [1, 2]


async def test_a_tentative_day_that_was_told_is_told_once_it_is_certain(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=OBJECTION, filed_on=FILED, ground=ReviewGround.CONDUCT)
    untold = filed(case_number=PLAIN, filed_on=FILED)
    await feeder.feed(event, untold, *(assigned(each.case_id, NOON) for each in (event, untold)))
    await feeder.feed(corrected(event, ground=ReviewGround.CHANGE_OF_PARTY))
    assert await recompute_outdated(kit, announced(date(2027, 1, 8), date(2027, 5, 10))) == 2
    first, second = await letters(kit, event.case_id)
    assert "2027年1月8日（周五）（暂定" in first
    assert second.startswith(
        "经重新核算，“执行异议审查期限”由2027年1月8日（周五）（暂定）改为2027年1月11日（周一）届满。"
    )
    assert "暂定" not in second.partition("改为")[2]


async def test_a_limit_that_is_taken_away_is_told_as_it_was_set(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=OBJECTION, filed_on=FILED, ground=ReviewGround.CONDUCT)
    await feeder.feed(event, assigned(event.case_id, NOON))
    for change in ({"ground": None}, {}, {"received_on": None}, {}):
        await feeder.feed(corrected(event, **change))
    no_ground, ground, no_receipt, receipt = await letters(kit, event.case_id)
    gone, there = "“执行异议审查期限”原定于2026年11月24日（周二）届满，现不再适用。", "于2026年11月24日（周二）届满。"
    assert gone in no_ground
    assert no_ground.endswith("事由登记后，本院另行告知。")
    assert (there in ground, there in receipt) == (True, True)
    assert no_receipt.endswith(f"{gone}收到申请的日期登记后，本院另行告知。")


async def test_that_a_preservation_is_urgent_no_more_is_told_without_a_day(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PRESERVATION, filed_on=TODAY, received_on=None, urgent=True)
    await feeder.feed(event, assigned(event.case_id, NOON), corrected(event, urgent=False))
    (only,) = await letters(kit, event.case_id)
    assert only.startswith("因登记更正（情况紧急由是更正为否），裁定采取保全措施的，自收到保全申请之日起五日内开始执行")


async def test_an_extension_that_was_told_is_followed_up_even_in_a_case_carried_over(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PLAIN, filed_on=date(2026, 9, 9), silent=True)
    await feeder.feed(event, assigned(event.case_id, NOON), corrected(event, filed_on=date(2026, 9, 15)))
    assert await letters(kit, event.case_id) == []
    assert (await act(kit, PLAIN, **EXTENSION, clock="court_limit")).status_code == 201
    await feeder.feed(corrected(event))
    extended, followed = await letters(kit, event.case_id)
    assert "“本院三个月办案期限”经本院庭长" in extended
    assert "“本院三个月办案期限”由2027年1月15日（周五）（暂定）改为" in followed
    assert "法定执行期限" not in followed


async def test_a_correction_is_not_blamed_for_what_a_calendar_moved(kit: Any, feeder: Feeder) -> None:
    event = filed(case_number=PRESERVATION, filed_on=FILED)
    await feeder.feed(event, assigned(event.case_id, NOON))
    async with as_owner(kit) as conn:  # of a release before; the job at start-up has not come to the case
        await conn.execute(text("UPDATE deadlines SET due_on = due_on - 1, due_at = due_at - interval '1 day'"))
        await conn.execute(text("UPDATE deadlines SET calendar_until = '2025-12-31'"))
    await feeder.feed(corrected(event, cause="买卖合同纠纷", received_on=date(2026, 11, 12)))
    moved, by_correction = await letters(kit, event.case_id)
    assert moved.startswith("经重新核算，“开始执行保全”由2026年11月15日（周日）改为2026年11月16日（周一）届满。")
    assert "收到申请的日期由2026年11月9日" not in moved
    assert by_correction.startswith("因登记更正（收到申请的日期由")


@pytest.mark.parametrize(("litigation", "count", "room"), [(True, 3, 3), (False, 3, 0), (False, 1, 0)])
async def test_the_courts_own_limit_goes_no_further_than_the_statutory_one(
    kit: Any, feeder: Feeder, litigation: bool, count: int, room: int
) -> None:
    event = filed(case_number=PLAIN, filed_on=date(2026, 8, 28), non_litigation=not litigation)
    await feeder.feed(event, assigned(event.case_id, NOON))
    assert ("court_limit" in (await case_view(kit, str(event.case_id))).extendable) is bool(room)
    answer = await act(kit, PLAIN, **{**EXTENSION, "count": count}, clock="court_limit")
    found = await clocks(kit, event.case_id)
    assert answer.status_code == (201 if room else 422)
    assert found["court_limit"].due_on <= found["statutory_limit"].due_on
    if not room:
        assert "不能超过“法定执行期限”" in answer.text
        longer = await act(kit, PLAIN, **EXTENSION, clock="statutory_limit")
        assert longer.status_code == 201
        assert (await act(kit, PLAIN, **EXTENSION, clock="court_limit")).status_code == 201
        return
    await feeder.feed(corrected(event, non_litigation=True))
    found = await clocks(kit, event.case_id)
    assert found["court_limit"].due_on == found["statutory_limit"].due_on, "a correction does not get past it either"


async def test_the_step_takes_back_what_older_versions_asked_for(kit: Any, feeder: Feeder) -> None:
    urgent = filed(case_number=PRESERVATION, filed_on=TODAY, received_on=None, urgent=True)
    late = filed(case_number=PLAIN, filed_on=date(2026, 8, 20), received_on=date(2026, 5, 20))
    await feeder.feed(urgent, late, *(assigned(each.case_id, NOON) for each in (urgent, late)))
    await fire_due(kit)
    before = sorted(await titles(kit, late.case_id))
    older = {"title": "旧", "opened_at": NOON - timedelta(days=9)}
    reproach, upper = "“本院三个月办案期限”已超期，请说明理由", next(each for each in before if "上一级法院" in each)
    assert reproach in before
    step = importlib.import_module("services.stage_tracking.migrations.0015_tasks_follow_their_clocks")

    def run(conn: Connection) -> None:
        with Operations.context(MigrationContext.configure(conn)):
            step.upgrade()

    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE deadlines DROP COLUMN told"))
        await conn.execute(text("DELETE FROM tasks WHERE kind = 'begin_now'"))
        await conn.execute(update(tasks).where(tasks.c.subject == "court_limit").values(**older))
        await conn.execute(update(tasks).where(tasks.c.subject == "upper_court_six_months").values(done_at=NOON))
        stale = {**older, "id": new_id(), "case_id": late.case_id, "kind": "overdue_reasons", "owner_staff": JUDGE}
        await conn.execute(insert(tasks).values(**stale, subject="statutory_limit", detail=""))
        await conn.run_sync(run)
    await fire_due(kit)
    await ask_for_old(kit)
    assert sorted(await titles(kit, late.case_id)) == before
    assert {reproach, upper} <= set(before)
    assert URGED in await titles(kit, urgent.case_id)
