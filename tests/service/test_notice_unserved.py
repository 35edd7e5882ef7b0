"""Service that is lost: told once, with its reason; the letters go on paper, and what leaves anew is told anew."""

from datetime import date, timedelta
from typing import Any

import pytest

from services.party_notification.channels.outcome import NotLeft, Unknown
from services.party_notification.domain.delivery import Seen
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import deciding, sending
from services.party_notification.usecases.observing import Sighting, note
from shared.contracts.cases import PartyFacts
from shared.contracts.notices import DeliveryTroubled, NoticeSent, NoticeServed, NoticeUnserved
from shared.powers import Role
from shared.runtime.service import Kit, Service
from tests.fixtures.case_story import opened
from tests.fixtures.kits import NOON, caller, told
from tests.service.test_notices import APPLICANT, RESPONDENT, Carrier, MailServer, Office, person, send_all

DAY = date(2026, 11, 23)
TOLD = (NoticeSent, NoticeServed, NoticeUnserved)


@pytest.fixture
def service() -> Service:
    return SERVICE


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


async def mailed(office: Office, server: MailServer | None = None) -> PartyFacts:
    """A respondent who gets letters by mail, and an applicant who does not; what is due has left."""
    respondent = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1, email=False), respondent)
    await send_all(office, Carrier(), server or MailServer())
    return respondent


async def see(office: Office, row: Any, seen: Seen, *, permanent: bool = True) -> None:
    async with office.kit.db.begin() as tx:
        await note(office.kit, tx, row.delivery_id, Sighting(seen, permanent, detail="退信。"))


async def order(office: Office) -> list[tuple[str, str]]:
    """Of the execution notice: what was told, in order, by which channel."""
    events = [event for event in await told(office.kit, *TOLD) if event.kind == "ENFORCEMENT_NOTICE"]
    return [(type(event).__name__.removeprefix("Notice"), event.channel) for event in events]


async def papers_of(office: Office, party: PartyFacts) -> list[Any]:
    return [row for row in await office.rows(tables.paper) if row.party_id == party.party_id]


async def execution_notice(office: Office) -> Any:
    (row,) = [row for row in await office.rows(tables.notices) if row.kind == "ENFORCEMENT_NOTICE"]
    return row


@pytest.mark.parametrize("seen", [Seen.BOUNCED, Seen.RULED_NOT_ARRIVED])
async def test_a_mail_that_did_not_arrive_unserves_once_and_goes_on_paper(office: Office, seen: Seen) -> None:
    respondent = await mailed(office)
    mail = await office.delivery("mail")
    office.kit.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    await see(office, mail, seen)
    await see(office, mail, seen)
    lost = await told(office.kit, NoticeUnserved)
    carried = {row.notice_id for row in await office.rows(tables.notices) if row.party_id == respondent.party_id}
    assert {event.notice_id for event in lost} == carried
    assert len(lost) == len(carried)
    assert {(event.channel, event.served_on) for event in lost} == {("mail", DAY)}
    assert {event.reason for event in lost} == {
        "尚未送达：电子邮件被退回，须以纸质文书送达，尚无签收记录（民事诉讼法第九十一条）。"
    }
    (entry,) = await papers_of(office, respondent)
    assert (entry.state, entry.reason) == ("to_print", "电子邮件无法送达，改用纸质送达。")
    letters = [row for row in await office.rows(tables.paper_notices) if row.paper_id == entry.paper_id]
    assert {row.notice_id for row in letters} == carried
    assert {event.trouble for event in await told(office.kit, DeliveryTroubled)} == {"failed"}


async def test_what_leaves_anew_and_is_served_later_is_told_with_its_own_day(office: Office) -> None:
    respondent = await mailed(office)
    first = (await execution_notice(office)).sent_at
    await see(office, await office.delivery("mail"), Seen.BOUNCED)
    (entry,) = await papers_of(office, respondent)
    office.kit.clock.move(timedelta(days=2))  # type: ignore[attr-defined]
    me, act = caller(Role.CLERK), deciding.PaperAct
    await deciding.record_paper(office.kit, entry.paper_id, act.POSTED, None, "EMS1", me)
    await deciding.record_paper(office.kit, entry.paper_id, act.SERVED, date(2026, 11, 25), None, me)
    ways = [("Sent", "mail"), ("Served", "mail"), ("Unserved", "mail"), ("Sent", "paper"), ("Served", "paper")]
    assert await order(office) == ways
    again = [event for event in await told(office.kit, NoticeSent) if event.channel == "paper"]
    assert {event.sent_at for event in again} == {office.kit.clock.now()}
    assert (await told(office.kit, NoticeServed))[-1].served_on == date(2026, 11, 25)
    row = await execution_notice(office)
    assert (row.sent_at, row.lapsed_at) == (first, None), "the first sending stays on record"


