"""Who is owed what, and the delivery machine, on a real database; the channels' answers are scripted."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, select, update

from services.party_notification.channels.outcome import NotLeft, Outcome, Refused, Scope, Sent, Throttled, Unknown
from services.party_notification.channels.sms import DetailStatus, SendDetail, SmsBatch, TemplateState
from services.party_notification.domain.delivery import Seen
from services.party_notification.service import SERVICE
from services.party_notification.store import tables
from services.party_notification.usecases import deciding, evidence, overview, paperwork, receipts, reconciling, sending
from services.party_notification.usecases.observing import Sighting, note
from shared.contracts.cases import (
    AssignmentRule,
    CaseAssigned,
    CaseCorrected,
    CaseFacts,
    CaseFiled,
    IdKind,
    Officer,
    PartyAdded,
    PartyChanged,
    PartyFacts,
    PartyIdentity,
    PartyRole,
)
from shared.contracts.envelope import Sealed
from shared.contracts.notices import DeliveryTroubled, NoticeIssued, NoticeSent, NoticeServed, NoticeWaits
from shared.contracts.operations import TroubleReported
from shared.contracts.stages import ProgressPublished
from shared.db.lists import Part
from shared.db.transaction import new_id
from shared.errors import Conflict, Forbidden, Invalid, TooLarge
from shared.powers import Role
from shared.runtime.service import Kit
from tests.fixtures.kits import KEYRING, NOON, Feeder, caller, told


def person(role: PartyRole, number: int, *, email: bool = True, phone: bool = True) -> PartyFacts:
    party_id = new_id()
    identity = PartyIdentity(
        name=f"当事人{number}",
        id_kind=IdKind.RESIDENT,
        id_number="510212199101060000",
        phone=f"1990000{number:04d}" if phone else None,
        email=f"p{number}@example.com" if email else None,
        postal_address="重庆市渝中区测试路1号",
    )
    return PartyFacts(
        party_id=party_id,
        role=role,
        consents=email,
        address_confirmed_on=date(2026, 11, 1) if email else None,
        identity=Sealed(KEYRING.seal_model(identity, str(party_id))),
    )


class Office:
    """party_notification with a case at hand."""

    def __init__(self, kit: Kit[Any]) -> None:
        self.kit = kit
        self.feeder = Feeder(SERVICE, kit)
        self.case_id = new_id()
        self.serial = 5001

    def facts(self, obligation: str | None = "支付人民币100.00元") -> CaseFacts:
        sealed = None if obligation is None else Sealed(KEYRING.seal(obligation, str(self.case_id)))
        return CaseFacts(
            case_number=f"（2026）渝05执{self.serial}号",
            filed_on=date(2026, 11, 20),
            basis_document="（2025）渝05民终1号",
            basis_maker="重庆市第五中级人民法院",
            cause="买卖合同纠纷",
            claim_amount=Decimal("100.00"),
            obligation=sealed,
        )

    async def file(
        self, *parties: PartyFacts, obligation: str | None = "支付人民币100.00元", silent: bool = False
    ) -> None:
        filed = CaseFiled(case_id=self.case_id, facts=self.facts(obligation), parties=parties, silent=silent)
        await self.feeder.feed(filed, self.assigned(silent=silent))

    def assigned(self, *, silent: bool = False) -> CaseAssigned:
        return CaseAssigned(
            case_id=self.case_id,
            judge=Officer(staff_id=new_id(), name="甲法官", phone="023-12345701"),
            clerk_name="乙书记员",
            panel="执行一合议庭",
            department="执行局",
            rule=AssignmentRule.FEWEST_OPEN_CASES,
            assigned_by=new_id(),
            assigned_at=NOON,
            silent=silent,
        )

    async def rows(self, table: Any) -> list[Any]:
        async with self.kit.db.read() as conn:
            return list(await conn.execute(select(table)))

    async def kinds(self, state: str = "issued") -> list[str]:
        return sorted(row.kind for row in await self.rows(tables.notices) if row.state == state)

    async def delivery(self, channel: str) -> Any:
        rows = [row for row in await self.rows(tables.deliveries) if row.channel == channel]
        return max(rows, key=lambda row: row.attempt)

    async def hasten(self) -> None:
        """Whatever waits for a time is due now."""
        async with self.kit.db.begin() as tx:
            due = update(tables.deliveries).where(tables.deliveries.c.due_at.is_not(None))
            await tx.conn.execute(due.values(due_at=func.clock_timestamp()))


@pytest.fixture
def office(kit: Kit[Any]) -> Office:
    return Office(kit)


class Carrier:
    """A carrier that answers as told."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.batches: list[SmsBatch] = []
        self.details: list[SendDetail] = []

    async def send_batch(self, batch: SmsBatch) -> Sequence[Outcome]:
        self.batches.append(batch)
        return [self.outcomes.pop(0) if self.outcomes else Sent("biz") for _ in batch.items]

    async def query(self, _number: str, _day: date, _biz_id: str | None = None) -> Sequence[SendDetail]:
        return self.details

    async def register_template(self, _name: str, _content: str, _rules: Any = None) -> str:
        return "SMS_1"

    async def template_state(self, _code: str) -> TemplateState:
        return TemplateState.APPROVED


