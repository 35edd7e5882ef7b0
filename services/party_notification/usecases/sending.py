"""Sending: an intent is committed before any byte leaves, one commit for no more than is opened at once."""

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, assert_never

from sqlalchemy import Row

from services.party_notification.channels.mail import MailEnvelope, Mailer
from services.party_notification.channels.outcome import NotLeft, Outcome, Refused, Scope, Sent, Throttled, Unknown
from services.party_notification.channels.sms import AliyunSms, DetailStatus, SmsBatch, SmsItem, TemplateState
from services.party_notification.domain.delivery import Seen
from services.party_notification.store import sending
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import Sighting, note, try_again
from services.party_notification.usecases.planning import mail_id
from services.party_notification.usecases.receipts import take_orphans
from shared.clock import court_date
from shared.contracts.operations import TroubleReported
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, Unavailable


async def register_templates(kit: NotificationKit, sms: AliyunSms) -> None:
    """Hand new SMS templates to the carrier, and ask after those not yet approved."""
    async with kit.db.read() as conn:
        waiting = await sending.templates_to_register(conn)
    for row in waiting:
        values = await _register(kit, sms, row)
        async with kit.db.begin() as tx:
            await sending.set_template(tx.conn, row.key, values)
            if values["trouble"] is not None and row.trouble is None:
                await _report_template(kit, tx, values["trouble"])


async def _register(kit: NotificationKit, sms: AliyunSms, row: Row[Any]) -> dict[str, Any]:
    values: dict[str, Any] = {"trouble": None}
    try:
        values["code"] = row.code or await sms.register_template(f"执行通知{row.key[-8:]}", row.body)
        state = await sms.template_state(values["code"])
    except (Conflict, Unavailable) as refusal:
        values["trouble"] = refusal.detail
    else:
        if state is TemplateState.APPROVED:
            values["approved_at"] = kit.clock.now()
        elif state is not TemplateState.PENDING:
            values["trouble"] = "短信平台未通过该模板的审核。"
    return values


async def _report_template(kit: NotificationKit, tx: Transaction, trouble: str) -> None:
    """Messages of this template wait: a person must know at once."""
    summary = f"短信模板未能备案，相关短信暂不发出（{trouble}）请系统管理员处理。"
    event = TroubleReported(
        trouble_id=new_id(), service=kit.service, kind="sms_template", summary=summary, noticed_at=tx.now
    )
    await tx.emit(event)


async def send_sms_batch(kit: NotificationKit, sms: AliyunSms) -> bool:
    """Send one batch of SMS; whether there was one."""
    out_id = new_id().hex
    async with kit.db.begin() as tx:
        rows = await sending.claim_sms(tx.conn, kit.settings.sms_at_once)
        await _intend(kit, tx, rows, out_id)
    if not rows:
        return False
    items = tuple(SmsItem(_address(kit, row), _params(kit, row)) for row in rows)
    outcomes = await sms.send_batch(SmsBatch(rows[0].code, out_id, items))
    for row, outcome in zip(rows, outcomes, strict=True):
        await _settle(kit, row, outcome)
    return True


async def send_mails(kit: NotificationKit, mailer: Mailer) -> bool:
    """Send as many mails as there are connections; whether there were any."""
    async with kit.db.begin() as tx:
        rows = await sending.claim_mails(tx.conn, kit.settings.mails_at_once)
        await _intend(kit, tx, rows, None)
    await asyncio.gather(*(_send_mail(kit, mailer, row) for row in rows))
    return bool(rows)


async def _send_mail(kit: NotificationKit, mailer: Mailer, row: Row[Any]) -> None:
    envelope = MailEnvelope(
        sender=kit.settings.mail_sender,
        recipient=_address(kit, row),
        message_id=mail_id(kit, row.message_id),
        raw=kit.keyring.open(row.content, str(row.message_id)).encode("ascii"),
        envid=row.message_id.hex,
    )
    await _settle(kit, row, await mailer.send(envelope))


def _address(kit: NotificationKit, row: Row[Any]) -> str:
    return kit.keyring.open(row.address, f"{row.message_id}/address")


def _params(kit: NotificationKit, row: Row[Any]) -> dict[str, str]:
    params: dict[str, str] = json.loads(kit.keyring.open(row.params, f"{row.message_id}/params"))
    return params


