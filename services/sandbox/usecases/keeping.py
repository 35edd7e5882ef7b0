"""Messages are kept, sealed, before anybody is told that they were taken."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.sandbox import store
from services.sandbox.channels.mailserver import StoredMail
from services.sandbox.domain.mails import Summary, summarize
from services.sandbox.domain.sms_rules import CarrierMessage, KnownMessage, Template, plan_receipts
from services.sandbox.usecases.world import SandboxKit, faults_of, indexes
from shared.clock import SystemClock
from shared.db.transaction import Transaction, new_id


class Shelf:
    """The carrier's storage in the sandbox's database."""

    def __init__(self, kit: SandboxKit) -> None:
        self._kit = kit

    async def template(self, code: str) -> Template | None:
        async with self._kit.db.read() as conn:
            row = await store.get_template(conn, code)
        return None if row is None else Template(row.code, row.name, row.content, row.state)

    async def add_template(self, template: Template) -> None:
        async with self._kit.db.begin() as tx:
            row = {"code": template.code, "name": template.name, "content": template.content, "state": template.state}
            await store.add_template(tx.conn, row)

    async def save(self, messages: Sequence[CarrierMessage]) -> None:
        kit = self._kit
        async with kit.db.begin() as tx:
            found = await _boxes(kit, tx, "sms", [message.number for message in messages])
            kept = [(new_id(), message) for message in messages]
            await store.add_messages(tx.conn, [_sms_row(kit, tx, found, *each) for each in kept])
            planned = [row for message_id, message in kept for row in _receipt_rows(kit, message_id, message)]
            await store.add_receipts(tx.conn, planned)

    async def known(self, number: str, day: date, biz_id: str | None) -> Sequence[KnownMessage]:
        async with self._kit.db.read() as conn:
            rows = await store.known_sms(conn, indexes(self._kit.keyring, number), day, biz_id)
        return [_known(self._kit, row) for row in rows]


async def keep_mail(kit: SandboxKit, mail: StoredMail) -> None:
    """One copy for each recipient."""
    summary, raw = summarize(mail.raw), mail.raw.decode("latin-1")
    recipients = list(dict.fromkeys(mail.recipients))
    async with kit.db.begin() as tx:
        found = await _boxes(kit, tx, "mail", recipients)
        rows = []
        for recipient in recipients:
            message_id = new_id()
            row = _row(kit, tx, message_id, found[recipient], summary)
            sealed = kit.keyring.seal(raw, f"{message_id}/raw")
            rows.append({**row, "raw": sealed, "out_id": mail.dsn.get("ENVID"), "taken_at": SystemClock().now()})
        await store.add_messages(tx.conn, rows)


def summary_of(kit: SandboxKit, row: Row[Any]) -> Summary:
    """What a list shows of a message."""
    return kit.keyring.open_model(Summary, row.summary, str(row.message_id))


def raw_of(kit: SandboxKit, row: Row[Any]) -> bytes:
    """A mail as it came."""
    return kit.keyring.open(row.raw, f"{row.message_id}/raw").encode("latin-1")


def address_of(kit: SandboxKit, row: Row[Any]) -> str:
    """Whose box it is."""
    return kit.keyring.open(row.address, row.address_index)


def carrier_message(kit: SandboxKit, row: Row[Any]) -> CarrierMessage:
    """A kept SMS as the carrier took it."""
    return CarrierMessage(
        number=address_of(kit, row),
        body=summary_of(kit, row).body,
        template_code=row.template_code,
        out_id=row.out_id,
        biz_id=row.biz_id,
        segments=row.segments,
        sent_at=row.taken_at,
    )


def _known(kit: SandboxKit, row: Row[Any]) -> KnownMessage:
    return KnownMessage(carrier_message(kit, row), row.status, row.err_code or "", row.reported_at)


async def _boxes(kit: SandboxKit, tx: Transaction, channel: str, addresses: Sequence[str]) -> Mapping[str, int]:
    """The ids of the boxes of these addresses, which get one when they have none under any key."""
    hashed = {address: indexes(kit.keyring, address) for address in addresses}
    there = await store.known_boxes(tx.conn, channel, [index for each in hashed.values() for index in each])
    new = {each[0]: address for address, each in hashed.items() if there.keys().isdisjoint(each)}
    rows = [
        {"channel": channel, "address_index": key, "address": kit.keyring.seal(address, key)}
        for key, address in new.items()
    ]
    there |= await store.put_boxes(tx.conn, rows)
    return {address: next(there[index] for index in each if index in there) for address, each in hashed.items()}


def _row(kit: SandboxKit, tx: Transaction, message_id: UUID, box_id: int, summary: Summary) -> dict[str, Any]:
    return {
        "message_id": message_id,
        "box_id": box_id,
        "summary": kit.keyring.seal_model(summary, str(message_id)),
        "received_at": tx.now,
    }


def _sms_row(
    kit: SandboxKit, tx: Transaction, found: Mapping[str, int], message_id: UUID, message: CarrierMessage
) -> dict[str, Any]:
    box_id = found[message.number]
    return {
        **_row(kit, tx, message_id, box_id, Summary(body=message.body)),
        "taken_at": message.sent_at,
        "template_code": message.template_code,
        "out_id": message.out_id,
        "biz_id": message.biz_id,
        "segments": message.segments,
        "status": "waiting",
    }


def _receipt_rows(kit: SandboxKit, message_id: UUID, message: CarrierMessage) -> list[dict[str, Any]]:
    sent: datetime = message.sent_at
    fault = faults_of(kit).receipt(message.number)
    return [
        {
            "message_id": message_id,
            "due_at": sent + timedelta(seconds=planned.after),
            "dated_at": sent + timedelta(seconds=planned.dated),
            "delivered": planned.delivered,
            "err_code": planned.err_code,
        }
        for planned in plan_receipts(fault, kit.settings.receipt_after)
    ]
