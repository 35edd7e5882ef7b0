"""From written notices to messages: one SMS and one mail per person and cause, or letters for the paper worklist."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.channels.mime import Attachment, Letter, build_mail
from services.party_notification.domain.notices import CourtFacts, way_of
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
from services.party_notification.store import paper
from services.party_notification.usecases.facts import NotificationKit, court_facts, query_code_of
from services.party_notification.usecases.outgoing import SEND_SIGNAL, Message, Parcel, Wording, put_all
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict

_UNCONFIRMED = "当事人未确认可用的电子送达地址，须以纸质方式送达。"


async def plan_all(kit: NotificationKit, tx: Transaction, parcels: Sequence[Parcel]) -> None:
    """Plan every message of parcels. The SMS only prompts; the letters go by mail or on paper."""
    await put_all(kit, tx, [message for parcel in parcels for message in _messages(kit, parcel, tx.now)])
    by_post = [parcel for parcel in parcels if not _mailbox(parcel)]
    entries = [_entry(tx, each.row, each.cause, dict.fromkeys(each.notice_ids), _UNCONFIRMED) for each in by_post]
    await paper.add(tx.conn, entries)
    tx.wake(SEND_SIGNAL)


def _messages(kit: NotificationKit, parcel: Parcel, now: datetime) -> Iterator[Message]:
    if parcel.party.contact_phone:
        yield prompt(kit, parcel, parcel.party.contact_phone, mailed=False)
    mailbox = _mailbox(parcel)
    if mailbox:
        yield mail(kit, parcel, mailbox, now)


def _mailbox(parcel: Parcel) -> str | None:
    """Where the letters go, unless they go on paper."""
    return (parcel.party.email or None) if way_of(parcel.party).by_mail else None


async def to_paper(
    tx: Transaction, party: Row[Any], cause: UUID, letters: Mapping[UUID, str | None], reason: str
) -> None:
    """Put letters on the clerk's paper worklist; `letters` as `store.paper.Entry` has them."""
    await paper.add(tx.conn, [_entry(tx, party, cause, letters, reason)])


def _entry(
    tx: Transaction, party: Row[Any], cause: UUID, letters: Mapping[UUID, str | None], reason: str
) -> paper.Entry:
    return paper.Entry(new_id(), party.case_id, party.party_id, cause, reason, tx.now, letters)


def prompt(kit: NotificationKit, parcel: Parcel, number: str, *, mailed: bool) -> Message:
    """One SMS that prompts to look, for all notices of a parcel. `mailed`: a mail server has their mail by now.

    As long as it has not, the SMS waits for it, and leaves at last in words that are true without it. A text that
    will not fit keeps nothing else from leaving: a person knows of it.
    """
    try:
        now, later = _wordings(kit, parcel, court_facts(kit.court), mailed=mailed)
    except Conflict as refusal:
        return _cannot_prompt(parcel, number, refusal.detail)
    wait = timedelta(0) if later is None else timedelta(seconds=kit.settings.prompt_wait)
    says = mailed and later is None and way_of(parcel.party).by_mail and not parcel.corrects
    return Message(parcel, "sms", number, now, later, wait, says_mailed=says)


def _wordings(
    kit: NotificationKit, parcel: Parcel, court: CourtFacts, *, mailed: bool
) -> tuple[Wording, Wording | None]:
    """What the SMS says, and what it says instead once the mail is taken. Raises Conflict."""
    code = query_code_of(kit.keyring, parcel.row)
    if parcel.corrects:
        type_code = parcel.case.type_code
        number = parcel.bundle[0].facts.number
        text = fitting(correction_templates(type_code, court), parcel.case, court, code, number)
        return _wording(correction_key(type_code), text), None
    kinds = [written.facts.kind for written in parcel.bundle]

    def worded(*, taken: bool) -> Wording:
        sms = plan_sms(parcel.case, parcel.party, kinds, taken=taken)
        return _wording(template_key(sms), fitting(sms_templates(sms, court), parcel.case, court, code))

    waits = way_of(parcel.party).by_mail and not mailed
    return worded(taken=not waits), (worded(taken=True) if waits else None)


def _wording(name: str, fitted: Fitting) -> Wording:
    return Wording(fitted.text, name, fitted.template, fitted.params)


def retraction(kit: NotificationKit, parcel: Parcel, number: str, mail_id: UUID) -> Message:
    """An SMS that takes back what a former one said of a mail."""
    court, type_code = court_facts(kit.court), parcel.case.type_code
    code = query_code_of(kit.keyring, parcel.row)
    try:
        text = fitting([retraction_template(type_code, court)], parcel.case, court, code)
    except Conflict as refusal:
        return _cannot_prompt(parcel, number, refusal.detail)
    return Message(parcel, "sms", number, _wording(retraction_key(type_code), text), retracts=mail_id)


def _cannot_prompt(parcel: Parcel, number: str, why: str) -> Message:
    """The letters go all the same; the clerk tells the party by other means."""
    reason = f"短信没有发出：{why}文书照常送达，请用其他方式提醒当事人。"
    return Message(parcel, "sms", number, Wording(""), cannot=reason)


def mail(kit: NotificationKit, parcel: Parcel, address: str, now: datetime) -> Message:
    """One mail that carries all letters of a parcel."""
    covering = _covering_mail(kit, parcel)
    message_id = new_id()
    letter = Letter(
        sender=f"{kit.court.name} <{kit.settings.mail_sender}>",
        recipient=address,
        subject=covering.subject,
        text=covering.text,
        html=covering.html,
        message_id=mail_id(kit, message_id),
        sent_at=now,
        attachments=[Attachment(written.file_name, written.letter) for written in parcel.bundle],
    )
    raw = build_mail(letter).decode("ascii")
    return Message(parcel, "mail", address, Wording(raw), message_id=message_id)


def _covering_mail(kit: NotificationKit, parcel: Parcel) -> Mail:
    renderer = Renderer(court_facts(kit.court), kit.run.base_url)
    facts = [written.facts for written in parcel.bundle]
    if parcel.corrects:
        return renderer.correction_mail(parcel.case, facts[0])
    return renderer.mail(parcel.party, parcel.case, facts, query_code_of(kit.keyring, parcel.row))


def mail_id(kit: NotificationKit, message_id: UUID) -> str:
    """The Message-ID, the same for every attempt (RFC 5322 3.6.4)."""
    return f"<{message_id}@{kit.settings.mail_domain}>"
