"""Whoever was told in the name of a party that never belonged to the case is told of the error: once an address.

What is owed is derived: from what has, or may have, left for the party, less what was taken back already.
"""

import hashlib
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import CaseFacts, Kind, NoticeFacts, WronglyTold
from services.party_notification.store import cases, notices, withdrawing
from services.party_notification.usecases.circle import renderer
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit, case_facts, party_facts
from services.party_notification.usecases.outgoing import SEND_SIGNAL, Message, Parcel, Written, put_all
from services.party_notification.usecases.planning import mail, prompt, to_paper
from shared.clock import court_date
from shared.contracts.notices import NoticeIssued
from shared.crypto.codes import normalize, notice_number
from shared.db.transaction import Transaction, new_id

_KIND = Kind.MISFILED_CORRECTION
_BECAUSE = "更正告知不是执行文书，不计送达效力。"
_ON_PAPER = "误登记更正：曾以纸质方式误发文书，须以同样方式更正告知。"


async def owe_corrections(kit: NotificationKit, tx: Transaction, party_id: UUID) -> None:
    """Plan a correction to every address at which the misfiled party was told something and not yet corrected."""
    row = await cases.lock_party(tx.conn, party_id)
    done = await withdrawing.corrected_at(tx.conn, party_id)
    told = await withdrawing.told_at(tx.conn, party_id)
    wrong = [each for each in told if (each.channel, each.address_id) not in done]
    wrong = [each for each in wrong if each.address_id not in row.disowned]
    went_by_post, corrected_by_post = await withdrawing.posted(tx.conn, party_id)
    by_post = went_by_post and not corrected_by_post
    if not wrong and not by_post:
        return
    case = await cases.get_case(tx.conn, row.case_id)
    assert case is not None  # noqa: S101 - a party's case is there by its foreign key
    facts = case_facts(kit.keyring, case)
    written = await _correction(kit, tx, facts, row)
    parcel = Parcel(facts, party_facts(kit.keyring, row), row, (written,), new_id(), corrects=True)
    await put_all(kit, tx, [_message(kit, replace(parcel, cause=new_id()), each, tx.now) for each in wrong])
    if by_post:
        await to_paper(tx, row, new_id(), {written.notice_id: None}, _ON_PAPER)
    tx.wake(SEND_SIGNAL)


def _message(kit: NotificationKit, parcel: Parcel, wrong: Row[Any], now: datetime) -> Message:
    address = kit.keyring.open(wrong.address, f"{wrong.message_id}/address")
    is_sms = wrong.channel == "sms"
    return prompt(kit, parcel, address, mailed=False) if is_sms else mail(kit, parcel, address, now)


async def _correction(kit: NotificationKit, tx: Transaction, case: CaseFacts, row: Row[Any]) -> Written:
    """The party's correction: one notice, whatever the number of messages that carry it."""
    told = await withdrawing.told_of(tx.conn, row.party_id)
    wrongly = [WronglyTold(Kind(each.kind).label, each.number) for each in told]
    standing = await withdrawing.correction_of(tx.conn, row.party_id)
    if standing is not None:
        facts = NoticeFacts(standing.number, _KIND, court_date(standing.issued_at), wrongly_told=tuple(wrongly))
        letter = kit.keyring.open(standing.letter, str(standing.notice_id)).encode()
        return Written(standing.notice_id, facts, letter, standing._asdict())
    facts = NoticeFacts(normalize(notice_number()), _KIND, court_date(tx.now), wrongly_told=tuple(wrongly))
    return await _write(kit, tx, case, row, facts)


async def _write(kit: NotificationKit, tx: Transaction, case: CaseFacts, row: Row[Any], facts: NoticeFacts) -> Written:
    notice_id, writer = new_id(), renderer(kit)
    letter = writer.letter(_KIND, case, party_facts(kit.keyring, row), facts, "")
    values = {
        "notice_id": notice_id,
        "case_id": row.case_id,
        "party_id": row.party_id,
        "role": row.role,
        "kind": _KIND.value,
        "cause": new_id(),
        "number": facts.number,
        "state": "issued",
        "letter": kit.keyring.seal(letter.decode(), str(notice_id)),
        "letter_name": writer.file_name(facts, case),
        "letter_sha256": hashlib.sha256(letter).hexdigest(),
        "created_at": tx.now,
        "issued_at": tx.now,
        "served_because": _BECAUSE,
    }
    await notices.add(tx.conn, values)
    body = {"notice_id": str(notice_id), "kind": _KIND.value, "sha256": values["letter_sha256"], "way": "as before"}
    effects = Effects([("notice.issued", body)])
    row_like = {name: values[name] for name in ("case_id", "notice_id", "kind", "party_id", "role")}
    effects.events.append(NoticeIssued(**row_like, way="electronic", issued_at=tx.now))
    await effects.tell(tx, row.case_id)
    return Written(notice_id, facts, letter, values)
