"""From written notices to messages: one SMS and one mail per person and cause, or letters for the paper worklist."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.channels.mime import Attachment, Letter, build_mail
from services.party_notification.domain.notices import CaseFacts, CourtFacts, NoticeFacts, PartyFacts, way_of
from services.party_notification.domain.sms_texts import (
    correction_key,
    correction_template,
    fitting,
    plan_sms,
    sms_templates,
    template_key,
)
from services.party_notification.render import Mail, Renderer
from services.party_notification.store import paper, sending, templates
from services.party_notification.usecases.facts import NotificationKit, court_facts, index, query_code_of
from shared.db.transaction import Transaction, made_at, new_id
from shared.telemetry.traces import TRACING

SEND_SIGNAL = "send"
TEMPLATE_SIGNAL = "template"


@dataclass(frozen=True)
class Written:
    """A notice with its letter."""

    notice_id: UUID
    facts: NoticeFacts
    letter: bytes
    values: dict[str, Any]
    """What its row has beside."""

    @property
    def file_name(self) -> str:
        """The attachment's name."""
        return str(self.values["letter_name"])

    @property
    def sha256(self) -> str:
        """Of the exact bytes."""
        return str(self.values["letter_sha256"])


@dataclass(frozen=True)
class Parcel:
    """What travels together to one person for one cause."""

    case: CaseFacts
    party: PartyFacts
    row: Row[Any]
    bundle: tuple[Written, ...]
    cause: UUID
    corrects: bool = False
    """Whether it takes back what went to somebody who is no party."""

    @property
    def notice_ids(self) -> list[UUID]:
        """The notices inside."""
        return [written.notice_id for written in self.bundle]


async def plan(kit: NotificationKit, tx: Transaction, parcel: Parcel) -> None:
    """Plan every message of a parcel. The SMS only prompts; the letters go by mail or on paper."""
    if parcel.party.contact_phone:
        await plan_prompt(kit, tx, parcel, parcel.party.contact_phone)
    way = way_of(parcel.party)
    if way.by_mail and parcel.party.email:
        await plan_mail(kit, tx, parcel, parcel.party.email)
    else:
        letters = dict.fromkeys(parcel.notice_ids)
        await to_paper(tx, parcel.row, parcel.cause, letters, "当事人未确认可用的电子送达地址，须以纸质方式送达。")
    tx.wake(SEND_SIGNAL)


async def to_paper(
    tx: Transaction, party: Row[Any], cause: UUID, letters: Mapping[UUID, str | None], reason: str
) -> None:
    """Put letters on the clerk's paper worklist; `letters` as `store.paper.add` takes them."""
    row = {
        "paper_id": new_id(),
        "case_id": party.case_id,
        "party_id": party.party_id,
        "cause": cause,
        "reason": reason,
        "state": "to_print",
        "created_at": tx.now,
    }
    await paper.add(tx.conn, row, letters)


async def plan_prompt(kit: NotificationKit, tx: Transaction, parcel: Parcel, number: str) -> None:
    """One SMS that prompts to look, for all notices of a parcel."""
    court = court_facts(kit.court)
    name, wordings = _templates(parcel, court)
    sms = fitting(wordings, parcel.case, court, query_code_of(kit.keyring, parcel.row))
    key = f"{name}-{hashlib.sha256(sms.template.encode()).hexdigest()[:8]}"
    if await templates.put_template(tx.conn, key, sms.template):
        tx.wake(TEMPLATE_SIGNAL)
    await _add(kit, tx, parcel, _Content("sms", number, sms.text, key, sms.params))


def _templates(parcel: Parcel, court: CourtFacts) -> tuple[str, list[str]]:
    """The name and the wordings of the SMS that a parcel needs."""
    if parcel.corrects:
        return correction_key(parcel.case.type_code), [correction_template(parcel.case.type_code, court)]
    sms = plan_sms(parcel.case, parcel.party, [written.facts.kind for written in parcel.bundle], taken=True)
    return template_key(sms), sms_templates(sms, court)


async def plan_mail(kit: NotificationKit, tx: Transaction, parcel: Parcel, address: str) -> None:
    """One mail that carries all letters of a parcel."""
    mail = _covering_mail(kit, parcel)
    message_id = new_id()
    letter = Letter(
        sender=f"{kit.court.name} <{kit.settings.mail_sender}>",
        recipient=address,
        subject=mail.subject,
        text=mail.text,
        html=mail.html,
        message_id=mail_id(kit, message_id),
        sent_at=tx.now,
        attachments=[Attachment(written.file_name, written.letter) for written in parcel.bundle],
    )
    raw = build_mail(letter).decode("ascii")
    await _add(kit, tx, parcel, _Content("mail", address, raw, None, None), message_id)


def _covering_mail(kit: NotificationKit, parcel: Parcel) -> Mail:
    renderer = Renderer(court_facts(kit.court), kit.run.base_url)
    facts = [written.facts for written in parcel.bundle]
    if parcel.corrects:
        return renderer.correction_mail(parcel.case, facts[0])
    return renderer.mail(parcel.party, parcel.case, facts, query_code_of(kit.keyring, parcel.row))


def mail_id(kit: NotificationKit, message_id: UUID) -> str:
    """The Message-ID, the same for every attempt (RFC 5322 3.6.4)."""
    return f"<{message_id}@{kit.settings.mail_domain}>"


@dataclass(frozen=True)
class _Content:
    channel: str
    address: str
    text: str
    template_key: str | None
    params: dict[str, str] | None


async def _add(
    kit: NotificationKit, tx: Transaction, parcel: Parcel, content: _Content, message_id: UUID | None = None
) -> None:
    message_id = message_id or new_id()
    about = str(message_id)
    params = None if content.params is None else json.dumps(content.params, ensure_ascii=False)
    row = {
        "message_id": message_id,
        "case_id": parcel.row.case_id,
        "party_id": parcel.row.party_id,
        "cause": parcel.cause,
        "channel": content.channel,
        "address": kit.keyring.seal(content.address, f"{about}/address"),
        "address_index": index(kit.keyring, content.address),
        "template_key": content.template_key,
        "params": None if params is None else kit.keyring.seal(params, f"{about}/params"),
        "content": kit.keyring.seal(content.text, about),
        "content_sha256": hashlib.sha256(content.text.encode()).hexdigest(),
        "created_at": tx.now,
        "traceparent": TRACING.traceparent(),
        "corrects": parcel.corrects,
    }
    made = made_at(parcel.cause)
    await sending.add_message(tx.conn, row, parcel.notice_ids, made)
    await sending.add_delivery(tx.conn, first_attempt(row), None, made)


def first_attempt(message: dict[str, Any]) -> dict[str, Any]:
    """The first delivery of a message."""
    kept = {name: message[name] for name in ("message_id", "channel", "address_index")}
    return {"delivery_id": new_id(), "attempt": 1, **kept}
