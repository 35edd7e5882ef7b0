"""A party's contact changed before a message left: what has not left yet follows the new contact."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.next_step import Done
from services.party_notification.domain.notices import CaseFacts, Kind, NoticeFacts, way_of
from services.party_notification.store import cases, notices, prompting, sending
from services.party_notification.usecases.addresses import ids_of
from services.party_notification.usecases.facts import NotificationKit, case_facts, party_facts
from services.party_notification.usecases.letters import letter_bytes
from services.party_notification.usecases.observing import Sighting, note_all, send_on_paper
from services.party_notification.usecases.outgoing import Parcel, Written, put_all
from services.party_notification.usecases.planning import mail, prompt
from shared.clock import court_date
from shared.db.transaction import Transaction, new_id

_CHANGED = "联系方式在发出前已变更，改按新的联系方式发送。"


_NO_MAIL = "当事人变更了送达方式，改用纸质送达。"


@dataclass(frozen=True)
class Why:
    """Why a contact is written to no more: what stands with the delivery, and with the letters that go on paper."""

    withdrawn: str = _CHANGED
    on_paper: str = _NO_MAIL


async def follow_contacts(
    kit: NotificationKit, tx: Transaction, party_id: UUID, cause: UUID, why: Why | None = None
) -> None:
    """Withdraw what waits to go to an old number or address, and plan it anew for the new one, or on paper."""
    why = why or Why()
    row = await cases.get_party(tx.conn, party_id)
    waiting = await sending.not_left_yet(tx.conn, party_id)
    if row is None or not waiting:
        return
    party = party_facts(kit.keyring, row)
    addresses = {"sms": party.contact_phone, "mail": party.email if way_of(party).by_mail else None}
    known = await ids_of(kit, tx, [address for address in addresses.values() if address is not None])
    right = {channel: known.get(address or "") for channel, address in addresses.items()}
    outdated = [each for each in waiting if each.address_id != right[each.channel]]
    withdrawn = Sighting(Seen.NOT_LEFT, permanent=False, detail=why.withdrawn, decided=Done())
    await note_all(kit, tx, {delivery.delivery_id: withdrawn for delivery in outdated})
    await plan_anew(kit, tx, Parcel(await _case(kit, tx, row), party, row, (), cause), outdated, why)


async def plan_anew(
    kit: NotificationKit, tx: Transaction, empty: Parcel, outdated: Sequence[Row[Any]], why: Why
) -> None:
    """Plan the notices of dropped deliveries anew, as far as they stand."""
    party = empty.party
    prompts = [delivery for delivery in outdated if delivery.channel == "sms"]
    mails = [delivery for delivery in outdated if delivery.channel == "mail"]
    prompted, mailed = await _filled(kit, tx, empty, prompts), await _filled(kit, tx, empty, mails)
    anew = []
    if prompted.bundle and party.contact_phone:
        taken = await prompting.are_mailed(tx.conn, prompted.notice_ids)
        anew.append(prompt(kit, prompted, party.contact_phone, mailed=taken))
    mailbox = party.email if way_of(party).by_mail else None
    if mailed.bundle and mailbox:
        anew.append(mail(kit, mailed, mailbox, tx.now))
    await put_all(kit, tx, anew)
    if mailed.bundle and not mailbox:
        for locked in await sending.lock_deliveries(tx.conn, [delivery.delivery_id for delivery in mails]):
            await send_on_paper(kit, tx, locked, why.on_paper)


async def send_after_all(
    kit: NotificationKit, tx: Transaction, party_id: UUID, channel: str, notice_ids: Sequence[UUID]
) -> None:
    """Plan what was held back on this channel, all in one message; what is on paper goes on paper, too."""
    held, party = await notices.lock_issued(tx.conn, notice_ids), await cases.lock_party(tx.conn, party_id)
    case = (await _case(kit, tx, party)).ordering_report(any(notice.report_ordered for notice in held))
    facts = party_facts(kit.keyring, party)
    parcel = Parcel(case, facts, party, tuple(_written(kit, notice) for notice in held), new_id())
    if channel == "sms" and facts.contact_phone:
        taken = await prompting.are_mailed(tx.conn, parcel.notice_ids)
        await put_all(kit, tx, [prompt(kit, parcel, facts.contact_phone, mailed=taken)])
    elif channel == "mail" and way_of(facts).by_mail and facts.email:
        await put_all(kit, tx, [mail(kit, parcel, facts.email, tx.now)])


async def _case(kit: NotificationKit, tx: Transaction, row: Row[Any]) -> CaseFacts:
    case = await cases.get_case(tx.conn, row.case_id)
    assert case is not None  # noqa: S101 - a party's case is there by its foreign key
    return case_facts(kit.keyring, case)


async def _filled(kit: NotificationKit, tx: Transaction, empty: Parcel, outdated: Sequence[Row[Any]]) -> Parcel:
    """All notices of the withdrawn messages in one: one act, one message a person."""
    found = await notices.carried_by(tx.conn, *(delivery.message_id for delivery in outdated)) if outdated else []
    carried = [notice for notice in found if notice.state == "issued"]
    case = empty.case.ordering_report(any(notice.report_ordered for notice in carried))
    return replace(empty, case=case, bundle=tuple(_written(kit, notice) for notice in carried))


def _written(kit: NotificationKit, notice: Row[Any]) -> Written:
    facts = NoticeFacts(notice.number, Kind(notice.kind), court_date(notice.issued_at))
    values = {"letter_name": notice.letter_name, "letter_sha256": notice.letter_sha256}
    return Written(notice.notice_id, facts, letter_bytes(kit, notice), values)
