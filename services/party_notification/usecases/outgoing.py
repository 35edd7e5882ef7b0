"""Messages on their way into the queue: sealed, and written down together with their first attempts."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import CaseFacts, NoticeFacts, PartyFacts
from services.party_notification.store import outgoing, templates
from services.party_notification.usecases.addresses import ids_for
from services.party_notification.usecases.facts import NotificationKit
from shared.contracts.notices import DeliveryTroubled
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


@dataclass(frozen=True)
class Wording:
    """A whole text; of an SMS with its template, the name by which that goes, and the values."""

    text: str
    name: str = ""
    template: str = ""
    params: Mapping[str, str] | None = None

    @property
    def key(self) -> str | None:
        """The template's: its wording never changes under its key."""
        if not self.name:
            return None
        return f"{self.name}-{hashlib.sha256(self.template.encode()).hexdigest()[:8]}"


@dataclass(frozen=True)
class Message:
    """A message for one person. `later`: what it says instead once its mail is taken, for which it may `wait`.

    `cannot`: why it does not leave; `retracts`: the mail of which a former one spoke.
    """

    parcel: Parcel
    channel: str
    address: str
    wording: Wording
    later: Wording | None = None
    wait: timedelta = timedelta(0)
    says_mailed: bool = False
    retracts: UUID | None = None
    cannot: str | None = None
    message_id: UUID = field(default_factory=new_id)
    delivery_id: UUID = field(default_factory=new_id)


async def put_all(kit: NotificationKit, tx: Transaction, messages: Sequence[Message]) -> None:
    """Write messages down. However many they are, the statements are the same, and locks are taken in one order."""
    if not messages:
        return
    wordings = [wording for each in messages for wording in (each.wording, each.later) if wording is not None]
    bodies = {wording.key: wording.template for wording in wordings if wording.key is not None}
    if bodies and await templates.put_templates(tx.conn, bodies):
        tx.wake(TEMPLATE_SIGNAL)
    ids = await ids_for(kit, tx, {each.address for each in messages})
    await outgoing.add(tx.conn, [_outgoing(kit, tx, each, ids[each.address]) for each in messages])
    for each in messages:
        if each.cannot is not None:
            await tx.emit(*_troubles(each, each.cannot))
    tx.wake(SEND_SIGNAL)


def _troubles(message: Message, reason: str) -> list[DeliveryTroubled]:
    row = message.parcel.row
    told = {"delivery_id": message.delivery_id, "channel": message.channel, "trouble": "failed", "reason": reason}
    about = {"case_id": row.case_id, "party_id": row.party_id, "role": row.role}
    return [
        DeliveryTroubled(notice_id=written.notice_id, kind=written.facts.kind.value, **about, **told)
        for written in message.parcel.bundle
    ]


def _outgoing(kit: NotificationKit, tx: Transaction, message: Message, address_id: UUID) -> outgoing.Outgoing:
    parcel, about = message.parcel, str(message.message_id)
    later = message.later
    row = {
        "message_id": message.message_id,
        "case_id": parcel.row.case_id,
        "party_id": parcel.row.party_id,
        "cause": parcel.cause,
        "channel": message.channel,
        "address": kit.keyring.seal(message.address, f"{about}/address"),
        "address_id": address_id,
        **_sealed(kit, about, message.wording),
        **{f"alt_{name}": value for name, value in (_sealed(kit, about, later) if later else _NOTHING).items()},
        "says_mailed": message.says_mailed,
        "retracts": message.retracts,
        "created_at": tx.now,
        "traceparent": TRACING.traceparent(),
        "corrects": parcel.corrects,
    }
    made = made_at(parcel.cause)
    return outgoing.Outgoing(row, message.delivery_id, parcel.notice_ids, made, message.wait, message.cannot)


_NOTHING = dict.fromkeys(("template_key", "params", "content", "content_sha256"))


def _sealed(kit: NotificationKit, about: str, wording: Wording) -> dict[str, str | None]:
    """A wording as it rests."""
    values = None if wording.params is None else json.dumps(wording.params, ensure_ascii=False)
    return {
        "template_key": wording.key,
        "params": None if values is None else kit.keyring.seal(values, f"{about}/params"),
        "content": kit.keyring.seal(wording.text, about),
        "content_sha256": hashlib.sha256(wording.text.encode()).hexdigest(),
    }