async def test_a_sending_to_an_unconfirmed_mailbox_that_came_back_is_lost_too(office: Office) -> None:
    respondent = person(RESPONDENT, 2).model_copy(update={"address_confirmed_on": None})
    await office.file(person(APPLICANT, 1, email=False), respondent)
    await send_all(office, Carrier(), MailServer())
    mail = await office.delivery("mail")
    await see(office, mail, Seen.BOUNCED)
    await see(office, mail, Seen.BOUNCED)
    lost = await told(office.kit, NoticeServed, NoticeUnserved)
    carried = {row.notice_id for row in await office.rows(tables.notices) if row.party_id == respondent.party_id}
    assert {(event.notice_id, event.channel, event.served_on) for event in lost} == {
        (notice_id, "mail", None) for notice_id in carried
    }
    assert len(lost) == len(carried)
    (entry,) = await papers_of(office, respondent)
    await deciding.record_paper(office.kit, entry.paper_id, deciding.PaperAct.POSTED, None, "EMS1", caller(Role.CLERK))
    assert await order(office) == [("Sent", "mail"), ("Unserved", "mail"), ("Sent", "paper")]


async def test_a_mail_that_never_left_loses_no_sending(office: Office) -> None:
    await office.file(person(APPLICANT, 1, email=False), person(RESPONDENT, 2))
    await see(office, await office.delivery("mail"), Seen.UNKNOWN)
    await see(office, await office.delivery("mail"), Seen.RULED_NOT_ARRIVED)
    assert await told(office.kit, NoticeSent, NoticeUnserved) == []


async def test_another_evidence_that_stands_moves_the_day_and_loses_nothing(office: Office) -> None:
    respondent = await mailed(office)
    office.kit.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    notice = await execution_notice(office)
    await opened(office.kit, respondent, notice.notice_id)
    await see(office, await office.delivery("mail"), Seen.BOUNCED)
    assert await order(office) == [("Sent", "mail"), ("Served", "mail"), ("Served", "reading")]
    assert (await told(office.kit, NoticeServed))[-1].served_on == date(2026, 11, 24)


async def late_word(office: Office) -> tuple[Any, MailServer]:
    """The first attempt got through after all: the second, planned by then, need not leave."""
    server = MailServer(Unknown("中断。"))
    await mailed(office, server)
    first = await office.delivery("mail")
    await office.hasten()
    await sending.resend_mails(office.kit)
    await see(office, first, Seen.SENT)
    assert (await office.delivery("mail")).step == "done"
    return first, server


async def test_a_mail_that_bounces_after_its_repeat_was_dropped_goes_on_paper(office: Office) -> None:
    first, _ = await late_word(office)
    await see(office, first, Seen.BOUNCED)
    assert len(await office.rows(tables.paper)) == 2, "the applicant's, and the letters that came back"
    assert await order(office) == [("Sent", "mail"), ("Served", "mail"), ("Unserved", "mail")]


async def test_a_mail_that_bounces_for_now_after_its_repeat_was_dropped_leaves_again(office: Office) -> None:
    first, server = await late_word(office)
    await see(office, first, Seen.BOUNCED, permanent=False)
    assert (await office.delivery("mail")).attempt == 3
    await office.hasten()
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    assert (await order(office))[2:] == [("Unserved", "mail"), ("Sent", "mail"), ("Served", "mail")]
    assert len(await office.rows(tables.paper)) == 1


async def test_a_late_word_that_a_bounced_mail_left_sends_nothing(office: Office) -> None:
    await mailed(office)
    mail = await office.delivery("mail")
    await see(office, mail, Seen.BOUNCED)
    await see(office, mail, Seen.SENT)
    assert await order(office) == [("Sent", "mail"), ("Served", "mail"), ("Unserved", "mail")]
    assert (await execution_notice(office)).lapsed_at == NOON


async def test_letters_that_the_post_has_already_stay_sent_and_go_only_once(office: Office) -> None:
    server = MailServer(Unknown("中断。"), Unknown("中断。"))
    respondent = await mailed(office, server)
    first = await office.delivery("mail")
    await office.hasten()
    await sending.resend_mails(office.kit)
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    me, ruling = caller(Role.CLERK), deciding.Ruling.ON_PAPER
    await deciding.rule(office.kit, (await office.delivery("mail")).delivery_id, ruling, "无法查明", me)
    (entry,) = await papers_of(office, respondent)
    await deciding.record_paper(office.kit, entry.paper_id, deciding.PaperAct.POSTED, None, "EMS1", me)
    office.kit.clock.move(timedelta(days=1))  # type: ignore[attr-defined]
    await see(office, first, Seen.SENT)
    await see(office, first, Seen.BOUNCED)
    ways = [("Sent", "paper"), ("Served", "mail"), ("Unserved", "mail"), ("Sent", "paper")]
    assert await order(office) == ways
    assert {event.sent_at for event in await told(office.kit, NoticeSent)} == {NOON}, "since the post has them"
    assert [row.state for row in await papers_of(office, respondent)] == ["posted"]


async def test_a_retry_after_an_attempt_that_never_left_has_the_next_number(office: Office) -> None:
    await mailed(office, MailServer(NotLeft("未连接。")))
    assert (await office.delivery("mail")).attempt == 2
