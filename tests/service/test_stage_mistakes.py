"""Stage tracking on a party filed by mistake, a disowned contact, a recall: the clocks of law run on."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from services.stage_tracking.service import SERVICE
from services.stage_tracking.store.tables import tasks
from services.stage_tracking.usecases.reading import case_view, log_page
from shared.contracts.cases import JudgeCorrected, NoticesRecalled, NoticesReleased, PartyMisfiled
from shared.contracts.envelope import Sealed
from shared.contracts.notices import ContactConfirmed, ContactDisowned, ContactReplaced, DeliveryTroubled, NoticeWaits
from shared.contracts.stages import DeadlineSet, Milestone, MilestoneReached, ProgressPublished
from shared.db.transaction import new_id
from tests.fixtures.kits import KEYRING, NOON, Feeder, told
from tests.fixtures.staging import about, assigned, filed, party, sent, served


@pytest.fixture
def feeder(kit: Any) -> Feeder:
    return Feeder(SERVICE, kit)


async def log_of(kit: Any, case_id: UUID) -> dict[str, str]:
    page = await log_page(kit, str(case_id), 0, 100)
    return {entry.kind: entry.text for entry in page.entries}


async def open_tasks(kit: Any, case_id: UUID) -> dict[str, Any]:
    return {task.kind: task for task in (await case_view(kit, str(case_id))).tasks}


def waits(case_id: UUID, to: Any) -> NoticeWaits:
    return NoticeWaits(**about(case_id, to), reason="缺少应履行义务。", owner="clerk")


def troubled(case_id: UUID, to: Any, kind: str = "ENFORCEMENT_NOTICE") -> DeliveryTroubled:
    particulars = {"delivery_id": new_id(), "channel": "mail", "trouble": "failed", "reason": "邮箱不存在。"}
    return DeliveryTroubled(**about(case_id, to, kind), **particulars)


async def test_a_judges_corrected_name_is_shown_and_assigns_nobody_anew(kit: Any, feeder: Feeder) -> None:
    event = filed(party("applicant"), party("respondent"))
    given = assigned(event.case_id, NOON)
    await feeder.feed(event, given)
    before = len((await log_page(kit, str(event.case_id), 0, 100)).entries)
    judge = given.judge.model_copy(update={"name": "更名法官"})
    await feeder.feed(JudgeCorrected(case_id=event.case_id, judge=judge))
    case = (await case_view(kit, str(event.case_id))).case
    assert (case.judge_name, case.judge_id) == ("更名法官", judge.staff_id)
    assert len((await log_page(kit, str(event.case_id), 0, 100)).entries) == before


async def test_what_waited_for_a_misfiled_party_alone_is_done_with(kit: Any, feeder: Feeder) -> None:
    right, wrong = party("respondent"), party("respondent")
    event = filed(party("applicant"), right, wrong)
    case_id, by = event.case_id, new_id()
    await feeder.feed(event, assigned(case_id, NOON), waits(case_id, wrong), troubled(case_id, wrong))
    await feeder.feed(sent(case_id, right, NOON), served(case_id, right, date(2026, 11, 23)))
    assert set(await open_tasks(kit, case_id)) == {"supply_field", "delivery_trouble"}
    misfiled = PartyMisfiled(case_id=case_id, party_id=wrong.party_id, by=by)
    await feeder.feed(misfiled, misfiled)
    assert await open_tasks(kit, case_id) == {}
    clocks = {row.kind: row for row in (await case_view(kit, str(case_id))).deadlines}
    assert clocks["execution_notice"].met_at == NOON, "the clock counts the parties that there are"
    assert clocks["statutory_limit"].met_at is None
    assert Milestone.SERVICE in {each.milestone for each in await told(kit, MilestoneReached)}
    assert (await log_of(kit, case_id))["party_misfiled"] == "被执行人1名系误登记，已更正。随之办结待办事项2件。"
    assert await told(kit, ProgressPublished) == [], "no party reads of it"


async def test_late_news_of_a_misfiled_party_open_no_task_but_a_failed_correction_does(
    kit: Any, feeder: Feeder
) -> None:
    wrong = party("respondent")
    event = filed(party("applicant"), party("respondent"), wrong)
    case_id = event.case_id
    await feeder.feed(event, assigned(case_id, NOON))
    await feeder.feed(PartyMisfiled(case_id=case_id, party_id=wrong.party_id, by=new_id()))
    await feeder.feed(waits(case_id, wrong), troubled(case_id, wrong))
    assert await open_tasks(kit, case_id) == {}
    await feeder.feed(troubled(case_id, wrong, "MISFILED_CORRECTION"))
    (task,) = (await open_tasks(kit, case_id)).values()
    assert task.title.startswith("更正告知书")


async def test_a_case_that_loses_its_only_respondent_must_be_completed(kit: Any, feeder: Feeder) -> None:
    wrong = party("respondent")
    event = filed(party("applicant"), wrong)
    await feeder.feed(event, assigned(event.case_id, NOON))
    await feeder.feed(PartyMisfiled(case_id=event.case_id, party_id=wrong.party_id, by=new_id()))
    assert (await open_tasks(kit, event.case_id))["complete_parties"].title == "补充登记被执行人"
    clocks = {row.kind: row for row in (await case_view(kit, str(event.case_id))).deadlines}
    assert clocks["execution_notice"].met_at is None


async def test_a_confirmed_contact_closes_its_task_and_how_is_on_record(kit: Any, feeder: Feeder) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    case_id = event.case_id
    ids = {"case_id": case_id, "party_id": respondent.party_id, "channel": "sms"}
    await feeder.feed(event, ContactDisowned(**ids, disowned_at=NOON))
    how = Sealed(KEYRING.seal("当事人到院出示身份证件。", str(case_id)))
    await feeder.feed(ContactConfirmed(**ids, confirmed_by=new_id(), confirmed_at=NOON, how=how))
    assert "contact_disowned" not in await open_tasks(kit, case_id)
    entry = (await log_of(kit, case_id))["contact_confirmed"]
    assert entry.endswith("经核实为本人使用，照常发送。核实情况：当事人到院出示身份证件。")


async def test_a_former_contact_that_is_disowned_is_a_task_that_the_register_does_not_close(
    kit: Any, feeder: Feeder
) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    ids = {"case_id": event.case_id, "party_id": respondent.party_id, "channel": "mail"}
    await feeder.feed(event, ContactDisowned(**ids, disowned_at=NOON, registered=False))
    task = (await open_tasks(kit, event.case_id))["contact_disowned"]
    assert "现在登记的联系方式不受影响" in task.detail
    assert "更正后本事项自动办结" not in task.detail
    await feeder.feed(ContactReplaced(**ids))
    assert "contact_disowned" in await open_tasks(kit, event.case_id)


async def test_a_disowned_contact_is_the_clerks_until_another_is_registered(kit: Any, feeder: Feeder) -> None:
    respondent = party("respondent")
    event = filed(party("applicant"), respondent)
    case_id = event.case_id
    ids = {"case_id": case_id, "party_id": respondent.party_id}
    await feeder.feed(event, ContactDisowned(**ids, channel="sms", disowned_at=NOON))
    task = (await open_tasks(kit, case_id))["contact_disowned"]
    assert (task.title, task.owner_role) == ("当事人联系方式被持有人否认，请核实", "clerk")
    assert "手机号码" in task.detail
    await feeder.feed(ContactReplaced(**ids, channel="mail"))
    assert "contact_disowned" in await open_tasks(kit, case_id)
    await feeder.feed(ContactReplaced(**ids, channel="sms"))
    assert "contact_disowned" not in await open_tasks(kit, case_id)
    async with kit.db.read() as conn:
        rows = list(await conn.execute(select(tasks).where(tasks.c.kind == "contact_disowned")))
    assert [row.done_by for row in rows] == [None]


async def test_a_recall_is_logged_and_moves_no_clock(kit: Any, feeder: Feeder) -> None:
    event = filed()
    await feeder.feed(event, assigned(event.case_id, NOON))
    before = (await case_view(kit, str(event.case_id))).deadlines
    await feeder.feed(NoticesRecalled(case_id=event.case_id, by=new_id()))
    kit.clock.move(timedelta(minutes=3))
    await feeder.feed(NoticesReleased(case_id=event.case_id, by=new_id()))
    assert (await case_view(kit, str(event.case_id))).deadlines == before
    assert {"notices_recalled", "notices_released"} <= set(await log_of(kit, event.case_id))
    assert len(await told(kit, DeadlineSet)) == len(before)
