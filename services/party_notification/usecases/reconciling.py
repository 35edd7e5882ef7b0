"""SMS of which nobody knows whether they left: the carrier is asked, and a person must know when it cannot tell."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.channels.sms import AliyunSms, DetailStatus, SendDetail
from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.next_step import RetryAt, ToPerson
from services.party_notification.store import sending
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import Sighting, note, note_all
from shared.clock import court_date
from shared.db.transaction import Transaction, made_at
from shared.errors import Conflict, Unavailable


async def doubt_restored(kit: NotificationKit) -> bool:
    """SMS that may have left between the backup and its return: the carrier is asked before anything is sent."""
    async with kit.db.begin() as tx:
        rows = await sending.claim_step(tx.conn, "doubt", 20)
        doubt = Sighting(Seen.UNKNOWN, detail="数据由备份恢复，备份之后是否已经发出不明。")
        await note_all(kit, tx, dict.fromkeys([row.delivery_id for row in rows], doubt))
    return bool(rows)


async def reconcile_sms(kit: NotificationKit, sms: AliyunSms) -> bool:
    """Ask the carrier what became of one SMS without outcome or receipt. One that is away is asked again later."""
    policy = kit.settings.policy
    async with kit.db.begin() as tx:
        row = next(iter(await sending.claim_step(tx.conn, "reconcile", 1)), None)
        if row is None:
            return False
        # Put off before asking: another process does not ask the same, and a crash only delays.
        until = await sending.put_off(tx.conn, row.delivery_id, max(policy.query_gap, policy.lease))
    await _reconcile(kit, sms, row, until)
    return True


async def _reconcile(kit: NotificationKit, sms: AliyunSms, row: Row[Any], until: datetime) -> None:
    async with kit.db.read() as conn:
        message = await sending.message_of(conn, row.delivery_id)
    number = kit.keyring.open(message.address, f"{row.message_id}/address")
    asked_from = message.intended_at or made_at(message.cause)
    # An intent just before midnight may have been taken just after.
    day = court_date(asked_from)
    try:
        details = [*await sms.query(number, day), *await sms.query(number, day + timedelta(days=1))]
    except (Unavailable, Conflict) as refusal:
        await _cannot_ask(kit, row.delivery_id, until, asked_from, refusal.detail)
        return
    found = next((detail for detail in details if _is_ours(kit, row, message, detail)), None)
    sighting = _of_query(found.status if found else None)
    if found is None and message.intended_at is None:
        # Nothing of it left from here, and whoever sent before these data came back sends no more: now it is ours.
        sighting = replace(sighting, decided=RetryAt(asked_from))
    async with kit.db.begin() as tx:
        if await _is_mine(tx, row.delivery_id, until):
            await note(kit, tx, row.delivery_id, sighting)


def _is_ours(kit: NotificationKit, row: Row[Any], message: Row[Any], detail: SendDetail) -> bool:
    """By our number for it; what may have left before these data came back from a backup, by its words.

    Which of two wordings it had depends on what had become of its mail by then.
    """
    if row.out_id is not None:
        return bool(detail.out_id == row.out_id)
    texts = [text for text in (message.content, message.alt_content) if text is not None]
    return any(detail.content == kit.keyring.open(text, str(message.message_id)) for text in texts)


async def _is_mine(tx: Transaction, delivery_id: UUID, until: datetime) -> bool:
    """Whether the delivery, now locked, still waits for what was asked: each answer counts as one query."""
    current = await sending.lock_delivery(tx.conn, delivery_id)
    return current is not None and (current.step, current.due_at) == ("reconcile", until)


async def _cannot_ask(
    kit: NotificationKit, delivery_id: UUID, until: datetime, intended_at: datetime, why: str
) -> None:
    """The carrier does not answer queries: after all patience a person must know of an SMS in doubt."""
    policy = kit.settings.policy
    async with kit.db.begin() as tx:
        row = await sending.lock_delivery(tx.conn, delivery_id)
        if row is None or (row.state, row.step, row.due_at) != ("unknown", "reconcile", until):
            return
        if row.machine_time - intended_at > policy.sms_settle + policy.max_queries * policy.query_gap:
            step = ToPerson("短信是否发出不明，且运营商查询接口无法使用，请核对证据后决定是否重发。")
            await note(kit, tx, delivery_id, Sighting(Seen.UNKNOWN, detail=why, decided=step))


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
