"""An SMS about what was mailed: it follows its mail, is true without it after ten minutes, and is taken back."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from services.party_notification.channels.outcome import NotLeft, Refused, Scope
from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.sms import segments
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import sending
from services.party_notification.usecases.addresses import mark_ends
from services.party_notification.usecases.checking import check_notice
from services.party_notification.usecases.facts import query_code_of
from services.party_notification.usecases.observing import Sighting, note
from shared.contracts.cases import Officer, PartyChanged, PartyIdentity
from shared.contracts.envelope import Sealed
from shared.contracts.notices import DeliveryTroubled
from shared.db.transaction import new_id
from shared.errors import Invalid, TooMany
from shared.runtime.service import Kit
from tests.fixtures.case_story import settled
from tests.fixtures.kits import KEYRING, Feeder, told
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


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


CONFIRMED = "已发至您确认的电子送达地址"


async def texts(office: Office) -> list[str]:
    """Every SMS of the case that was handed to the carrier, as it reads."""
    gone = {row.message_id for row in await office.rows(tables.deliveries) if row.state in {"sent", "delivered"}}
    rows = [row for row in await office.rows(tables.messages) if row.channel == "sms" and row.message_id in gone]
    return [KEYRING.open(row.content, str(row.message_id)) for row in sorted(rows, key=lambda row: row.message_id)]


async def sms_now(office: Office, carrier: Carrier) -> None:
    await sending.register_templates(office.kit, carrier)  # type: ignore[arg-type]
    while await sending.send_sms_batch(office.kit, carrier):  # type: ignore[arg-type]
        pass


async def bounce(office: Office) -> None:
    mail = await office.delivery("mail")
    async with office.kit.db.begin() as tx:
        await note(office.kit, tx, mail.delivery_id, Sighting(Seen.BOUNCED, detail="退信。"))


async def test_it_leaves_once_the_mail_is_taken_and_says_so(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False, email=False))
    carrier, server = Carrier(), MailServer()
    await sms_now(office, carrier)
    assert await texts(office) == []
    await send_all(office, carrier, server)
    (text,) = await texts(office)
    assert CONFIRMED in text


async def test_after_ten_minutes_it_leaves_in_words_that_are_true_without_the_mail(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False, email=False))
    delivery = await office.delivery("sms")
    assert delivery.due_at - delivery.planned_at <= timedelta(minutes=10, seconds=5)
    await office.hasten()
    await sms_now(office, Carrier())
    (text,) = await texts(office)
    assert "请登录查看" in text
    assert "邮箱" not in text
    assert CONFIRMED not in text
    server = MailServer()
    await send_all(office, Carrier(), server)
    await bounce(office)
    await sms_now(office, Carrier())
    assert await texts(office) == [text], "it had said nothing that is to be taken back"


async def test_a_mail_that_never_left_is_not_told_of(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False, email=False))
    await send_all(office, Carrier(), MailServer(NotLeft("连接被拒绝。")))
    assert await texts(office) == [], "the mail is tried again, and the SMS waits for it"


async def test_a_refused_mail_lets_the_sms_go_at_once_without_it(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False, email=False))
    await send_all(office, Carrier(), MailServer(Refused("550", "无此邮箱。", Scope.RECIPIENT)))
    (text,) = await texts(office)
    assert "请登录查看" in text
    assert CONFIRMED not in text


async def test_what_turned_out_false_is_taken_back_once(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False, email=False))
    carrier = Carrier()
    await send_all(office, carrier, MailServer())
    for _ in range(2):
        await bounce(office)
        await sms_now(office, carrier)
    said, taken_back = await texts(office)
    assert CONFIRMED in said
    assert taken_back.startswith("【重庆五中院】更正：")
    for needed in ("未能送达", "纸质方式", "12368", "请联系承办人"):
        assert needed in taken_back


async def test_a_number_changed_after_the_mail_was_taken_is_told_so(office: Office) -> None:
    applicant = person(APPLICANT, 1)
    await office.file(applicant, person(RESPONDENT, 2, phone=False, email=False))
    while await sending.send_mails(office.kit, MailServer()):  # type: ignore[arg-type]
        pass
    identity = KEYRING.open_model(PartyIdentity, applicant.identity, str(applicant.party_id))
    moved = identity.model_copy(update={"phone": "19900007777"})
    sealed = Sealed(KEYRING.seal_model(moved, str(applicant.party_id)))
    party = applicant.model_copy(update={"identity": sealed})
    await office.feeder.feed(PartyChanged(case_id=office.case_id, party=party))
    await sms_now(office, Carrier())
    (text,) = await texts(office)
    assert CONFIRMED in text


@pytest.mark.parametrize("name", ["𠮷𡈽", "𠮷𡈽𠀋𠮷", "阿卜杜拉·买买提"])
async def test_a_judge_with_a_long_or_rare_name_rolls_nothing_back(office: Office, name: str) -> None:
    named = office.assigned().model_copy(update={"judge": Officer(staff_id=new_id(), name=name, phone="023-12345701")})
    office.assigned = lambda **_: named  # type: ignore[method-assign]
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    assert await office.kinds() == FULL
    await send_all(office, Carrier(), MailServer())
    assert all(segments(text) <= 2 for text in await texts(office))
    assert len(await texts(office)) == 2


async def test_a_text_that_fits_nowhere_waits_with_a_reason_and_the_letters_go(office: Office) -> None:
    office.kit = replace(office.kit, court=office.kit.court.model_copy(update={"site_name": "站" * 200}))
    longest = office.assigned().model_copy(update={"judge": Officer(staff_id=new_id(), name="周", phone="0" * 120)})
    office.assigned = lambda **_: longest  # type: ignore[method-assign]
    office.feeder = Feeder(SERVICE, office.kit)
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    assert await office.rows(tables.messages) == [], "such a number is no landline: the notices wait"
    court = office.kit.court.model_copy(update={"short_name": "院" * 130})
    office.kit = replace(office.kit, court=court)
    office.feeder = Feeder(SERVICE, office.kit)
    del office.assigned
    office.case_id, office.serial = new_id(), 5002
    await office.file(person(APPLICANT, 3), person(RESPONDENT, 4, phone=False))
    rows = await office.rows(tables.deliveries)
    failed = [row for row in rows if row.channel == "sms"]
    assert [(row.state, row.step) for row in failed] == [("failed", "done")]
    assert "其他方式" in failed[0].reason
    assert len([row for row in rows if row.channel == "mail" and row.state == "planned"]) == 2
    assert {each.kind for each in await told(office.kit, DeliveryTroubled)} == {
        "CASE_ACCEPTED", "RIGHTS_RISKS", "INTEGRITY_CARD",
    }  # fmt: skip


async def test_an_sms_is_checked_by_its_code_and_the_end_of_the_telephone(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    (party,) = [row for row in await office.rows(tables.parties) if row.role == "applicant"]
    code = query_code_of(KEYRING, party)
    await settled(office.kit)
    found = await check_notice(office.kit, code.lower(), "0001")
    assert {each.title for each in found} == {"受理通知书", "权利义务及执行风险告知书", "廉政监督卡"}
    for wrong in ("0002", "9999", ""):
        with pytest.raises(Invalid):
            await check_notice(office.kit, code, wrong)
    assert len(await check_notice(office.kit, found[0].number, "0001")) == 1


async def test_wrong_ends_of_a_code_are_counted_and_lock_it(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    (party,) = [row for row in await office.rows(tables.parties) if row.role == "applicant"]
    code = query_code_of(KEYRING, party)
    await settled(office.kit)
    for _ in range(5):
        with pytest.raises(Invalid):
            await check_notice(office.kit, code, "9999")
    with pytest.raises(TooMany):
        await check_notice(office.kit, code, "0001")


async def test_what_an_older_release_sent_can_be_checked_after_the_upgrade(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    async with office.kit.db.begin() as tx:
        await tx.conn.execute(update(tables.addresses).values(end_index=None))
    while await mark_ends(office.kit):
        pass
    await settled(office.kit)
    (party,) = [row for row in await office.rows(tables.parties) if row.role == "applicant"]
    found = await check_notice(office.kit, query_code_of(KEYRING, party), "0001")
    assert len(found) == 3
    assert len(await check_notice(office.kit, found[0].number, "0001")) == 1
