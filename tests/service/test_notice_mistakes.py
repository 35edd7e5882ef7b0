"""Parties filed by mistake: who was told is told of the error, and nothing more goes out."""

from collections.abc import AsyncIterator
from email import message_from_bytes, policy
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from services.party_notification.channels.outcome import NotLeft, Refused, Scope, Sent, Unknown
from services.party_notification.domain.delivery import Seen
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import checking, deciding, overview, paperwork, sending
from services.party_notification.usecases.facts import query_code_of
from services.party_notification.usecases.issuing import settle_debts
from services.party_notification.usecases.observing import Sighting, note
from services.party_notification.usecases.visits import enter, visit
from shared.contracts.cases import (
    NoticesRecalled,
    PartyFacts,
    PartyMisfiled,
)
from shared.contracts.envelope import Sealed
from shared.contracts.notices import DeliveryTroubled, NoticeServed
from shared.contracts.stages import ProgressPublished
from shared.crypto.codes import grouped
from shared.db.lists import Part
from shared.db.transaction import new_id
from shared.errors import Conflict, Invalid, NotFound
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.case_story import settled
from tests.fixtures.kits import KEYRING, NOON, caller, client, told
from tests.service.test_notices import (
    APPLICANT,
    RESPONDENT,
    Carrier,
    MailServer,
    Office,
    person,
    receipt,
    send_all,
    take,
)

KIND = "MISFILED_CORRECTION"
NUMBER = "19900000002"
MAILBOX = "p2@example.com"


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


@pytest.fixture
async def web(office: Office) -> AsyncIterator[httpx.AsyncClient]:
    async with client(SERVICE, office.kit) as web:
        web.headers["accept"] = "text/html"
        yield web


async def misfile(office: Office, party: PartyFacts) -> None:
    await office.feeder.feed(PartyMisfiled(case_id=office.case_id, party_id=party.party_id, by=new_id()))


async def corrections(office: Office) -> list[Any]:
    return [row for row in await office.rows(tables.messages) if row.corrects]


def sms_to(carrier: Carrier, number: str) -> list[Any]:
    return [item for batch in carrier.batches for item in batch.items if item.number == number]


async def code_of(office: Office, party: PartyFacts) -> str:
    (row,) = [row for row in await office.rows(tables.parties) if row.party_id == party.party_id]
    return query_code_of(KEYRING, row)


async def test_who_was_told_wrongly_is_told_of_it_once_by_each_way(office: Office) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 3), wrong)
    carrier, server = Carrier(), MailServer()
    await send_all(office, carrier, server)
    numbers = {row.number for row in await office.rows(tables.notices) if row.party_id == wrong.party_id}
    await misfile(office, wrong)
    await misfile(office, wrong)
    assert sorted(row.channel for row in await corrections(office)) == ["mail", "sms"]
    await send_all(office, carrier, server)
    assert len(sms_to(carrier, NUMBER)) == 2
    (correction,) = [envelope for envelope in server.envelopes if envelope.recipient == MAILBOX][1:]
    mail = message_from_bytes(correction.raw, policy=policy.default)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    assert "您不是该案的当事人" in text
    assert "您现在不需要做什么" in text
    assert "12368" in text
    assert office.kit.court.supervision_phone in text
    for number in numbers:
        assert "-".join(number[at : at + 4] for at in range(0, 16, 4)) in text
    assert await code_of(office, wrong) not in text
    assert "当事人2" not in text
    (notice,) = [row for row in await office.rows(tables.notices) if row.kind == KIND]
    assert notice.sent_at is not None
    view = await overview.one(office.kit, notice.notice_id, caller(Role.CLERK))
    assert {delivery.state for delivery in view.deliveries} == {"sent"}


