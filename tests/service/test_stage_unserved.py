"""Stage tracking on a notice that is served no more: milestone and clocks are taken back, and nothing else is."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import delete, update

from services.stage_tracking.domain.acts import ReachMilestone
from services.stage_tracking.service import SERVICE
from services.stage_tracking.store.tables import execution_notices, parties
from services.stage_tracking.usecases.acts import act
from services.stage_tracking.usecases.reading import case_view, log_page
from services.stage_tracking.usecases.ringing import fire_due
from shared.bus.lanes import Verdict
from shared.contracts.cases import PartyAdded, PartyMisfiled
from shared.contracts.notices import NoticeSent, NoticeServed, NoticeUnserved
from shared.contracts.stages import DeadlineMet, DeadlineRang, DeadlineSet, Milestone, MilestoneReached, MilestoneUndone
from shared.db.transaction import new_id
from shared.powers import Role
from tests.fixtures.kits import NOON, Feeder, caller, told
from tests.fixtures.staging import JUDGE, about, assigned, filed, party

DAY, NEXT = date(2026, 11, 23), date(2026, 11, 24)
NOTICE_CLOCKS = ("execution_notice", "execution_notice_outer")


@pytest.fixture
def feeder(kit: Any) -> Feeder:
    return Feeder(SERVICE, kit)


class Notice:
    """One notice and what is told of it."""

    def __init__(self, case_id: UUID, to: Any, kind: str = "ENFORCEMENT_NOTICE") -> None:
        self.about = about(case_id, to, kind)

    def sent(self, at: Any = NOON, channel: str = "mail") -> NoticeSent:
        return NoticeSent(**self.about, channel=channel, sent_at=at)

    def served(self, on: date = DAY, channel: str = "mail") -> NoticeServed:
        return NoticeServed(**self.about, channel=channel, served_on=on)

    def unserved(self, on: date | None = DAY) -> NoticeUnserved:
        return NoticeUnserved(**self.about, channel="mail", served_on=on, reason="尚未送达：电子邮件被退回。")


async def served_case(feeder: Feeder, count: int = 1) -> tuple[UUID, list[Any], list[Notice]]:
    """A case whose respondents were all sent and served their notices."""
    respondents = [party("respondent") for _ in range(count)]
    event = filed(party("applicant"), *respondents)
    notices = [Notice(event.case_id, each) for each in respondents]
    await feeder.feed(event, assigned(event.case_id, NOON))
    for notice in notices:
        await feeder.feed(notice.sent(), notice.served())
    return event.case_id, respondents, notices


async def clocks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {row.kind: row for row in (await case_view(kit, str(case_id))).deadlines}


async def service_day(kit: Any, case_id: UUID) -> date | None:
    rows = (await case_view(kit, str(case_id))).milestones
    return next(row.actual_on for row in rows if row.milestone == Milestone.SERVICE)  # type: ignore[no-any-return]


async def open_tasks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {task.kind.value: task for task in (await case_view(kit, str(case_id))).tasks}


async def log(kit: Any, case_id: UUID) -> list[Any]:
    return (await log_page(kit, str(case_id), 0, 200)).entries


async def test_milestone_and_clocks_are_taken_back_and_the_log_says_why(kit: Any, feeder: Feeder) -> None:
    case_id, _, (notice,) = await served_case(feeder)
    assert await service_day(kit, case_id) == DAY
    before = await clocks(kit, case_id)
    kit.clock.move(timedelta(days=1))
    assert await feeder.feed(notice.unserved()) == [Verdict.HANDLED]
    assert await service_day(kit, case_id) is None
    assert [event.milestone for event in await told(kit, MilestoneUndone)] == [Milestone.SERVICE]
    found = await clocks(kit, case_id)
    for kind in NOTICE_CLOCKS:
        assert (found[kind].met_at, found[kind].version) == (None, 2)
        assert found[kind].due_at == before[kind].due_at, "the due date is the law's, whatever happened between"
    assert [event.kind for event in await told(kit, DeadlineSet) if event.version == 2] == list(NOTICE_CLOCKS)
    case = (await case_view(kit, str(case_id))).case
    assert (case.next_due_at, case.next_kind) == (found["execution_notice"].due_at, "execution_notice")
    entries = {entry.kind: entry for entry in await log(kit, case_id)}
    assert "尚未送达：电子邮件被退回。" in entries["notice_unserved"].text
    assert "2026年11月23日" in entries["service_undone"].text
    assert "须重新送达" in entries["service_undone"].text
    assert "期限继续计算" in entries["clocks"].text
    task = (await open_tasks(kit, case_id))["serve_anew"]
    assert (task.owner_staff, task.title) == (JUDGE, "执行通知书失去送达效力，请重新送达")
    found = (await log_page(kit, str(case_id), 0, 1)).verdict
    assert found is not None
    assert found.intact


async def test_a_clock_that_is_over_by_then_rings_at_once_and_asks_for_reasons(kit: Any, feeder: Feeder) -> None:
    case_id, _, (notice,) = await served_case(feeder)
    kit.clock.move(timedelta(days=4))
    assert await fire_due(kit) == 0
    await feeder.feed(notice.unserved())
    assert await fire_due(kit) == 1
    (rang,) = await told(kit, DeadlineRang)
    assert (rang.kind, rang.version) == ("execution_notice", 2)
    task = (await open_tasks(kit, case_id))["overdue_reasons"]
    assert task.owner_staff == JUDGE
    assert "送达" in task.detail
    assert await fire_due(kit) == 0


async def test_the_same_news_again_changes_nothing(kit: Any, feeder: Feeder) -> None:
    case_id, _, (notice,) = await served_case(feeder)
    await feeder.feed(notice.unserved())
    before = await clocks(kit, case_id)
    await feeder.feed(notice.unserved())
    assert await clocks(kit, case_id) == before
    assert len(await told(kit, MilestoneUndone)) == 1
    assert len((await case_view(kit, str(case_id))).tasks) == 1


async def test_what_leaves_anew_stops_the_clocks_and_what_is_served_anew_has_its_own_day(
    kit: Any, feeder: Feeder
) -> None:
    case_id, _, (notice,) = await served_case(feeder)
    await feeder.feed(notice.unserved())
    kit.clock.move(timedelta(days=2))
    posted = kit.clock.now()
    await feeder.feed(notice.sent(posted, "paper"))
    assert {(await clocks(kit, case_id))[kind].met_at for kind in NOTICE_CLOCKS} == {posted}
    assert await service_day(kit, case_id) is None
    await feeder.feed(notice.served(date(2026, 11, 25), "paper"))
    assert await service_day(kit, case_id) == date(2026, 11, 25)
    days = [event.on for event in await told(kit, MilestoneReached) if event.milestone == Milestone.SERVICE]
    assert days == [DAY, date(2026, 11, 25)]
    assert "serve_anew" not in await open_tasks(kit, case_id)
    assert [event.kind for event in await told(kit, DeadlineMet)].count("execution_notice") == 2


async def test_the_notices_of_others_stand(kit: Any, feeder: Feeder) -> None:
    case_id, respondents, (first, _) = await served_case(feeder, 2)
    await feeder.feed(first.unserved())
    assert await service_day(kit, case_id) is None
    other = Notice(case_id, respondents[0])
    await feeder.feed(other.served(NEXT, "paper"))
    assert await service_day(kit, case_id) == NEXT
    assert (await clocks(kit, case_id))["execution_notice"].met_at is not None, "a service proves that it went"


async def test_another_notice_of_the_same_party_stands(kit: Any, feeder: Feeder) -> None:
    case_id, respondents, (first,) = await served_case(feeder)
    second = Notice(case_id, respondents[0])
    await feeder.feed(second.sent(NOON, "paper"), second.served(NEXT, "paper"))
    await feeder.feed(first.unserved())
    assert await service_day(kit, case_id) == NEXT
    assert (await clocks(kit, case_id))["execution_notice"].version == 1


async def test_a_later_day_of_the_same_notice_moves_the_milestone(kit: Any, feeder: Feeder) -> None:
    case_id, _, (notice,) = await served_case(feeder)
    await feeder.feed(notice.served(NEXT, "reading"))
    assert await service_day(kit, case_id) == NEXT
    assert await told(kit, MilestoneUndone) == []
    assert "原为2026年11月23日" in (await log(kit, case_id))[-1].text


async def test_a_respondent_added_later_starts_no_clock_that_had_stopped_before_them(kit: Any, feeder: Feeder) -> None:
    case_id, _, _ = await served_case(feeder)
    late = party("respondent")
    kit.clock.move(timedelta(days=1))
    notice = Notice(case_id, late)
    await feeder.feed(PartyAdded(case_id=case_id, party=late), notice.sent(kit.clock.now()), notice.served(NEXT))
    await feeder.feed(notice.unserved(NEXT))
    assert {(await clocks(kit, case_id))[kind].met_at for kind in NOTICE_CLOCKS} == {NOON}
    assert "serve_anew" in await open_tasks(kit, case_id)


async def test_what_a_judge_recorded_by_a_document_stays(kit: Any, feeder: Feeder) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    case_id, notice = event.case_id, Notice(event.case_id, respondent)
    await feeder.feed(event, assigned(case_id, NOON), notice.sent())
    by_hand = ReachMilestone(Milestone.SERVICE, DAY, "送达回证")
    await act(kit, caller(Role.JUDGE, JUDGE), str(case_id), by_hand)
    await feeder.feed(notice.served(NEXT), notice.unserved(NEXT))
    assert await service_day(kit, case_id) == DAY
    assert (await clocks(kit, case_id))["execution_notice"].met_at == NOON
    assert "请一并核实" in (await open_tasks(kit, case_id))["serve_anew"].detail


async def test_what_was_known_before_notices_were_kept_one_by_one_is_taken_back_too(kit: Any, feeder: Feeder) -> None:
    case_id, respondents, (notice,) = await served_case(feeder)
    async with kit.db.begin() as tx:
        await tx.conn.execute(delete(execution_notices))
        known = {"notice_sent_at": NOON, "notice_served_on": DAY}
        mine = parties.c.party_id == respondents[0].party_id
        await tx.conn.execute(update(parties).where(mine).values(known))
    await feeder.feed(notice.unserved())
    assert await service_day(kit, case_id) is None
    assert (await clocks(kit, case_id))["execution_notice"].met_at is None


async def test_other_papers_are_the_clerks_and_touch_no_clock(kit: Any, feeder: Feeder) -> None:
    case_id, respondents, _ = await served_case(feeder)
    card = Notice(case_id, respondents[0], "INTEGRITY_CARD")
    await feeder.feed(card.served(), card.unserved())
    assert await service_day(kit, case_id) == DAY
    assert (await open_tasks(kit, case_id))["serve_anew"].owner_role == "clerk"


async def test_a_sending_that_came_to_nothing_sets_the_clocks_going_and_names_no_day(kit: Any, feeder: Feeder) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    notice = Notice(event.case_id, respondent)
    await feeder.feed(event, assigned(event.case_id, NOON), notice.sent())
    stopped = await clocks(kit, event.case_id)
    assert all(stopped[kind].met_at is not None for kind in NOTICE_CLOCKS)
    await feeder.feed(notice.unserved(None))
    running = await clocks(kit, event.case_id)
    assert all(running[kind].met_at is None for kind in NOTICE_CLOCKS)
    assert await told(kit, MilestoneUndone) == []
    task = (await open_tasks(kit, event.case_id))["serve_anew"]
    assert (task.owner_staff, task.title) == (JUDGE, "执行通知书没有到达，请重新送达")
    (entry,) = [each for each in await log(kit, event.case_id) if each.kind == "notice_unserved"]
    assert "原以电子邮件发出，现查明没有到达。" in entry.text


async def test_a_served_respondent_stands_when_another_was_misfiled_though_a_third_is_not_served(
    kit: Any, feeder: Feeder
) -> None:
    case_id, (_, wrong), _ = await served_case(feeder, 2)
    await feeder.feed(PartyAdded(case_id=case_id, party=party("respondent")))
    await feeder.feed(PartyMisfiled(case_id=case_id, party_id=wrong.party_id, by=new_id()))
    assert await service_day(kit, case_id) == DAY
    assert await told(kit, MilestoneUndone) == []


async def test_the_only_respondent_that_was_served_and_misfiled_leaves_the_duty_open(kit: Any, feeder: Feeder) -> None:
    case_id, (wrong,), (notice,) = await served_case(feeder)
    await feeder.feed(PartyMisfiled(case_id=case_id, party_id=wrong.party_id, by=new_id()), notice.unserved())
    assert await service_day(kit, case_id) is None
    assert (await clocks(kit, case_id))["execution_notice"].met_at is None
    assert "serve_anew" not in await open_tasks(kit, case_id)


async def test_news_of_a_party_that_is_not_known_yet_waits(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event)
    assert await feeder.feed(Notice(event.case_id, party("respondent")).unserved()) == [Verdict.QUEUED]
