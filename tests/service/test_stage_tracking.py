"""Stage tracking on a real database: events set and stop clocks, clocks ring once, tasks have one owner."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, func, insert, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from services.stage_tracking.service import SERVICE
from services.stage_tracking.store.tables import LEDGER, case_powers, deadlines, tasks
from services.stage_tracking.usecases.reading import CaseView, board_head, case_view, log_page
from services.stage_tracking.usecases.recomputing import recompute_outdated
from services.stage_tracking.usecases.ringing import fire_due
from shared.bus.lanes import Verdict
from shared.calendar.workdays import CourtCalendar
from shared.contracts.case_kinds import FROM_RECEIPT, KINDS
from shared.contracts.cases import CaseCorrected, PartyAdded
from shared.contracts.desk import ItemActed
from shared.contracts.envelope import Sealed
from shared.contracts.notices import DeliveryTroubled, NoticeIssued, NoticeWaits
from shared.contracts.stages import (
    DeadlineMet,
    DeadlineRang,
    DeadlineSet,
    DeadlineWithdrawn,
    Milestone,
    MilestoneReached,
    PeriodOpened,
    ProgressPublished,
)
from shared.db.transaction import new_id
from tests.fixtures.kits import NOON, Feeder, as_owner, told
from tests.fixtures.staging import JUDGE, about, assigned, facts, filed, party, sent, served
from tests.fixtures.statements import asked


@pytest.fixture
def feeder(kit: Any) -> Feeder:
    return Feeder(SERVICE, kit)


async def view(kit: Any, case_id: UUID) -> CaseView:
    return await case_view(kit, str(case_id))


async def clocks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {row.kind: row for row in (await view(kit, case_id)).deadlines}


async def open_tasks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {task.kind.value: task for task in (await view(kit, case_id)).tasks}


async def log(kit: Any, case_id: UUID) -> list[Any]:
    return (await log_page(kit, str(case_id), 0, 200)).entries


async def test_a_filing_opens_the_investigation_and_starts_the_clocks(kit: Any, feeder: Feeder) -> None:
    event = filed()
    assert await feeder.feed(event) == [Verdict.HANDLED]
    seen = await view(kit, event.case_id)
    assert [(row.period, row.opened_on) for row in seen.periods] == [("investigation", date(2026, 11, 23))]
    assert {row.milestone for row in seen.milestones} == set(Milestone)
    assert [row.milestone for row in seen.milestones if row.actual_on] == ["filing"]
    due = {row.kind: row.due_on for row in seen.deadlines}
    assert due == {
        "assignment": date(2026, 11, 30),
        "execution_notice_outer": date(2026, 12, 3),
        "court_limit_reminder": date(2027, 2, 16),
        "court_limit": date(2027, 2, 23),
        "statutory_limit": date(2027, 5, 24),
        "upper_court_six_months": date(2027, 5, 24),
    }
    assert isinstance((await told(kit))[0], PeriodOpened)
    assert len(await told(kit, DeadlineSet)) == 6
    assert [each.milestone for each in await told(kit, MilestoneReached)] == [Milestone.FILING]
    assert len(await told(kit, PeriodOpened)) == 1
    assert {kind: task.owner_role for kind, task in (await open_tasks(kit, event.case_id)).items()} == {
        "assign_judge": "clerk"
    }


async def test_events_of_an_unknown_case_wait(kit: Any, feeder: Feeder) -> None:
    respondent, case_id = party("respondent"), new_id()
    assert await feeder.feed(sent(case_id, respondent, NOON)) == [Verdict.QUEUED]
    await feeder.feed(filed(party("applicant"), respondent, case_id=case_id))
    async with asyncio.timeout(5):
        while not await feeder.keeper.revisit():  # the lane pauses a moment before it is tried again
            await asyncio.sleep(0.02)
    assert (await clocks(kit, case_id))["execution_notice_outer"].met_at == NOON


async def test_the_assignment_stops_its_clock_and_starts_the_notices(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, assigned(event.case_id, NOON))
    found = await clocks(kit, event.case_id)
    assert found["assignment"].met_at == NOON
    assert found["execution_notice"].due_on == date(2026, 11, 26)
    assert [each.kind for each in await told(kit, DeadlineMet)] == ["assignment"]
    assert (await told(kit, MilestoneReached))[-1].milestone is Milestone.SCHEDULING
    assert await open_tasks(kit, event.case_id) == {}


async def test_notices_stop_their_clocks_when_every_respondent_has_one(kit: Any, feeder: Feeder) -> None:
    first, second, third = party("respondent"), party("respondent"), party("respondent")
    event = filed(party("applicant"), first, second)
    case_id, later = event.case_id, NOON + timedelta(hours=1)
    await feeder.feed(event, assigned(case_id, NOON), sent(case_id, first, NOON))
    assert (await clocks(kit, case_id))["execution_notice"].met_at is None
    await feeder.feed(PartyAdded(case_id=case_id, party=third), sent(case_id, second, later))
    assert (await clocks(kit, case_id))["execution_notice"].met_at is None
    await feeder.feed(sent(case_id, third, NOON))
    found = await clocks(kit, case_id)
    assert found["execution_notice"].met_at == found["execution_notice_outer"].met_at == later
    assert [each.kind for each in await told(kit, DeadlineMet)].count("execution_notice") == 1


async def test_service_is_reached_when_every_respondent_is_served(kit: Any, feeder: Feeder) -> None:
    first, second = party("respondent"), party("respondent")
    event = filed(party("applicant"), first, second)
    await feeder.feed(event, assigned(event.case_id, NOON), served(event.case_id, first, date(2026, 11, 25)))
    assert Milestone.SERVICE not in {each.milestone for each in await told(kit, MilestoneReached)}
    await feeder.feed(served(event.case_id, second, date(2026, 11, 24)))
    reached = (await told(kit, MilestoneReached))[-1]
    assert (reached.milestone, reached.on) == (Milestone.SERVICE, date(2026, 11, 25))


async def test_a_clock_rings_exactly_once_also_with_two_who_fire(kit: Any, feeder: Feeder) -> None:
    events = [filed(case_number=f"（2026）渝05执{number}号") for number in range(1, 7)]
    await feeder.feed(*events)
    assert await fire_due(kit) == 0
    kit.clock.move(timedelta(days=8))
    at_once = await asyncio.gather(fire_due(kit), fire_due(kit), fire_due(kit))
    assert sum(at_once) + await fire_due(kit) == 6
    rang = await told(kit, DeadlineRang)
    assert {each.case_id for each in rang} == {event.case_id for event in events}
    assert len(rang) == 6
    task = (await open_tasks(kit, events[0].case_id))["overdue_reasons"]
    assert task.owner_role == "management"
    assert (await clocks(kit, events[0].case_id))["assignment"].fired_at == kit.clock.now()


async def test_a_case_carried_over_after_months_rings_at_start(kit: Any, feeder: Feeder) -> None:
    event = filed(silent=True, filed_on=date(2026, 6, 14))
    await feeder.feed(event, assigned(event.case_id, NOON))
    assert await fire_due(kit) == 3
    assert {each.kind for each in await told(kit, DeadlineRang)} == {
        "execution_notice_outer",
        "court_limit_reminder",
        "court_limit",
    }
    assert (await open_tasks(kit, event.case_id))["overdue_reasons"].owner_staff == JUDGE
    assert await fire_due(kit) == 0


async def test_the_reminder_carries_the_due_date_and_what_is_outstanding(kit: Any, feeder: Feeder) -> None:
    event = filed(filed_on=date(2026, 8, 28))
    await feeder.feed(event, assigned(event.case_id, NOON))
    await fire_due(kit)
    task = (await open_tasks(kit, event.case_id))["reminder"]
    assert "2026年11月30日" in task.title
    assert "送达、执行、结案、归档" in task.detail
    assert task.owner_staff == JUDGE


async def test_a_met_clock_does_not_ring(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, assigned(event.case_id, NOON))
    kit.clock.move(timedelta(days=8))
    await fire_due(kit)
    assert {each.kind for each in await told(kit, DeadlineRang)} == {"execution_notice"}


async def test_a_corrected_day_makes_new_versions_and_logs_the_difference(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, assigned(event.case_id, NOON))
    await feeder.feed(CaseCorrected(case_id=event.case_id, facts=facts(date(2026, 11, 16))))
    found = await clocks(kit, event.case_id)
    assert (found["court_limit"].version, found["court_limit"].due_on) == (2, date(2027, 2, 16))
    assert (found["assignment"].version, found["execution_notice"].version) == (1, 1)
    entry = [each for each in await log(kit, event.case_id) if each.kind == "clocks"][-1]
    assert "由2027年2月23日（周二）（暂定）改为2027年2月16日（周二）" in entry.text
    assert "确定承办人" not in entry.text
    kit.clock.instant = datetime(2027, 2, 16, 16, tzinfo=UTC)
    await fire_due(kit)
    assert [(e.kind, e.version) for e in await told(kit, DeadlineRang) if e.kind == "court_limit"] == [
        ("court_limit", 2)
    ]


async def test_an_announced_calendar_sets_provisional_clocks_anew(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event)
    assert (await clocks(kit, event.case_id))["court_limit"].provisional
    assert await recompute_outdated(kit) == 0
    announced = CourtCalendar(holidays={date(2026, 1, 1), date(2027, 2, 22), date(2027, 2, 23)})
    assert await recompute_outdated(kit, announced) == 1
    limit = (await clocks(kit, event.case_id))["court_limit"]
    assert (limit.version, limit.provisional, limit.due_on) == (2, False, date(2027, 2, 24))
    assert await recompute_outdated(kit, announced) == 0


async def test_a_clock_that_rang_stays_silent_when_only_its_wording_changes(kit: Any, feeder: Feeder) -> None:
    event = filed(filed_on=date(2026, 6, 14))
    await feeder.feed(event)
    rang_at = kit.clock.now()
    assert await fire_due(kit) > 0
    before = await told(kit, DeadlineRang)
    async with kit.db.begin() as tx:
        old = {"rule": "旧规则", "article": "旧条文", "calendar_until": date(2025, 12, 31)}
        limits = deadlines.c.kind.in_(["court_limit", "statutory_limit"])
        await tx.conn.execute(update(deadlines).where(limits).values(old))
    assert await recompute_outdated(kit) == 1
    found = await clocks(kit, event.case_id)
    limit = found["court_limit"]
    assert (limit.version, limit.fired_at, limit.rule != "旧规则") == (2, rang_at, True)
    assert (found["statutory_limit"].version, found["statutory_limit"].fired_at) == (2, None)
    kit.clock.move(timedelta(minutes=1))
    assert await fire_due(kit) == 0
    assert await told(kit, DeadlineRang) == before
    entry = [each for each in await log(kit, event.case_id) if each.kind == "clocks"][-1]
    assert "本院三个月办案期限：期限不变，仍为2026年9月14日（周一），第2版" in entry.text
    assert limit.article in entry.text


async def test_what_ran_out_provisionally_is_late_only_once_its_calendar_is_announced(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, assigned(event.case_id, NOON), sent(event.case_id, event.parties[1], NOON))
    kit.clock.instant = datetime(2027, 2, 24, tzinfo=UTC)
    await fire_due(kit)
    assert "overdue_reasons" not in await open_tasks(kit, event.case_id)
    task = (await open_tasks(kit, event.case_id))["reminder"]
    assert "暂定" in task.title
    assert (await view(kit, event.case_id)).case.next_kind == "statutory_limit"
    assert (await board_head(kit)).counts.late == 0
    announced = CourtCalendar(holidays={date(2026, 1, 1), date(2027, 1, 1)})
    assert await recompute_outdated(kit, announced) == 1
    limit = (await clocks(kit, event.case_id))["court_limit"]
    assert (limit.version, limit.provisional, limit.fired_at) == (2, False, None)
    assert (await board_head(kit)).counts.late == 1
    assert await fire_due(kit) == 2, "the reminder, which had named a tentative day, and the limit"
    assert "overdue_reasons" in await open_tasks(kit, event.case_id)
    assert await fire_due(kit) == 0


async def test_the_clerk_is_asked_for_the_day_of_receipt_and_the_clocks_wait_for_it(kit: Any, feeder: Feeder) -> None:
    event = filed(received_on=None)
    await feeder.feed(event)
    assert not FROM_RECEIPT & set(await clocks(kit, event.case_id))
    task = (await open_tasks(kit, event.case_id))["ask_receipt"]
    assert (task.owner_role, task.kind.closes_itself) == ("clerk", True)
    assert "不以立案日期代替" in task.detail
    known = facts(received_on=date(2026, 11, 20))
    await feeder.feed(CaseCorrected(case_id=event.case_id, facts=known))
    found = await clocks(kit, event.case_id)
    assert found["execution_notice_outer"].due_on == date(2026, 11, 30)
    assert found["upper_court_six_months"].due_on == date(2027, 5, 20)
    assert "ask_receipt" not in await open_tasks(kit, event.case_id)


@pytest.mark.parametrize("code", ["执保", "执异", "执复", "执监", "执协", "执他"])
async def test_a_case_of_another_kind_has_no_periods_and_only_its_own_clocks(
    kit: Any, feeder: Feeder, code: str
) -> None:
    main = filed(case_number="（2026）渝05执1号")
    event = filed(case_number=f"（2026）渝05{code}1号", main_case="（2026）渝05执1号")
    await feeder.feed(main, event, assigned(event.case_id, NOON))
    seen, kind = await view(kit, event.case_id), KINDS[code]
    assert seen.case.period is None
    assert seen.periods == []
    assert {row.kind for row in seen.deadlines} == kind.clocks
    assert [Milestone(row.milestone) for row in seen.milestones] == list(kind.milestones)
    assert seen.main_case is not None
    assert seen.main_case.case_id == main.case_id
    assert [row.case_id for row in (await view(kit, main.case_id)).side_cases] == [event.case_id]
    assert {each.case_id for each in await told(kit, PeriodOpened)} == {main.case_id}


async def test_an_upgrade_takes_wrong_clocks_back_and_says_so_in_the_log(kit: Any, feeder: Feeder) -> None:
    """What an older release had set in a case of preservation, as the migration leaves it."""
    event = filed(case_number="（2026）渝05执保1号", filed_on=date(2026, 6, 14))
    await feeder.feed(event)
    old = {"start_on": date(2026, 6, 14), "due_on": date(2026, 9, 14), "due_at": NOON - timedelta(days=60)}
    words = {"rule": "旧规则", "article": "旧条文", "provisional": False, "calendar_until": date(1990, 1, 1)}
    async with kit.db.begin() as tx:
        row = {"id": new_id(), "case_id": event.case_id, "kind": "court_limit", "version": 1}
        await tx.conn.execute(insert(deadlines).values(**row, **old, **words))
    await fire_due(kit)
    assert "overdue_reasons" in await open_tasks(kit, event.case_id)
    assert await recompute_outdated(kit) == 1
    assert set(await clocks(kit, event.case_id)) == {"preservation_begin"}
    assert [each.kind for each in await told(kit, DeadlineWithdrawn)] == ["court_limit"]
    entry = [each for each in await log(kit, event.case_id) if each.kind == "clocks"][-1]
    assert "本院三个月办案期限：撤销" in entry.text
    assert "财产保全执行案件，不适用" in entry.text
    about_it = [task.title for task in (await view(kit, event.case_id)).tasks if "三个月" in task.title]
    assert about_it == []
    assert await recompute_outdated(kit) == 0


async def test_a_clock_that_cannot_ring_holds_up_no_other(
    kit: Any, feeder: Feeder, caplog: pytest.LogCaptureFixture
) -> None:
    events = [filed(case_number=f"（2026）渝05执{number}号") for number in range(1, 5)]
    await feeder.feed(*events)
    broken = {event.case_id for event in events[:2]}
    async with kit.db.begin() as tx:
        spoilt = deadlines.c.case_id.in_(broken) & (deadlines.c.kind == "assignment")
        await tx.conn.execute(update(deadlines).where(spoilt).values(kind="gone"))
    kit.clock.move(timedelta(days=8))
    for _ in range(2):
        with pytest.raises(ExceptionGroup) as failed:
            await fire_due(kit)
        assert [type(error) for error in failed.value.exceptions] == [ValueError, ValueError]
        assert {each.case_id for each in await told(kit, DeadlineRang)} == {each.case_id for each in events[2:]}
        assert len(await told(kit, DeadlineRang)) == 2
    records = [record for record in caplog.records if record.getMessage() == "a row was skipped"]
    assert {record.__dict__["case_id"] for record in records} == broken
    async with kit.db.begin() as tx:
        await tx.conn.execute(update(deadlines).where(deadlines.c.kind == "gone").values(kind="assignment"))
    assert await fire_due(kit) == 2


async def test_another_judge_takes_over_tasks_and_gets_three_days(kit: Any, feeder: Feeder) -> None:
    event, second = filed(filed_on=date(2026, 8, 20)), UUID(int=8)
    await feeder.feed(event, assigned(event.case_id, NOON))
    kit.clock.move(timedelta(days=5))
    await fire_due(kit)
    late, own = "“本院三个月办案期限”已超期，请说明理由", "“发出执行通知”已超期，请说明理由"
    owners = {task.title: task.owner_staff for task in (await view(kit, event.case_id)).tasks}
    assert (owners[late], owners[own]) == (JUDGE, JUDGE)
    await feeder.feed(assigned(event.case_id, kit.clock.now(), second))
    owners = {task.title: task.owner_staff for task in (await view(kit, event.case_id)).tasks}
    assert (owners[late], own in owners) == (second, False), "whose days begin now is not late with them"
    notice = (await clocks(kit, event.case_id))["execution_notice"]
    assert (notice.version, notice.due_on, notice.fired_at) == (2, date(2026, 12, 1), None)


async def test_a_case_without_a_side_waits_for_the_clerk(kit: Any, feeder: Feeder) -> None:
    event = filed(party("applicant"))
    await feeder.feed(event)
    task = (await open_tasks(kit, event.case_id))["complete_parties"]
    assert (task.owner_role, task.title) == ("clerk", "补充登记被执行人")
    await feeder.feed(PartyAdded(case_id=event.case_id, party=party("respondent")))
    assert "complete_parties" not in await open_tasks(kit, event.case_id)


async def test_a_waiting_notice_is_its_owners_task_until_it_is_issued(kit: Any, feeder: Feeder) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    waits = NoticeWaits(**about(event.case_id, respondent), reason="缺少应履行义务。", owner="clerk")
    await feeder.feed(event, waits)
    task = (await open_tasks(kit, event.case_id))["supply_field"]
    assert (task.owner_role, task.detail) == ("clerk", "缺少应履行义务。")
    await feeder.feed(NoticeIssued(**about(event.case_id, respondent), way="electronic", issued_at=NOON))
    assert "supply_field" not in await open_tasks(kit, event.case_id)


async def test_a_troubled_delivery_is_the_clerks_task(kit: Any, feeder: Feeder) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    trouble = {"delivery_id": new_id(), "channel": "mail", "trouble": "unknown", "reason": "连接中断。"}
    await feeder.feed(event, DeliveryTroubled(**about(event.case_id, respondent), **trouble))
    assert (await open_tasks(kit, event.case_id))["delivery_trouble"].owner_role == "clerk"


def acted(kit: Any, case_id: UUID, progress: str) -> ItemActed:
    return ItemActed(
        item_id=new_id(),
        source="tip",
        case_id=case_id,
        acted_by=new_id(),
        acted_at=NOON,
        in_time=True,
        deed=Sealed("k1.secret"),
        progress=Sealed(kit.keyring.seal(progress, str(case_id))),
    )


async def test_a_deed_of_the_desk_becomes_progress_that_reveals_no_tip(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, acted(kit, event.case_id, "已对被执行人名下财产采取控制措施。"))
    published = (await told(kit, ProgressPublished))[0]
    assert (published.audience, published.notify) == (("applicant",), True)
    assert kit.keyring.open(published.text, str(event.case_id)) == "已对被执行人名下财产采取控制措施。"
    entry = (await log(kit, event.case_id))[-1]
    assert entry.position == published.entry
    for told_word in ("举报", "线索", "tip", "secret"):
        assert told_word not in f"{published.title}{entry.title}{entry.text}"


async def test_progress_that_would_give_the_tip_away_is_not_published(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, acted(kit, event.case_id, "根据举报查封房产。"), assigned(event.case_id, NOON))
    assert await told(kit, ProgressPublished) == []
    assert "rewrite_progress" in await open_tasks(kit, event.case_id)


async def test_the_log_cannot_be_changed_and_its_chain_holds(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, assigned(event.case_id, NOON))
    for statement in (update(LEDGER.entries).values(kind="x"), delete(LEDGER.entries), text("TRUNCATE ledger_entries")):
        with pytest.raises(DBAPIError, match="permission denied"):
            async with kit.db.begin() as tx:
                await tx.conn.execute(statement)
        with pytest.raises(DBAPIError, match="append-only"):
            async with as_owner(kit) as conn:
                await conn.execute(statement)
    page = await log_page(kit, str(event.case_id), 0, 2)
    assert page.verdict is not None
    assert (page.verdict.intact, [entry.position for entry in page.entries], page.next) == (True, [1, 2], 2)


async def test_a_cut_tail_of_the_log_is_found(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event)
    async with as_owner(kit) as conn:
        await conn.execute(text("ALTER TABLE ledger_entries DISABLE TRIGGER ALL"))
        last = select(func.max(LEDGER.entries.c.position)).scalar_subquery()
        await conn.execute(delete(LEDGER.entries).where(LEDGER.entries.c.position == last))
    broken = (await log_page(kit, str(event.case_id), 0, 10)).verdict
    assert broken is not None
    assert not broken.intact


async def test_two_owners_or_none_are_refused_by_the_database(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event)
    for owners in ({"owner_staff": JUDGE}, {"owner_role": None}):
        with pytest.raises(IntegrityError, match="tasks_one_owner"):
            async with kit.db.begin() as tx:
                await tx.conn.execute(update(tasks).values(owners))


async def test_a_judge_with_another_power_in_the_case_is_managements_task(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event)
    async with kit.db.begin() as tx:
        row = {"case_id": event.case_id, "staff_id": JUDGE, "power": "adjudication", "since": NOON}
        await tx.conn.execute(case_powers.insert().values(row))
    assert await feeder.feed(assigned(event.case_id, NOON)) == [Verdict.HANDLED]
    assert (await open_tasks(kit, event.case_id))["power_conflict"].owner_role == "management"


async def test_versions_are_unique(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event)
    async with kit.db.read() as conn:
        row = dict((await conn.execute(select(deadlines).limit(1))).mappings().one())
    with pytest.raises(IntegrityError):
        async with kit.db.begin() as tx:
            await tx.conn.execute(deadlines.insert().values({**row, "id": new_id()}))


async def test_a_case_of_many_parties_takes_no_more_statements(kit: Any, feeder: Feeder) -> None:
    counts = []
    for respondents in (1, 30):
        with asked(kit) as statements:
            await feeder.feed(filed(party("applicant"), *(party("respondent") for _ in range(respondents))))
        counts.append(len(statements))
    assert counts[0] == counts[1]