async def test_the_sms_of_a_correction_waits_for_its_template_and_says_all(office: Office) -> None:
    wrong = person(RESPONDENT, 2, email=False)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 3), wrong)
    carrier, server = Carrier(), MailServer()
    await send_all(office, carrier, server)
    await misfile(office, wrong)
    (message,) = await corrections(office)
    (template,) = [row for row in await office.rows(tables.sms_templates) if row.key == message.template_key]
    assert "渝05执" in template.body
    assert template.approved_at is None
    assert not await sending.send_sms_batch(office.kit, carrier)  # type: ignore[arg-type]
    await send_all(office, carrier, server)
    text = KEYRING.open(message.content, str(message.message_id))
    assert text.startswith("【重庆五中院】更正：此前就（2026）渝05执5001号案发给您的消息系误发")
    (notice,) = [row for row in await office.rows(tables.notices) if row.kind == KIND]
    assert notice.sent_at is not None, "of a correction the SMS says all"
    number = grouped(notice.number)
    assert sms_to(carrier, NUMBER)[-1].params == {"year": "2026", "serial": "5001", "number": number}
    assert number in text
    await settled(office.kit)
    (genuine,) = await checking.check_notice(office.kit, number, NUMBER[-4:])
    assert (genuine.title, genuine.withdrawn) == ("更正告知书", False)


async def test_nobody_who_was_not_told_is_told_of_an_error(office: Office) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 3), wrong)
    await misfile(office, wrong)
    carrier, server = Carrier(), MailServer()
    await send_all(office, carrier, server)
    assert sms_to(carrier, NUMBER) == []
    assert MAILBOX not in {envelope.recipient for envelope in server.envelopes}
    assert {row.state for row in await office.rows(tables.notices) if row.party_id == wrong.party_id} == {"withdrawn"}
    assert await corrections(office) == []


async def test_letters_not_posted_stay_and_posted_ones_are_corrected_on_paper(office: Office) -> None:
    first, second = person(RESPONDENT, 2, email=False, phone=False), person(RESPONDENT, 3, email=False, phone=False)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 4), first, second)
    papers = {row.party_id: row for row in await office.rows(tables.paper)}
    me, act = caller(Role.CLERK), deciding.PaperAct
    await deciding.record_paper(office.kit, papers[first.party_id].paper_id, act.POSTED, None, "EMS1", me)
    await misfile(office, first)
    await misfile(office, second)
    with pytest.raises(Conflict):
        await deciding.record_paper(office.kit, papers[second.party_id].paper_id, act.POSTED, None, "EMS2", me)
    [entry], _ = await paperwork.worklist(office.kit, caller(Role.CLERK), "to_print", "", Part())
    assert [sheet.title for sheet in entry.sheets] == ["更正告知书"]
    assert "您不是该案的当事人" in await paperwork.print_document(office.kit, entry.paper.paper_id, caller(Role.CLERK))
    await deciding.record_paper(office.kit, entry.paper.paper_id, act.POSTED, None, "EMS3", me)
    await deciding.record_paper(office.kit, papers[first.party_id].paper_id, act.RETURNED, None, None, me)
    with pytest.raises(Conflict, match="误登记"):
        await deciding.record_paper(office.kit, papers[first.party_id].paper_id, act.POSTED, None, "EMS4", me)


async def test_its_code_opens_the_case_no_longer(office: Office) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 3), wrong)
    code = await code_of(office, wrong)
    await settled(office.kit)
    visitor = await enter(office.kit, code, "060000")
    await misfile(office, wrong)
    with pytest.raises(Invalid):
        await enter(office.kit, code, "060000")
    with pytest.raises(NotFound):
        await visit(office.kit, visitor)


@pytest.mark.parametrize(
    ("outcome", "corrected"), [(Sent("250"), True), (Unknown("中断。"), True), (NotLeft("未连接。"), False)]
)
async def test_what_is_under_way_is_judged_by_what_becomes_of_it(office: Office, outcome: Any, corrected: bool) -> None:
    wrong = person(RESPONDENT, 2, phone=False)
    await office.file(person(APPLICANT, 1, email=False, phone=False), person(RESPONDENT, 3, email=False), wrong)

    class Slow(MailServer):
        async def send(self, envelope: Any) -> Any:
            if not self.envelopes:
                await misfile(office, wrong)
            return await super().send(envelope)

    server = Slow(outcome)
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    assert len(await corrections(office)) == int(corrected)
    await office.hasten()
    while await sending.resend_mails(office.kit):
        pass
    await office.hasten()
    while await sending.send_mails(office.kit, server):  # type: ignore[arg-type]
        pass
    assert len(server.envelopes) == 1 + int(corrected), "the letters themselves do not go again"


