"""Sending: an intent is committed before any byte leaves, one commit for no more than is opened at once."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, assert_never
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.channels.mail import MailEnvelope, Mailer
from services.party_notification.channels.outcome import NotLeft, Outcome, Refused, Scope, Sent, Throttled, Unknown
from services.party_notification.channels.sms import (
    AliyunSms,
    SmsBatch,
    SmsItem,
    TemplateState,
)
from services.party_notification.domain.delivery import Seen
from services.party_notification.store import sending, templates
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import Sighting, note, note_all, try_again
from services.party_notification.usecases.outgoing import SEND_SIGNAL
from services.party_notification.usecases.planning import mail_id
from services.party_notification.usecases.receipts import take_orphans
from shared.contracts.operations import TroubleReported
from shared.db.failures import is_away, is_passing
from shared.db.transaction import Transaction, made_at, new_id
from shared.errors import Conflict, Unavailable
from shared.telemetry import metrics
from shared.telemetry.traces import TRACING

log = logging.getLogger(__name__)

Settled = Sequence[tuple[Row[Any], Outcome]]

_PAUSES = (0.05, 0.2, *(0.5,) * 28, None)
"""Seconds between the tries to write an outcome down; all of them lie within the lease."""
_ACCEPTED_TO_SENT = metrics.histogram(
    "accepted_to_sent_seconds",
    "From the act that a message tells of until the carrier or the mail server took the message.",
    ("channel",),
    (0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3600, 86400),
)


async def register_templates(kit: NotificationKit, sms: AliyunSms) -> None:
    """Hand new SMS templates to the carrier, and ask after those not yet approved."""
    async with kit.db.read() as conn:
        waiting = await templates.templates_to_register(conn)
    for key in waiting:
        # One call in each transaction: it is over before the database cuts an idle one off.
        await _with_template(kit, key, lambda row: _register(sms, row))
        await _with_template(kit, key, lambda row: _ask_after(kit, sms, row))


async def _with_template(kit: NotificationKit, key: str, call: Callable[[Row[Any]], Awaitable[dict[str, Any]]]) -> None:
    """Keep what a call of the carrier says of a template, which is locked meanwhile: the calls can't be repeated."""
    async with kit.db.begin() as tx:
        row = await templates.claim_template(tx.conn, key)
        if row is None:
            return
        try:
            values = await call(row)
        except (Conflict, Unavailable) as refusal:
            values = {"trouble": refusal.detail}
        if values:
            await templates.set_template(tx.conn, key, values)
        if values.get("trouble") is not None and row.trouble is None:
            await _report_template(kit, tx, values["trouble"])
        if "approved_at" in values:
            tx.wake(SEND_SIGNAL)


async def _register(sms: AliyunSms, row: Row[Any]) -> dict[str, Any]:
    return {} if row.code else {"code": await sms.register_template(f"执行通知{row.key[-8:]}", row.body)}


async def _ask_after(kit: NotificationKit, sms: AliyunSms, row: Row[Any]) -> dict[str, Any]:
    state = await sms.template_state(row.code) if row.code else TemplateState.PENDING
    if state is TemplateState.APPROVED:
        return {"approved_at": kit.clock.now(), "trouble": None}
    return {} if state is TemplateState.PENDING else {"trouble": "短信平台未通过该模板的审核。"}


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
    with TRACING.sends("send SMS", [row.traceparent for row in rows], channel="sms"):
        outcomes = await sms.send_batch(SmsBatch(rows[0].code, out_id, items))
    await _settle_all(kit, list(zip(rows, outcomes, strict=True)))
    return True


async def _settle_all(kit: NotificationKit, settled: Settled) -> None:
    """Write outcomes down: all in one transaction or, when that fails, one after the other.

    One that cannot be written keeps no other from it.
    """
    if len(settled) > 1:
        try:
            await _write_down(kit, settled)
        except Exception as error:  # noqa: BLE001 - met again below, if it lasts
            log.info("outcomes are written down one by one", extra={"error": type(error).__name__})
        else:
            return
    failures = []
    for one in settled:
        try:
            await _settle(kit, one)
        except Exception as error:  # noqa: BLE001 - raised again below
            failures.append(error)
    if failures:
        raise failures[0]