class MailServer:
    """A mail server that answers as told."""

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.envelopes: list[Any] = []

    async def send(self, envelope: Any) -> Outcome:
        self.envelopes.append(envelope)
        return self.outcomes.pop(0) if self.outcomes else Sent("250 ok")


APPLICANT, RESPONDENT = PartyRole.APPLICANT, PartyRole.RESPONDENT
FULL = ["CASE_ACCEPTED", "ENFORCEMENT_NOTICE", "INTEGRITY_CARD", "INTEGRITY_CARD", "RIGHTS_RISKS", "RIGHTS_RISKS"]


async def test_the_assignment_tells_each_party_once_with_all_that_is_due(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    assert await office.kinds() == FULL
    assert sorted((row.channel) for row in await office.rows(tables.messages)) == ["mail", "sms", "sms"]
    (paper,) = await office.rows(tables.paper)
    assert paper.state == "to_print"
    assert len(await told(office.kit, NoticeIssued)) == 6


async def test_an_incomplete_case_tells_nobody_until_it_is_complete_and_then_everybody(office: Office) -> None:
    await office.file(person(APPLICANT, 1))
    assert await office.rows(tables.notices) == []
    await office.feeder.feed(PartyAdded(case_id=office.case_id, party=person(RESPONDENT, 2)))
    assert await office.kinds() == FULL


async def test_a_party_added_later_is_told_alone(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    before = len(await office.rows(tables.messages))
    await office.feeder.feed(PartyAdded(case_id=office.case_id, party=person(RESPONDENT, 3)))
    assert len(await office.rows(tables.messages)) == before + 2
    assert len(await office.rows(tables.notices)) == 9


async def test_a_missing_field_holds_back_only_the_notice_that_needs_it(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2), obligation=None)
    assert await office.kinds("waiting") == ["ENFORCEMENT_NOTICE"]
    assert len(await office.kinds()) == 5
    (waits,) = await told(office.kit, NoticeWaits)
    assert "应履行义务" in waits.reason
    assert waits.owner == "clerk"
    await office.feeder.feed(CaseCorrected(case_id=office.case_id, facts=office.facts("交付房屋")))
    assert await office.kinds() == FULL
    assert len(await office.rows(tables.messages)) == 6


async def test_an_old_stock_is_carried_over_in_silence_but_later_parties_are_told(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2), silent=True)
    await office.feeder.feed(CaseCorrected(case_id=office.case_id, facts=office.facts("交付房屋")))
    assert await office.rows(tables.notices) == []
    await office.feeder.feed(PartyAdded(case_id=office.case_id, party=person(RESPONDENT, 3)))
    assert len(await office.rows(tables.notices)) == 3


