"""Receipts of the carrier: kept as they came, matched when they can be, folded in whatever order they come."""

import hashlib
import secrets
from uuid import UUID

from services.party_notification.channels.receipts import Receipt, parse_receipts
from services.party_notification.domain.delivery import Seen
from services.party_notification.store import sending
from services.party_notification.usecases.facts import NotificationKit, index
from services.party_notification.usecases.observing import Sighting, note
from shared.db.transaction import Transaction
from shared.errors import Invalid, NotFound
from shared.runtime.secrets import kept

PROVIDER = "aliyun"


def receipt_secret(kit: NotificationKit) -> str:
    """The secret part of the receipt URL: from the settings, or below the data folder."""
    return kit.settings.receipt_secret or kept(kit.run, "receipt_secret.txt", lambda: secrets.token_urlsafe(24))


async def take_receipts(kit: NotificationKit, provider: str, secret: str, body: bytes) -> int:
    """Keep every good receipt of a POST; how many were new.

    Raises NotFound for a forged URL, and Invalid when none is good.
    """
    known = secrets.compare_digest(secret.encode(), receipt_secret(kit).encode())
    if provider != PROVIDER or not known:
        raise NotFound("no_such_receiver", "没有这个接收地址。")
    post = parse_receipts(body)
    if post.faults and not post.receipts:
        raise Invalid(post.faults)
    new = 0
    for receipt in post.receipts:
        new += await _take(kit, receipt)
    return new


async def _take(kit: NotificationKit, receipt: Receipt) -> bool:
    number = index(kit.keyring, receipt.number)
    mark = hashlib.sha256(f"{receipt.biz_id}/{number}/{receipt.delivered}/{receipt.err_code}".encode()).hexdigest()
    row = {
        "mark": mark,
        "provider": PROVIDER,
        "provider_id": receipt.biz_id,
        "address_index": number,
        "delivered": receipt.delivered,
        "raw": kit.keyring.seal(receipt.raw, mark),
    }
    async with kit.db.begin() as tx:
        await sending.hold(tx.conn, f"{receipt.biz_id}/{number}")
        receipt_id = await sending.keep_receipt(tx.conn, row)
        if receipt_id is None:
            return False
        delivery_id = await sending.delivery_of_receipt(tx.conn, receipt.biz_id, receipt.out_id, number)
        if delivery_id is not None:
            await _match(kit, tx, receipt_id, delivery_id, delivered=receipt.delivered, raw=receipt.raw)
    return True


async def take_orphans(
    kit: NotificationKit, tx: Transaction, delivery_id: UUID, provider_id: str, address_index: str
) -> None:
    """Receipts that overtook the carrier's own answer."""
    for row in await sending.orphans(tx.conn, provider_id, address_index):
        raw = kit.keyring.open(row.raw, row.mark)
        await _match(kit, tx, row.id, delivery_id, delivered=row.delivered, raw=raw)


async def _match(
    kit: NotificationKit, tx: Transaction, receipt_id: int, delivery_id: UUID, *, delivered: bool, raw: str
) -> None:
    await sending.match_receipt(tx.conn, receipt_id, delivery_id)
    seen = Seen.RECEIPT_DELIVERED if delivered else Seen.RECEIPT_FAILED
    await note(kit, tx, delivery_id, Sighting(seen, detail="运营商回执。", raw=raw))
