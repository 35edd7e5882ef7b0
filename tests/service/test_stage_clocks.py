"""Clocks that are taken back and set again; what their ringing asked for follows them; one case stops no other."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from services.stage_tracking.service import SERVICE
from services.stage_tracking.usecases.reading import case_view, log_page
from services.stage_tracking.usecases.recomputing import recompute_outdated
from services.stage_tracking.usecases.ringing import fire_due
from shared.clock import court_date
from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.cases import CaseCorrected
from shared.contracts.reviews import ReviewGround
from shared.web.formats import cn_date
from tests.fixtures.kits import NOON, Feeder, as_owner, make_kit
from tests.fixtures.staging import assigned, filed

FILED, TODAY = date(2026, 11, 9), court_date(NOON)
PLAIN, RESUMED = "（2026）渝05执1号", "（2026）渝05执恢1号"
PRESERVATION, OBJECTION, AGAIN = "（2026）渝05执保1号", "（2026）渝05执异1号", "（2026）渝05执复1号"


@pytest.fixture
async def kit(fresh_database: Any) -> AsyncIterator[Any]:
    kit = await make_kit(SERVICE, await fresh_database(SERVICE))
    yield kit
    await kit.db.close()


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