async def test_a_late_report_of_arrival_changes_nothing_for_a_misfiled_party(office: Office) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1, email=False), person(RESPONDENT, 3, email=False), wrong)
    carrier, server = Carrier(), MailServer(Unknown("中断。"))
    await send_all(office, carrier, server)
    row = await office.delivery("mail")
    await misfile(office, wrong)
    before = len(await corrections(office))
    async with office.kit.db.begin() as tx:
        await note(office.kit, tx, row.delivery_id, Sighting(Seen.SENT))
    assert await told(office.kit, NoticeServed) == []
    assert len(await corrections(office)) == before


async def test_a_correction_that_cannot_be_mailed_goes_to_a_person_not_on_paper(office: Office) -> None:
    wrong = person(RESPONDENT, 2, phone=False)
    await office.file(person(APPLICANT, 1, email=False), person(RESPONDENT, 3, email=False), wrong)
    server = MailServer(Sent("250"), Refused("550", "无此邮箱。", Scope.RECIPIENT))
    await send_all(office, Carrier(), server)
    await misfile(office, wrong)
    papers = len(await office.rows(tables.paper))
    await send_all(office, Carrier(), server)
    assert len(await office.rows(tables.paper)) == papers
    trouble = (await told(office.kit, DeliveryTroubled))[-1]
    assert (trouble.kind, trouble.trouble) == (KIND, "failed")
    assert "更正告知未能送达" in trouble.reason


async def test_a_correction_goes_whatever_is_recalled(office: Office) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 3), wrong)
    carrier, server = Carrier(), MailServer()
    await send_all(office, carrier, server)
    await office.feeder.feed(NoticesRecalled(case_id=office.case_id, by=new_id()))
    await misfile(office, wrong)
    await send_all(office, carrier, server)
    assert len(sms_to(carrier, NUMBER)) == 2


async def test_the_check_of_such_a_notice_says_that_nothing_follows(office: Office, web: httpx.AsyncClient) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 3), wrong)
    await send_all(office, Carrier(), MailServer())
    await misfile(office, wrong)
    notices = {row.kind: row for row in await office.rows(tables.notices) if row.party_id == wrong.party_id}
    await settled(office.kit)
    answer = await web.post("/verify", data={"number": notices["ENFORCEMENT_NOTICE"].number, "last_four": "0002"})
    assert "这份通知是本院误发的" in answer.text
    (genuine,) = await checking.check_notice(office.kit, notices[KIND].number, "0002")
    assert (genuine.title, genuine.withdrawn) == ("更正告知书", False)


async def test_a_notice_that_the_kind_of_case_does_not_owe_is_not_called_misfiled(office: Office) -> None:
    party = person(RESPONDENT, 2, email=False)
    await office.file(person(APPLICANT, 1, email=False), party)
    async with office.kit.db.begin() as tx:
        await tx.conn.execute(update(tables.cases).values(case_number="（2026）渝05执他5001号"))
        await settle_debts(office.kit, tx, office.case_id, new_id())
    rows = await office.rows(tables.notices)
    (notice,) = [row for row in rows if row.party_id == party.party_id and row.kind == "ENFORCEMENT_NOTICE"]
    async with client(SERVICE, office.kit, Role.CLERK) as web:
        one = (await web.get(f"/notices/{notice.notice_id}", headers={"accept": "text/html"})).text
        listed = (await web.get("/paper?state=withdrawn", headers={"accept": "text/html"})).text
    for page in (one, listed):
        assert "本案是其他执行案件，不适用这份文书" in page
        assert "不是本案当事人" not in page


async def test_a_case_left_without_a_side_tells_nobody_more(office: Office) -> None:
    wrong = person(RESPONDENT, 2)
    await office.file(person(APPLICANT, 1), wrong)
    await misfile(office, wrong)
    published = ProgressPublished(
        case_id=office.case_id,
        entry=4,
        at=NOON,
        title="执行工作进展",
        text=Sealed(KEYRING.seal("已完成银行查询。", str(office.case_id))),
        audience=(APPLICANT, RESPONDENT),
        notify=True,
    )
    await office.feeder.feed(published)
    assert "PROGRESS" not in await office.kinds()


async def test_receipts_of_withdrawn_messages_trouble_nobody(office: Office) -> None:
    wrong = person(RESPONDENT, 2, email=False)
    await office.file(person(APPLICANT, 1, email=False, phone=False), person(RESPONDENT, 3, phone=False), wrong)
    await send_all(office, Carrier(Sent("biz")), MailServer())
    await misfile(office, wrong)
    await take(office, receipt(NUMBER, success=False))
    assert await told(office.kit, DeliveryTroubled) == []
