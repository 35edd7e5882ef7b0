"""Receipts of the carrier: kept as they came, matched when they can be, folded in whatever order they come."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from services.party_notification.channels.receipts import MOST, Receipt, ReceiptPost, parse_receipts
from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.receipts import FAULTY, RECEIPT, former_marks, said
from services.party_notification.store import receipts, sending, troubles
from services.party_notification.usecases.addresses import ids_of
from services.party_notification.usecases.facts import NotificationKit, indexes
from services.party_notification.usecases.observing import Sighting, note_all
from shared.contracts.operations import TroubleReported
from shared.db.failures import is_away
from shared.db.lists import Part
from shared.db.transaction import Transaction, new_id
from shared.errors import Invalid, NotFound, TooLarge
from shared.halves import in_halves
from shared.runtime.secrets import kept
from shared.runtime.taking import UnfitError, take_apart

PROVIDER = "aliyun"
RECEIPT_SIGNAL = "receipt"


def receipt_secret(kit: NotificationKit) -> str:
    """The secret part of the receipt URL: from the settings, or below the data folder."""
    return kit.settings.receipt_secret or kept(kit.run, "receipt_secret.txt", lambda: secrets.token_urlsafe(24))


async def take_receipts(kit: NotificationKit, provider: str, secret: str, body: bytes) -> int:
    """Keep a POST as it came, sealed for those who fold it in; how many good receipts there are.

    Raises NotFound for a forged URL, TooLarge for too many, and Invalid when none is good.
    """
    known = secrets.compare_digest(secret.encode(), receipt_secret(kit).encode())
    if provider != PROVIDER or not known:
        raise NotFound("no_such_receiver", "没有这个接收地址。")
    post = parse_receipts(body)
    if post.too_many:
        raise TooLarge("too_many_receipts", f"一次最多{MOST}条回执，请分次发送。")
    if post.receipts or post.unread:
        await _keep_post(kit, body)
    if post.faults and not post.receipts:
        raise Invalid(post.faults)
    return len(post.receipts)


async def _keep_post(kit: NotificationKit, body: bytes) -> None:
    about = new_id()
    async with kit.db.begin() as tx:
        await receipts.keep_post(tx.conn, about, kit.drop.seal(base64.b64encode(body).decode(), f"{about}/receipts"))
        tx.wake(RECEIPT_SIGNAL)


async def fold_post(kit: NotificationKit) -> bool:
    """Fold in the oldest POST of receipts, and tell the desk of those that cannot be read; whether there was one."""
    return await take_apart(kit.db, receipts.POSTS, partial(_fold, kit))


async def _fold(kit: NotificationKit, post_id: int) -> None:
    async with kit.db.read() as conn:
        row = await receipts.post(conn, post_id)
    if row is None:
        return  # another process was quicker
    post = parse_receipts(base64.b64decode(kit.keyring.open(row.sealed, f"{row.about}/receipts"), validate=True))
    if not (post.receipts or post.unread):
        raise UnfitError("it holds no receipts")
    await _keep_faulty(kit, post)
    await _take_each(kit, {said(receipt.raw): receipt for receipt in post.receipts})
    async with kit.db.begin() as tx:
        await receipts.drop_post(tx.conn, row.id)


async def _take_each(kit: NotificationKit, told: Mapping[str, Receipt]) -> None:
    """One that cannot be taken keeps no other from it. Taking it again changes nothing. `told`: by what they say."""
    errors: list[Exception] = []

    async def take(some: Sequence[tuple[str, Receipt]]) -> bool:
        try:
            await _take(kit, dict(some))
        except Exception as error:
            if is_away(error):
                raise
            if len(some) == 1:
                errors.append(error)
            return False
        return True

    if await in_halves(list(told.items()), take):
        raise ExceptionGroup("receipts that could not be taken", errors)


async def _keep_faulty(kit: NotificationKit, post: ReceiptPost) -> None:
    if not post.unread:
        return
    rows, marks = {}, {}
    for raw, fault in zip(post.unread, post.faults, strict=True):
        mark, *older = kit.keyring.blind_indexes(raw, FAULTY)
        marks[mark] = older
        name = fault.field.partition(".")[2]
        rows[mark] = {
            "mark": mark,
            "provider": PROVIDER,
            "raw": kit.keyring.seal(raw, mark),
            "fault": f"{name}：{fault.reason}" if name else fault.reason,
        }
    async with kit.db.begin() as tx:
        known = await receipts.known_faulty(tx.conn, [each for older in marks.values() for each in older])
        new = [row for mark, row in rows.items() if known.isdisjoint(marks[mark])]
        if new and await receipts.keep_faulty(tx.conn, new):
            summary = "运营商发来无法识别的短信回执，已原样保存。请系统管理员在“待核实发送”页查看并联系运营商。"
            await tx.emit(
                TroubleReported(
                    trouble_id=new_id(),
                    service=kit.service,
                    kind="faulty_receipts",
                    summary=summary,
                    noticed_at=tx.now,
                )
            )


@dataclass(frozen=True)
class FaultyReceipt:
    """A receipt that could not be read: when it came, and why."""

    arrived_at: datetime
    fault: str


async def faulty(kit: NotificationKit, part: Part) -> tuple[list[FaultyReceipt], str | None]:
    """Receipts that could not be read, newest first unless asked otherwise; what they said stays sealed."""
    async with kit.db.read() as conn:
        rows, following = await troubles.faulty(conn, part)
    return [FaultyReceipt(row.arrived_at, row.fault) for row in rows], following


def _row(kit: NotificationKit, mark: str, receipt: Receipt, address_id: UUID | None) -> dict[str, Any]:
    return {
        "mark": mark,
        "provider": PROVIDER,
        "provider_id": receipt.biz_id,
        "address_id": address_id,
        "delivered": receipt.delivered,
        "raw": kit.keyring.seal(receipt.raw, mark),
        "out_id": receipt.out_id or None,
    }


@dataclass(frozen=True)
class _Matched:
    """A receipt with the delivery of which it speaks; `message_id` may stand for any id that its message alone has."""

    receipt_id: int
    delivery_id: UUID
    message_id: UUID
    delivered: bool
    raw: str

    @property
    def sighting(self) -> Sighting:
        """What the receipt says."""
        seen = Seen.RECEIPT_DELIVERED if self.delivered else Seen.RECEIPT_FAILED
        return Sighting(seen, detail="运营商回执。", raw=self.raw)


def _marks(kit: NotificationKit, what: str, receipt: Receipt) -> list[str]:
    """Under which marks it may have been kept, the current one first."""
    numbers = indexes(kit.keyring, receipt.number)
    before = former_marks(receipt.biz_id, numbers, receipt.err_code, delivered=receipt.delivered)
    return [*kit.keyring.blind_indexes(what, RECEIPT), *before]


async def _take(kit: NotificationKit, told: Mapping[str, Receipt]) -> int:
    """Keep receipts, and match those that are new; how many were. One is known by its mark under any key."""
    marks = {what: _marks(kit, what, receipt) for what, receipt in told.items()}
    marked = {marks[what][0]: receipt for what, receipt in told.items()}
    async with kit.db.begin() as tx:
        ids = await ids_of(kit, tx, {receipt.number for receipt in told.values()})
        await sending.hold(tx.conn, *(f"{each.biz_id}/{ids.get(each.number)}" for each in told.values()))
        known = await receipts.known(tx.conn, [mark for each in marks.values() for mark in each])
        rows = [
            _row(kit, marks[what][0], receipt, ids.get(receipt.number))
            for what, receipt in told.items()
            if known.isdisjoint(marks[what])
        ]
        new = await receipts.keep(tx.conn, rows)
        found = await receipts.deliveries_of(tx.conn, [row for row in rows if row["mark"] in new])
        matched = []
        for row in found:
            receipt = marked[row.mark]
            matched.append(_Matched(new[row.mark], row.delivery_id, row.message_id, receipt.delivered, receipt.raw))
        await _match(kit, tx, matched)
    return len(new)


async def take_orphans(kit: NotificationKit, tx: Transaction, taken: Mapping[tuple[str, UUID], UUID]) -> None:
    """Receipts that overtook the carrier's own answer. `taken`: by batch id and number, deliveries of many messages."""
    matched = []
    for row in await receipts.orphans(tx.conn, sorted({provider_id for provider_id, _ in taken})):
        delivery_id = taken.get((row.provider_id, row.address_id))
        if delivery_id is not None:
            raw = kit.keyring.open(row.raw, row.mark)
            matched.append(_Matched(row.id, delivery_id, delivery_id, row.delivered, raw))
    await _match(kit, tx, matched)


async def _match(kit: NotificationKit, tx: Transaction, matched: Sequence[_Matched]) -> None:
    """Note what receipts say, those of one message one after the other."""
    waiting = list(matched)
    if waiting:
        await receipts.match(tx.conn, {each.receipt_id: each.delivery_id for each in waiting})
    while waiting:
        first = {each.message_id: each for each in reversed(waiting)}
        await note_all(kit, tx, {each.delivery_id: each.sighting for each in first.values()})
        waiting = [each for each in waiting if first[each.message_id] is not each]