async def send_mails(kit: NotificationKit, mailer: Mailer) -> bool:
    """Send as many mails as there are connections; whether there were any."""
    async with kit.db.begin() as tx:
        rows = await sending.claim_mails(tx.conn, kit.settings.mails_at_once)
        await _intend(kit, tx, rows, None)
    await _settle_as_they_come(kit, {asyncio.ensure_future(_send_mail(kit, mailer, row)): row for row in rows})
    return bool(rows)


async def _settle_as_they_come(kit: NotificationKit, sends: Mapping[asyncio.Future[Outcome], Row[Any]]) -> None:
    """Write down together what has come to an end while the former outcomes were written down."""
    waiting, failures = set(sends), []
    try:
        while waiting:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            failures += [error for send in done if (error := send.exception()) is not None]
            try:
                await _settle_all(kit, [(sends[send], send.result()) for send in done if send.exception() is None])
            except Exception as error:  # noqa: BLE001 - raised again below
                failures.append(error)
    finally:
        for send in waiting:
            send.cancel()
    if failures:
        raise failures[0]


async def _send_mail(kit: NotificationKit, mailer: Mailer, row: Row[Any]) -> Outcome:
    envelope = MailEnvelope(
        sender=kit.settings.mail_sender,
        recipient=_address(kit, row),
        message_id=mail_id(kit, row.message_id),
        raw=kit.keyring.open(row.content, str(row.message_id)).encode("ascii"),
        envid=row.message_id.hex,
    )
    with TRACING.sends("send mail", [row.traceparent], channel="mail"):
        return await mailer.send(envelope)


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


async def _settle(kit: NotificationKit, one: tuple[Row[Any], Outcome]) -> None:
    """Write an outcome down. It must not get lost: what is passing, or away for a moment, is tried again."""
    for pause in _PAUSES:
        try:
            await _write_down(kit, [one])
        except Exception as error:
            if not (is_passing(error) or is_away(error)) or pause is None:
                raise
            await asyncio.sleep(pause)
        else:
            return


async def _write_down(kit: NotificationKit, settled: Settled) -> None:
    seen = {row.delivery_id: _sighting(outcome, row.epoch + 1) for row, outcome in settled}
    taken: dict[tuple[str, UUID], UUID] = {}
    for row, _ in settled:
        provider_id = seen[row.delivery_id].provider_id
        if row.channel == "sms" and provider_id is not None:
            taken[provider_id, row.address_id] = row.delivery_id
    async with kit.db.begin() as tx:
        if taken:
            await sending.hold(tx.conn, *(f"{provider_id}/{address_id}" for provider_id, address_id in taken))
        await note_all(kit, tx, seen)
        await take_orphans(kit, tx, taken)
    for row, outcome in settled:
        if isinstance(outcome, Sent):
            _ACCEPTED_TO_SENT.labels(row.channel).observe(max(0.0, time.time() - made_at(row.cause).timestamp()))


def _sighting(outcome: Outcome, epoch: int) -> Sighting:
    match outcome:
        case Sent(provider_id):
            return Sighting(Seen.SENT, raw=provider_id, provider_id=provider_id[:200], epoch=epoch)
        case NotLeft(reason):
            return Sighting(Seen.NOT_LEFT, permanent=False, detail=reason, epoch=epoch)
        case Throttled(reason, retry_after):
            return Sighting(Seen.THROTTLED, permanent=False, detail=reason, epoch=epoch, retry_after=retry_after)
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
    for row in rows:
        async with kit.db.begin() as tx:
            current = await sending.lock_delivery(tx.conn, row.delivery_id)
            if current is not None and current.step == "expire":
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
