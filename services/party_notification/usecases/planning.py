"""From written notices to messages: one SMS and one mail per person and cause, or letters for the paper worklist."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.channels.mime import Attachment, Letter, build_mail
from services.party_notification.domain.notices import CaseFacts, CourtFacts, NoticeFacts, PartyFacts, way_of
from services.party_notification.domain.sms_texts import (
    Fitting,
    correction_key,
    correction_templates,
    fitting,
    plan_sms,
    retraction_key,
    retraction_template,
    sms_templates,
    template_key,
)
from services.party_notification.render import Mail, Renderer
from services.party_notification.store import paper, prompting, sending, templates
from services.party_notification.usecases.addresses import id_of
from services.party_notification.usecases.facts import NotificationKit, court_facts, query_code_of
from shared.contracts.notices import DeliveryTroubled
from shared.db.transaction import Transaction, made_at, new_id
from shared.errors import Conflict
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
        await plan_prompt(kit, tx, parcel, parcel.party.contact_phone, mailed=False)
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


async def plan_prompt(kit: NotificationKit, tx: Transaction, parcel: Parcel, number: str, *, mailed: bool) -> None:
    """One SMS that prompts to look, for all notices of a parcel. `mailed`: a mail server has their mail by now.

    As long as it has not, the SMS waits for it, and leaves at last in words that are true without it. A text that
    will not fit keeps nothing else from leaving: a person knows of it.
    """
    court = court_facts(kit.court)
    try:
        now, later = _wordings(kit, parcel, court, mailed=mailed)
    except Conflict as refusal:
        await _cannot_prompt(kit, tx, parcel, number, refusal.detail)
        return
    for wording in (now, later):
        if wording is not None and await templates.put_template(tx.conn, wording.key, wording.fitting.template):
            tx.wake(TEMPLATE_SIGNAL)
    wait = timedelta(0) if later is None else timedelta(seconds=kit.settings.prompt_wait)
    says = mailed and later is None and way_of(parcel.party).by_mail and not parcel.corrects
    content = _Content("sms", number, now.fitting.text, now.key, now.fitting.params, later, wait, says_mailed=says)
    await _add(kit, tx, parcel, content)


@dataclass(frozen=True)
class _Wording:
    """A text with the key of its template."""

    name: str
    fitting: Fitting

    @property
    def key(self) -> str:
        """Its wording never changes under its key."""
        return f"{self.name}-{hashlib.sha256(self.fitting.template.encode()).hexdigest()[:8]}"


def _wordings(
    kit: NotificationKit, parcel: Parcel, court: CourtFacts, *, mailed: bool
) -> tuple[_Wording, _Wording | None]:
    """What the SMS says, and what it says instead once the mail is taken. Raises Conflict."""
    code = query_code_of(kit.keyring, parcel.row)
    if parcel.corrects:
        type_code = parcel.case.type_code
        number = parcel.bundle[0].facts.number
        text = fitting(correction_templates(type_code, court), parcel.case, court, code, number)
        return _Wording(correction_key(type_code), text), None
    kinds = [written.facts.kind for written in parcel.bundle]

    def worded(*, taken: bool) -> _Wording:
        sms = plan_sms(parcel.case, parcel.party, kinds, taken=taken)
        return _Wording(template_key(sms), fitting(sms_templates(sms, court), parcel.case, court, code))

    waits = way_of(parcel.party).by_mail and not mailed
    return worded(taken=not waits), (worded(taken=True) if waits else None)


async def plan_retraction(kit: NotificationKit, tx: Transaction, parcel: Parcel, number: str, mail_id: UUID) -> None:
    """An SMS that takes back what a former one said of a mail."""
    court, type_code = court_facts(kit.court), parcel.case.type_code
    code = query_code_of(kit.keyring, parcel.row)
    try:
        text = fitting([retraction_template(type_code, court)], parcel.case, court, code)
    except Conflict as refusal:
        await _cannot_prompt(kit, tx, parcel, number, refusal.detail)
        return
    wording = _Wording(retraction_key(type_code), text)
    if await templates.put_template(tx.conn, wording.key, text.template):
        tx.wake(TEMPLATE_SIGNAL)
    await _add(kit, tx, parcel, _Content("sms", number, text.text, wording.key, text.params, retracts=mail_id))
    tx.wake(SEND_SIGNAL)


async def _cannot_prompt(kit: NotificationKit, tx: Transaction, parcel: Parcel, number: str, why: str) -> None:
    """The letters go all the same; the clerk tells the party by other means."""
    message_id = new_id()
    row = await _row(kit, tx, parcel, _Content("sms", number, "", None, None), message_id)
    await sending.add_message(tx.conn, row, parcel.notice_ids, made_at(parcel.cause))
    attempt = first_attempt(row)
    reason = f"短信没有发出：{why}文书照常送达，请用其他方式提醒当事人。"
    await prompting.add_failed(tx.conn, attempt, reason)
    told = {"delivery_id": attempt["delivery_id"], "channel": "sms", "trouble": "failed", "reason": reason}
    about = {"case_id": parcel.row.case_id, "party_id": parcel.row.party_id, "role": parcel.row.role}
    for written in parcel.bundle:
        notice = {"notice_id": written.notice_id, "kind": written.facts.kind.value}
        await tx.emit(DeliveryTroubled(**about, **notice, **told))


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
    later: _Wording | None = None
    wait: timedelta = timedelta(0)
    says_mailed: bool = False
    retracts: UUID | None = None


async def _add(
    kit: NotificationKit, tx: Transaction, parcel: Parcel, content: _Content, message_id: UUID | None = None
) -> None:
    row = await _row(kit, tx, parcel, content, message_id or new_id())
    made = made_at(parcel.cause)
    await sending.add_message(tx.conn, row, parcel.notice_ids, made)
    await sending.add_delivery(tx.conn, first_attempt(row), None, made, content.wait)


async def _row(
    kit: NotificationKit, tx: Transaction, parcel: Parcel, content: _Content, message_id: UUID
) -> dict[str, Any]:
    about = str(message_id)
    words = _sealed(kit, about, content.template_key, content.params, content.text)
    later = None if content.later is None else content.later.fitting
    other: dict[str, str | None] = dict.fromkeys(words)
    if content.later is not None and later is not None:
        other = _sealed(kit, about, content.later.key, later.params, later.text)
    return {
        "message_id": message_id,
        "case_id": parcel.row.case_id,
        "party_id": parcel.row.party_id,
        "cause": parcel.cause,
        "channel": content.channel,
        "address": kit.keyring.seal(content.address, f"{about}/address"),
        "address_id": await id_of(kit, tx, content.address),
        **words,
        **{f"alt_{name}": value for name, value in other.items()},
        "says_mailed": content.says_mailed,
        "retracts": content.retracts,
        "created_at": tx.now,
        "traceparent": TRACING.traceparent(),
        "corrects": parcel.corrects,
    }


def _sealed(
    kit: NotificationKit, about: str, key: str | None, params: dict[str, str] | None, text: str
) -> dict[str, str | None]:
    """A wording as it rests."""
    values = None if params is None else json.dumps(params, ensure_ascii=False)
    return {
        "template_key": key,
        "params": None if values is None else kit.keyring.seal(values, f"{about}/params"),
        "content": kit.keyring.seal(text, about),
        "content_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def first_attempt(message: dict[str, Any]) -> dict[str, Any]:
    """The first delivery of a message."""
    kept = {name: message[name] for name in ("message_id", "channel", "address_id")}
    return {"delivery_id": new_id(), "attempt": 1, **kept}