async def _intend(kit: NotificationKit, tx: Transaction, rows: Sequence[Row[Any]], out_id: str | None) -> None:
    if not rows:
        return
    await sending.intend(tx.conn, [row.delivery_id for row in rows], out_id, kit.settings.policy.lease)
    intent = {"seen": Seen.INTENT.value, "product_time": tx.now, "permanent": True}
    seen = [{"delivery_id": row.delivery_id, "epoch": row.epoch + 1, **intent} for row in rows]
    await sending.observe(tx.conn, *seen)


async def _settle(kit: NotificationKit, row: Row[Any], outcome: Outcome) -> None:
    sighting = _sighting(outcome, row.epoch + 1)
    async with kit.db.begin() as tx:
        await note(kit, tx, row.delivery_id, sighting)
        if row.channel == "sms" and sighting.provider_id is not None:
            await take_orphans(kit, tx, row.delivery_id, sighting.provider_id, row.address_index)


def _sighting(outcome: Outcome, epoch: int) -> Sighting:
    match outcome:
        case Sent(provider_id):
            return Sighting(Seen.SENT, raw=provider_id, provider_id=provider_id[:200], epoch=epoch)
        case NotLeft(reason):
            return Sighting(Seen.NOT_LEFT, permanent=False, detail=reason, epoch=epoch)
        case Throttled(reason):
            return Sighting(Seen.THROTTLED, permanent=False, detail=reason, epoch=epoch)
        case Refused(code, reason, scope):
            # A refusal of our account is ours to mend: the message itself is tried again.
            permanent = scope is not Scope.ACCOUNT
            return Sighting(Seen.REFUSED, permanent=permanent, detail=f"{reason}（{code}）", epoch=epoch)
        case Unknown(reason):
            return Sighting(Seen.UNKNOWN, detail=reason, epoch=epoch)
        case _:
            assert_never(outcome)


async def expire_intents(kit: NotificationKit) -> bool:
    """Intents whose lease ran out without an outcome: nobody knows whether they left."""
    async with kit.db.begin() as tx:
        rows = await sending.claim_step(tx.conn, "expire", 20)
        for row in sorted(rows, key=lambda row: str(row.message_id)):
            await note(kit, tx, row.delivery_id, Sighting(Seen.UNKNOWN, detail="发送途中中断，是否发出不明。"))
    return bool(rows)


async def resend_mails(kit: NotificationKit) -> bool:
    """Mails of unknown fate go once more after settling, with the same Message-ID."""
    async with kit.db.begin() as tx:
        rows = await sending.claim_step(tx.conn, "resend", 20)
        for row in rows:
            await sending.set_delivery(tx.conn, row.delivery_id, {"step": "done", "due_at": None})
            await try_again(tx, row)
    return bool(rows)


async def reconcile_sms(kit: NotificationKit, sms: AliyunSms) -> bool:
    """Ask the carrier what became of SMS without outcome or receipt. One that is away is asked again later."""
    async with kit.db.begin() as tx:
        rows = await sending.claim_step(tx.conn, "reconcile", 20)
        now = await sending.machine_time(tx.conn)
        for row in rows:
            # Put off before asking: another process does not ask the same, and a crash only delays.
            await sending.set_delivery(tx.conn, row.delivery_id, {"due_at": now + timedelta(minutes=1)})
    for row in rows:
        await _reconcile(kit, sms, row)
    return bool(rows)


async def _reconcile(kit: NotificationKit, sms: AliyunSms, row: Row[Any]) -> None:
    async with kit.db.read() as conn:
        message = await sending.message_of(conn, row.delivery_id)
    number = kit.keyring.open(message.address, f"{row.message_id}/address")
    # An intent just before midnight may have been taken just after.
    day = court_date(message.intended_at)
    try:
        details = [*await sms.query(number, day), *await sms.query(number, day + timedelta(days=1))]
    except Unavailable:
        return
    found = next((detail for detail in details if detail.out_id == row.out_id), None)
    async with kit.db.begin() as tx:
        await note(kit, tx, row.delivery_id, _of_query(found.status if found else None))


def _of_query(status: DetailStatus | None) -> Sighting:
    match status:
        case None:
            return Sighting(Seen.QUERY_NOT_FOUND, detail="运营商没有这条短信的记录。")
        case DetailStatus.WAITING:
            return Sighting(Seen.QUERY_FOUND, detail="运营商已受理，尚无回执。")
        case DetailStatus.DELIVERED:
            return Sighting(Seen.RECEIPT_DELIVERED, detail="向运营商查得：已送达手机。")
        case DetailStatus.FAILED:
            return Sighting(Seen.RECEIPT_FAILED, detail="向运营商查得：未能送达手机。")