async def test_progress_goes_to_its_audience_only(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    published = ProgressPublished(
        case_id=office.case_id,
        entry=4,
        at=NOON,
        title="财产查询",
        text=Sealed(KEYRING.seal("已完成银行查询。", str(office.case_id))),
        audience=(APPLICANT,),
        notify=True,
    )
    await office.feeder.feed(published)
    notices = [row for row in await office.rows(tables.notices) if row.kind == "PROGRESS"]
    assert [row.role for row in notices] == ["applicant"]


async def send_all(office: Office, carrier: Carrier, server: MailServer) -> None:
    """Mails first: what an SMS says of one, it says once the server has it."""
    await sending.register_templates(office.kit, carrier)  # type: ignore[arg-type]
    while await sending.send_mails(office.kit, server):  # type: ignore[arg-type]
        pass
    while await sending.send_sms_batch(office.kit, carrier):  # type: ignore[arg-type]
        pass


async def test_mail_serves_on_its_day_and_sms_never_does(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    await send_all(office, Carrier(), MailServer())
    served = {row.role: row.served_on for row in await office.rows(tables.notices)}
    assert served == {"applicant": date(2026, 11, 23), "respondent": None}
    assert {event.role for event in await told(office.kit, NoticeSent)} == {"applicant"}
    assert {event.channel for event in await told(office.kit, NoticeServed)} == {"mail"}


async def test_an_intent_is_committed_before_the_send_and_a_batch_holds_no_number_twice(office: Office) -> None:
    twin = person(RESPONDENT, 1, email=False)
    await office.file(person(APPLICANT, 1, email=False), twin)
    seen: list[int] = []

    class Watching(Carrier):
        async def send_batch(self, batch: SmsBatch) -> Sequence[Outcome]:
            rows = [row for row in await office.rows(tables.observations) if row.seen == "intent"]
            seen.append(len(rows))
            assert len({item.number for item in batch.items}) == len(batch.items)
            return await super().send_batch(batch)

    await send_all(office, Watching(), MailServer())
    assert seen == [1, 2]


@pytest.mark.parametrize(
    ("outcome", "state", "step"),
    [
        (Sent("biz"), "sent", "reconcile"),
        (NotLeft("未连接。"), "failed", "done"),
        (Throttled("流控。", 1.0), "failed", "done"),
        (Refused("isv.MOBILE_NUMBER_ILLEGAL", "号码错误。", Scope.RECIPIENT), "failed", "done"),
        (Unknown("无答复。"), "unknown", "reconcile"),
    ],
)
async def test_each_outcome_of_an_sms_has_its_state_and_step(
    office: Office, outcome: Outcome, state: str, step: str
) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    await send_all(office, Carrier(outcome), MailServer())
    rows = sorted((r for r in await office.rows(tables.deliveries) if r.channel == "sms"), key=lambda r: r.attempt)
    assert (rows[0].state, rows[0].step) == (state, step)
    retried = isinstance(outcome, NotLeft | Throttled)
    assert len(rows) == (2 if retried else 1)


async def test_an_sms_of_unknown_fate_is_asked_after_and_then_goes_to_a_person(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    carrier = Carrier(Unknown("无答复。"))
    await send_all(office, carrier, MailServer())
    for _ in range(office.kit.settings.policy.max_queries):
        await office.hasten()
        assert await reconciling.reconcile_sms(office.kit, carrier)  # type: ignore[arg-type]
    row = await office.delivery("sms")
    assert (row.state, row.step) == ("unknown", "person")
    assert {event.trouble for event in await told(office.kit, DeliveryTroubled)} == {"unknown"}
    (listed,) = (await overview.for_person(office.kit, caller(Role.CLERK))).unknown
    assert listed.address == "199****0001"
    own = replace(caller(Role.CLERK), name="乙书记员")
    with pytest.raises(Forbidden, match="own_case"):
        await deciding.rule(office.kit, row.delivery_id, deciding.Ruling.ARRIVED, "已送到", own)
    await deciding.rule(office.kit, row.delivery_id, deciding.Ruling.SEND_AGAIN, "已电话核实未收到", own)
    assert (await office.delivery("sms")).attempt == 2
    with pytest.raises(Conflict):
        await deciding.rule(office.kit, row.delivery_id, deciding.Ruling.ARRIVED, "重复", caller(Role.CLERK))


async def test_the_carriers_record_settles_an_unknown_sms(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    carrier = Carrier(Unknown("无答复。"))
    await send_all(office, carrier, MailServer())
    row = await office.delivery("sms")
    carrier.details = [SendDetail("19900000001", DetailStatus.DELIVERED, "", row.out_id, "", NOON, NOON)]
    await office.hasten()
    await reconciling.reconcile_sms(office.kit, carrier)  # type: ignore[arg-type]
    assert (await office.delivery("sms")).state == "delivered"


async def test_a_mail_of_unknown_fate_goes_once_more_with_the_same_id_and_is_listed(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    server = MailServer(Unknown("中断。"), Sent("250"))
    await send_all(office, Carrier(), server)
    assert (await office.delivery("mail")).step == "resend"
    await office.hasten()
    await sending.resend_mails(office.kit)
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    first, second = server.envelopes
    assert first.message_id == second.message_id
    assert first.raw == second.raw
    assert len((await overview.for_person(office.kit, caller(Role.CLERK))).possibly_twice) == 1
    assert (await office.delivery("mail")).state == "sent"


async def test_a_mail_unknown_twice_goes_to_a_person(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    server = MailServer(Unknown("中断。"), Unknown("中断。"))
    await send_all(office, Carrier(), server)
    await office.hasten()
    await sending.resend_mails(office.kit)
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    assert (await office.delivery("mail")).step == "person"


async def test_a_refused_mail_goes_on_paper_at_once_and_the_letter_says_so(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    server = MailServer(Refused("550", "无此邮箱。", Scope.RECIPIENT))
    await send_all(office, Carrier(), server)
    assert len(await office.rows(tables.paper)) == 2
    assert {event.trouble for event in await told(office.kit, DeliveryTroubled)} == {"failed"}
    (entry,) = [row for row in await office.rows(tables.paper) if "电子邮件" in row.reason]
    document = await paperwork.print_document(office.kit, entry.paper_id, caller(Role.CLERK))
    assert "您确认的电子送达地址" not in document
    assert "邮寄" in document


async def test_a_lease_that_ran_out_counts_as_unknown_and_a_late_outcome_is_folded_in(office: Office) -> None:
    await office.file(person(APPLICANT, 1, email=False), person(RESPONDENT, 2, phone=False))
    await sending.register_templates(office.kit, Carrier())  # type: ignore[arg-type]

    class Dying(Carrier):
        async def send_batch(self, batch: SmsBatch) -> Sequence[Outcome]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await sending.send_sms_batch(office.kit, Dying())  # type: ignore[arg-type]
    assert not await sending.expire_intents(office.kit)
    await office.hasten()
    assert await sending.expire_intents(office.kit)
    row = await office.delivery("sms")
    assert (row.state, row.step) == ("unknown", "reconcile")
    async with office.kit.db.begin() as tx:
        await note(office.kit, tx, row.delivery_id, Sighting(Seen.SENT, provider_id="biz", epoch=1))
    assert (await office.delivery("sms")).state == "sent"


async def take(office: "Office", body: bytes) -> int:
    """The carrier posts receipts, and they are folded in."""
    taken = await receipts.take_receipts(office.kit, "aliyun", receipts.receipt_secret(office.kit), body)
    while await receipts.fold_post(office.kit):
        pass
    return taken


def receipt(number: str, *, success: bool = True, biz: str = "biz") -> bytes:
    entry = {
        "phone_number": number,
        "send_time": "2026-11-23 12:00:00",
        "report_time": "2026-11-23 12:00:05",
        "success": success,
        "err_code": "DELIVERED" if success else "MK:0001",
        "err_msg": "",
        "sms_size": "2",
        "biz_id": biz,
        "out_id": "",
    }
    return json.dumps([entry]).encode()


async def test_receipts_converge_in_any_order_and_repetition(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    # The receipt overtakes the carrier's own answer, and comes twice.
    for _ in range(2):
        assert await take(office, receipt("19900000001")) == 1
    assert len(await office.rows(tables.receipts)) == 1
    await send_all(office, Carrier(Sent("biz")), MailServer())
    assert (await office.delivery("sms")).state == "delivered"


async def test_a_failure_after_delivery_reopens(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    await send_all(office, Carrier(Sent("biz")), MailServer())
    await take(office, receipt("19900000001"))
    await take(office, receipt("19900000001", success=False))
    assert (await office.delivery("sms")).state == "failed"


async def test_a_bounced_mail_takes_the_service_back(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    await send_all(office, Carrier(), MailServer())
    row = await office.delivery("mail")
    async with office.kit.db.begin() as tx:
        await note(office.kit, tx, row.delivery_id, Sighting(Seen.BOUNCED, detail="退信。"))
    applicant = [n for n in await office.rows(tables.notices) if n.role == "applicant"]
    assert {n.served_on for n in applicant} == {None}
    assert len(await office.rows(tables.paper)) == 2


async def test_paper_serves_on_the_day_of_its_delivery(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    (paper,) = await office.rows(tables.paper)
    me, act = caller(Role.CLERK), deciding.PaperAct
    await deciding.record_paper(office.kit, paper.paper_id, act.POSTED, None, "EMS123", me)
    day = NOON.date()
    with pytest.raises(Invalid, match="invalid"):
        await deciding.record_paper(office.kit, paper.paper_id, act.SERVED, day - timedelta(days=1), None, me)
    await deciding.record_paper(office.kit, paper.paper_id, act.SERVED, day, None, me)
    respondent = [n for n in await office.rows(tables.notices) if n.role == "respondent"]
    assert {(n.served_on, n.served_by) for n in respondent} == {(day, "paper")}


async def test_the_evidence_holds_and_any_change_breaks_it(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    await send_all(office, Carrier(), MailServer())
    notice = next(row for row in await office.rows(tables.notices) if row.kind == "CASE_ACCEPTED")
    bundle = await evidence.bundle(office.kit, UUID(str(notice.notice_id)), caller(Role.CLERK))
    raw = json.dumps(bundle)
    assert evidence.faults_of_bundle(raw.encode(), office.kit.signing.keys) == []
    for old, new in (('\\"attempt\\": 1', '\\"attempt\\": 2'), ("sent", "Sent"), (bundle["signature"][:8], "AAAAAAAA")):
        assert evidence.faults_of_bundle(raw.replace(old, new, 1).encode(), None) != []
    assert evidence.faults_of_bundle(b"{}", None) != []


async def test_a_faulty_receipt_beside_a_good_one_is_kept_and_told(office: Office) -> None:
    entries = json.loads(receipt("19900000001"))
    body = json.dumps([{**entries[0], "success": "yes"}, *entries, 7]).encode()
    for _ in range(2):
        assert await take(office, body) == 1
    assert len(await office.rows(tables.receipts)) == 1
    kept, _ = await receipts.faulty(office.kit, Part())
    assert sorted(each.fault for each in kept) == ["success：应为 true 或 false。", "回执应为 JSON 对象。"]
    (trouble,) = await told(office.kit, TroubleReported)
    assert "19900000001" not in trouble.summary
    assert all("19900000001" not in str(row) for row in await office.rows(tables.faulty_receipts))


async def test_more_than_a_thousand_receipts_in_one_post_are_refused_whole(office: Office) -> None:
    secret = receipts.receipt_secret(office.kit)
    entries = json.loads(receipt("19900000001"))
    with pytest.raises(TooLarge):
        await receipts.take_receipts(office.kit, "aliyun", secret, json.dumps(entries * 1001).encode())
    assert await office.rows(tables.receipts) == []
    assert await take(office, json.dumps(entries * 1000).encode()) == 1000
    assert len(await office.rows(tables.receipts)) == 1


async def test_a_receipt_of_somebody_elses_message_touches_nothing_that_has_not_left(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2))
    foreign = json.loads(receipt("19900000001", biz="somebody-elses"))
    foreign[0].pop("out_id")
    assert await take(office, json.dumps(foreign).encode()) == 1
    carrier = Carrier()
    await send_all(office, carrier, MailServer())
    sent = {item.number for batch in carrier.batches for item in batch.items}
    assert sent == {"19900000001", "19900000002"}


async def test_what_a_party_changes_later_does_not_undo_what_was_served(office: Office) -> None:
    applicant = person(APPLICANT, 1)
    await office.file(applicant, person(RESPONDENT, 2))
    await send_all(office, Carrier(), MailServer())
    withdrawn = applicant.model_copy(update={"consents": False, "address_confirmed_on": None})
    await office.feeder.feed(PartyChanged(case_id=office.case_id, party=withdrawn))
    row = await office.delivery("mail")
    async with office.kit.db.begin() as tx:
        await note(office.kit, tx, row.delivery_id, Sighting(Seen.SENT))
    served = {n.served_on for n in await office.rows(tables.notices) if n.role == "applicant"}
    assert served == {date(2026, 11, 23)}


async def test_a_contact_corrected_before_the_send_is_the_one_that_is_written_to(office: Office) -> None:
    applicant = person(APPLICANT, 1)
    await office.file(applicant, person(RESPONDENT, 2))
    identity = KEYRING.open_model(PartyIdentity, applicant.identity, str(applicant.party_id))
    right = identity.model_copy(update={"phone": "19988887777", "email": None})
    sealed = Sealed(KEYRING.seal_model(right, str(applicant.party_id)))
    corrected = applicant.model_copy(update={"identity": sealed, "consents": False})
    await office.feeder.feed(PartyChanged(case_id=office.case_id, party=corrected))
    carrier, server = Carrier(), MailServer()
    await send_all(office, carrier, server)
    assert {item.number for batch in carrier.batches for item in batch.items} == {"19988887777", "19900000002"}
    assert {envelope.recipient for envelope in server.envelopes} == {"p2@example.com"}
    assert [row.party_id for row in await office.rows(tables.paper)] == [applicant.party_id]


async def test_progress_of_an_incomplete_case_is_told_once_it_is_complete(office: Office) -> None:
    await office.file(person(APPLICANT, 1))
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
    assert await office.kinds() == []
    office.kit.clock.move(timedelta(hours=1))  # type: ignore[attr-defined]
    await office.feeder.feed(PartyAdded(case_id=office.case_id, party=person(RESPONDENT, 2)))
    told_of = [row.role for row in await office.rows(tables.notices) if row.kind == "PROGRESS"]
    assert told_of == ["applicant"]


async def test_an_unknown_sms_reaches_a_person_even_if_the_carrier_answers_no_queries(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))

    class Mute(Carrier):
        async def query(self, _number: str, _day: date, _biz_id: str | None = None) -> Sequence[SendDetail]:
            raise Conflict("sms_provider_refused", "没有查询权限。")

    carrier = Mute(Unknown("无答复。"))
    await send_all(office, carrier, MailServer())
    async with office.kit.db.begin() as tx:
        seen = update(tables.observations).where(tables.observations.c.seen == "intent")
        await tx.conn.execute(seen.values(noted_at=func.clock_timestamp() - timedelta(days=1)))
    await office.hasten()
    await reconciling.reconcile_sms(office.kit, carrier)  # type: ignore[arg-type]
    assert (await office.delivery("sms")).step == "person"


async def test_a_repeat_that_is_no_longer_needed_does_not_leave(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, email=False))
    server = MailServer(Unknown("中断。"))
    await send_all(office, Carrier(), server)
    first = await office.delivery("mail")
    await office.hasten()
    await sending.resend_mails(office.kit)
    async with office.kit.db.begin() as tx:
        await note(office.kit, tx, first.delivery_id, Sighting(Seen.SENT, epoch=1))
    await sending.send_mails(office.kit, server)  # type: ignore[arg-type]
    assert len(server.envelopes) == 1


async def test_the_wait_that_the_carrier_asks_for_is_kept(office: Office) -> None:
    await office.file(person(APPLICANT, 1), person(RESPONDENT, 2, phone=False))
    await send_all(office, Carrier(Throttled("日限。", 3600.0)), MailServer())
    rows = sorted((r for r in await office.rows(tables.deliveries) if r.channel == "sms"), key=lambda r: r.attempt)
    assert rows[1].due_at - rows[0].planned_at > timedelta(minutes=55)
