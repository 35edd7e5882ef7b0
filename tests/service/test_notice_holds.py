"""Notices held after the filing, recalled and released; who decides when several processes act at once."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.party_notification.channels.outcome import NotLeft
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import deciding, history, overview, sending
from services.party_notification.usecases.holding import settle_due
from services.party_notification.usecases.visits import visit
from shared.clock import end_of_day
from shared.contracts.cases import (
    CaseCorrected,
    CaseFiled,
    NoticesRecalled,
    NoticesReleased,
    PartyAdded,
    PartyFacts,
)
from shared.contracts.envelope import Sealed
from shared.contracts.notices import NoticeIssued, NoticeWaits
from shared.contracts.stages import DeadlineSet, ProgressPublished
from shared.db.transaction import new_id
from shared.errors import Conflict
from shared.powers import Role
from shared.runtime.service import Kit, Service
from tests.fixtures.case_story import entered, settled
from tests.fixtures.kits import KEYRING, NOON, caller, told
from tests.service.test_notices import (
    APPLICANT,
    FULL,
    RESPONDENT,
    Carrier,
    MailServer,
    Office,
    person,
    send_all,
)

TEN_MINUTES = timedelta(minutes=10)


@pytest.fixture
def service() -> Service:
    return SERVICE


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


async def file_held(office: Office, *parties: PartyFacts, until: datetime | None = NOON + TEN_MINUTES) -> None:
    """A case whose notices are held; its judge is there at once."""
    filed = CaseFiled(case_id=office.case_id, facts=office.facts(), parties=parties, hold_until=until)
    await office.feeder.feed(filed, office.assigned())


def recalled(office: Office) -> NoticesRecalled:
    return NoticesRecalled(case_id=office.case_id, by=new_id())


def released(office: Office) -> NoticesReleased:
    return NoticesReleased(case_id=office.case_id, by=new_id())


def pass_time(office: Office, by: timedelta) -> None:
    office.kit.clock.move(by)  # type: ignore[attr-defined]


async def test_nobody_is_told_before_the_hold_has_passed_and_then_each_once(office: Office) -> None:
    await file_held(office, person(APPLICANT, 1), person(RESPONDENT, 2))
    assert await office.kinds("waiting") == FULL
    assert await office.rows(tables.messages) == []
    assert await told(office.kit, NoticeWaits) == [], "nobody has to supply anything"
    (first, *_) = (await overview.of_case(office.kit, str(office.case_id))).items
    assert first.waits_because == "暂缓至11月23日 12:10，此前立案人员可以撤回，届时自动发出。"
    pass_time(office, TEN_MINUTES - timedelta(seconds=1))
    assert not await settle_due(office.kit)
    pass_time(office, timedelta(seconds=1))
    assert await settle_due(office.kit)
    assert not await settle_due(office.kit)
    assert await office.kinds() == FULL
    assert sorted(row.channel for row in await office.rows(tables.messages)) == ["mail", "mail", "sms", "sms"]
    assert len(await told(office.kit, NoticeIssued)) == 6


async def test_the_letters_of_a_hold_name_each_other_and_the_statutory_day(office: Office) -> None:
    await file_held(office, person(APPLICANT, 1), person(RESPONDENT, 2))
    due = DeadlineSet(
        case_id=office.case_id,
        kind="statutory_limit",
        version=1,
        due_at=end_of_day(NOON.date() + timedelta(days=20)),
        rule="规则",
        article="条文",
        provisional=False,
    )
    await office.feeder.feed(due, released(office))
    notices = [row for row in await office.rows(tables.notices) if row.kind == "CASE_ACCEPTED"]
    letter = KEYRING.open(notices[0].letter, str(notices[0].notice_id))
    assert "《权利义务及执行风险告知书》《廉政监督卡》" in letter
    assert "一般应于2026年12月13日前办结" in letter


async def test_two_who_wake_settle_each_case_once(office: Office) -> None:
    await file_held(office, person(APPLICANT, 1), person(RESPONDENT, 2))
    pass_time(office, TEN_MINUTES)
    woken = await asyncio.gather(*(settle_due(office.kit) for _ in range(3)))
    assert sum(woken) == 1
    assert len(await office.rows(tables.messages)) == 4


async def test_a_case_that_cannot_be_settled_is_put_behind_the_others(office: Office) -> None:
    await file_held(office, person(APPLICANT, 1), person(RESPONDENT, 2))
    broken = office.case_id
    office.case_id, office.serial = new_id(), 5002
    until = NOON + TEN_MINUTES + timedelta(seconds=1)
    await file_held(office, person(APPLICANT, 3), person(RESPONDENT, 4), until=until)
    async with office.kit.db.begin() as tx:
        spoilt = tables.cases.update().where(tables.cases.c.case_id == broken)
        await tx.conn.execute(spoilt.values(case_number="无法识别"))
    pass_time(office, TEN_MINUTES + timedelta(seconds=1))
    with pytest.raises(Conflict):
        await settle_due(office.kit)
    assert await settle_due(office.kit)
    issued = {row.case_id for row in await office.rows(tables.notices) if row.state == "issued"}
    assert issued == {office.case_id}


async def test_a_party_added_with_a_hold_waits_alone(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    late = person(RESPONDENT, 3)
    await office.feeder.feed(PartyAdded(case_id=office.case_id, party=late, hold_until=NOON + TEN_MINUTES))
    assert {row.party_id for row in await office.rows(tables.notices) if row.state == "waiting"} == {late.party_id}
    pass_time(office, TEN_MINUTES)
    assert await settle_due(office.kit)
    assert await office.kinds("waiting") == []


async def test_what_is_missing_is_asked_for_during_a_hold_and_does_not_end_it(office: Office) -> None:
    filed = CaseFiled(
        case_id=office.case_id,
        facts=office.facts(obligation=None),
        parties=(person(APPLICANT, 1), person(RESPONDENT, 2)),
        hold_until=NOON + TEN_MINUTES,
    )
    await office.feeder.feed(filed, office.assigned())
    (waits,) = await told(office.kit, NoticeWaits)
    assert "应履行义务" in waits.reason
    await office.feeder.feed(CaseCorrected(case_id=office.case_id, facts=office.facts("交付房屋")))
    assert await office.kinds("waiting") == FULL
    await office.feeder.feed(released(office))
    assert await office.kinds() == FULL


async def test_what_has_not_left_stays_until_it_is_released(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    await office.feeder.feed(recalled(office))
    carrier, server = Carrier(), MailServer()
    await send_all(office, carrier, server)
    assert (carrier.batches, server.envelopes) == ([], [])
    assert all(notice.recalled for notice in (await overview.of_case(office.kit, str(office.case_id))).items)
    assert (await history.of_case(office.kit, office.case_id, caller(Role.CLERK))).recalled_at == NOON
    await office.feeder.feed(PartyAdded(case_id=office.case_id, party=person(RESPONDENT, 3)))
    waiting = [row for row in await office.rows(tables.notices) if row.state == "waiting"]
    assert {row.waits_reason for row in waiting} == {"立案人员已撤回，解除撤回后自动发出。"}
    await office.feeder.feed(released(office))
    await send_all(office, carrier, server)
    assert sum(len(batch.items) for batch in carrier.batches) == 3
    assert len(server.envelopes) == 3
    assert await office.kinds("waiting") == []


async def test_a_recall_during_a_hold_outlasts_it(office: Office) -> None:
    await file_held(office, person(APPLICANT, 1), person(RESPONDENT, 2))
    await office.feeder.feed(recalled(office))
    pass_time(office, TEN_MINUTES)
    assert await settle_due(office.kit)
    assert await office.kinds("waiting") == FULL
    await office.feeder.feed(released(office))
    assert await office.kinds() == FULL


async def test_a_recall_does_not_stop_what_was_claimed_and_the_record_shows_that_it_left(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))

    class Slow(MailServer):
        async def send(self, envelope: Any) -> Any:
            await office.feeder.feed(recalled(office))
            return await super().send(envelope)

    server = Slow()
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    assert len(server.envelopes) == 1
    assert (await office.delivery("mail")).state == "sent"
    views = (await overview.of_case(office.kit, str(office.case_id))).items
    applicant = [view for view in views if view.recipient_role == "applicant"]
    assert all(view.sent_at is not None for view in applicant)
    assert all(view.recalled for view in applicant), "the SMS has not left yet"


async def test_a_retry_of_a_recalled_message_stays_too(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    server = MailServer(NotLeft("未连接。"))
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    await office.feeder.feed(recalled(office))
    await office.hasten()
    assert not await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    await office.feeder.feed(released(office))
    assert await sending.send_mails(office.kit, server)  # type: ignore[arg-type]


async def test_recalled_letters_are_neither_posted_nor_shown_online(office: Office) -> None:
    respondent = person(RESPONDENT, 2, email=False)
    await office.file(person(APPLICANT, 1), respondent)
    await office.feeder.feed(recalled(office))
    (paper,) = await office.rows(tables.paper)
    me, act = caller(Role.CLERK), deciding.PaperAct
    with pytest.raises(Conflict, match="撤回"):
        await deciding.record_paper(office.kit, paper.paper_id, act.POSTED, None, "EMS1", me)
    party = await entered(office.kit, respondent)
    assert (await visit(office.kit, party)).documents == []
    await office.feeder.feed(released(office))
    await settled(office.kit)
    assert len((await visit(office.kit, party)).documents) == 3
    await deciding.record_paper(office.kit, paper.paper_id, act.POSTED, None, "EMS1", me)


async def test_an_entry_that_may_be_told_later_is_told_then(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    published = ProgressPublished(
        case_id=office.case_id,
        entry=4,
        at=NOON,
        title="执行工作进展",
        text=Sealed(KEYRING.seal("已完成银行查询。", str(office.case_id))),
        audience=(APPLICANT,),
        not_before=NOON + timedelta(days=1),
        notify=True,
    )
    await office.feeder.feed(published)
    assert "PROGRESS" not in await office.kinds()
    pass_time(office, timedelta(days=1))
    assert await settle_due(office.kit)
    assert "PROGRESS" in await office.kinds()
