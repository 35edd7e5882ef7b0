"""The acts of asset_tips."""

import math
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.asset_tips import store
from services.asset_tips.domain import Moments, TipState, unfit
from services.asset_tips.settings import TipSettings
from shared.clock import court_date
from shared.contracts.envelope import Sealed
from shared.contracts.looks import Seen
from shared.contracts.tips import TipGround, TipReceived
from shared.crypto.codes import normalize, receipt_code
from shared.crypto.keyring import KeyRing
from shared.crypto.sealed import SealError
from shared.db.answers import fingerprint, given_before, remember
from shared.db.lists import Part
from shared.db.readable import text_of
from shared.db.transaction import Transaction, new_id
from shared.errors import Forbidden, NotFound, TooMany
from shared.http.auth import Caller
from shared.runtime.looks import Look as SeenThing
from shared.runtime.looks import reasoned, record
from shared.runtime.service import MORE, Kit
from shared.runtime.taking import UnfitError, take

TipKit = Kit[TipSettings]

UNTOLD_SIGNAL = "tip taken in"
UNREADABLE = "（这条线索的内容无法解密，请系统管理员检查密钥。）"
_SCOPE = "POST /api/tips"
_PARCEL = 50
_AHEAD = timedelta(minutes=1)
"""How far the clocks of two of the product's machines may differ."""


class NewTip(BaseModel):
    """A tip as its sender wrote it. `contact` stays with this service, sealed apart."""

    ground: TipGround
    text: str
    case_number: str | None = None
    contact: str | None = None


class Receipt(BaseModel):
    """What the sender keeps: the receipt opens the tip's state; the number may be told to anybody."""

    receipt: str
    tip_number: str


@dataclass(frozen=True)
class Origin:
    """How a tip came: by which channel, and from which source."""

    channel: str
    source: str


async def submit(kit: TipKit, tip: NewTip, origin: Origin, key: str | None) -> Receipt:
    """Register a tip and tell the desk. With an idempotency key, the same tip again gets the same receipt.

    Such a retry counts for no limit. Raises TooMany for one source that sends too much; nobody else notices.
    """
    async with kit.db.begin() as tx:
        before = None if key is None else await _answered(kit, tx, tip, key)
        if before is not None:
            return before
        await _claim(kit, tx, origin.source)
        receipt = await _register(kit, tx, tip, origin.channel)
        if key is not None:
            await _remember(kit, tx, tip, key, receipt)
        tx.wake(UNTOLD_SIGNAL)
        return receipt


async def _claim(kit: TipKit, tx: Transaction, source: str) -> None:
    """Count one submission of the source, which is kept as a keyed hash. Raises TooMany."""
    mark = kit.lookups.index(source, "tip source")
    within = timedelta(seconds=kit.settings.per_seconds)
    wait = await store.claim_submission(tx.conn, mark, kit.settings.per_source, within)
    if wait:
        minutes = int(wait) // 60 + 1
        detail = f"短时间内提交过多，请约{minutes}分钟后再试；紧急情况请直接拨打24小时值班电话{kit.court.duty_phone}。"
        raise TooMany("too_many_tips", detail, math.ceil(wait))


async def _answered(kit: TipKit, tx: Transaction, tip: NewTip, key: str) -> Receipt | None:
    """The receipt that was given for this key. Raises Conflict when it was for another tip."""
    marks = kit.lookups.indexes(fingerprint(tip), "tip text")
    for once, mark in zip(kit.lookups.indexes(key, "tip once"), marks, strict=True):
        before = await given_before(tx, _SCOPE, once, mark)
        if before is not None:
            return _lock(kit, key).open_model(Receipt, before["sealed"], _SCOPE)
    return None


async def _remember(kit: TipKit, tx: Transaction, tip: NewTip, key: str, receipt: Receipt) -> None:
    once, mark = kit.lookups.index(key, "tip once"), kit.lookups.index(fingerprint(tip), "tip text")
    await remember(tx, _SCOPE, once, mark, {"sealed": _lock(kit, key).seal_model(receipt, _SCOPE)})


def _lock(kit: TipKit, key: str) -> KeyRing:
    """A ring that opens only to whoever sends the same key again: it is kept nowhere."""
    return KeyRing(kit.lookups.derived(key, "tip once answer"))


async def _register(kit: TipKit, tx: Transaction, tip: NewTip, channel: str) -> Receipt:
    tip_id, receipt = new_id(), receipt_code()
    row = {
        "tip_id": tip_id,
        "receipt_index": kit.lookups.index(normalize(receipt), "tip receipt"),
        "ground": tip.ground.value,
        "case_number": tip.case_number,
        "body": kit.drop.seal(tip.text, str(tip_id)),
        "channel": channel,
        "arrived_at": tx.now,
    }
    number = await _add(tx, row)
    if tip.contact is not None:
        await store.add_sender(tx.conn, tip_id, kit.drop.seal(tip.contact, f"{tip_id}/contact"))
    return Receipt(receipt=receipt, tip_number=number)


async def _add(tx: Transaction, row: dict[str, Any]) -> str:
    while True:
        number = f"{court_date(tx.now):%Y%m%d}{secrets.randbelow(10**6):06d}"
        if await store.add(tx.conn, {**row, "tip_number": number}):
            return number


async def tell(kit: TipKit) -> object:
    """Tell the desk of tips that came in; whether there may be more.

    Whoever takes a tip in cannot open it again. This is the work of the inner network: it opens, keeps the tip under
    the service's own key, and seals the text for the desk. A tip that does not open is told, too: it must not be lost.
    """
    taken = await take(kit.db, store.UNTOLD, partial(_tell, kit), _PARCEL)
    return MORE if taken == _PARCEL else None


async def _tell(kit: TipKit, tx: Transaction, tip_ids: Sequence[UUID]) -> None:
    rows = await store.untold(tx.conn, tip_ids)
    await tx.emit(*(_told(kit, row, tx.now) for row in rows))
    await store.keep_told(tx.conn, [_kept(kit, row) for row in rows])


def _told(kit: TipKit, row: Any, now: datetime) -> TipReceived:
    """Raises UnfitError for what no form lets in: another process wrote it."""
    fault = unfit(row.tip_number, row.ground, row.case_number)
    if fault is None and row.arrived_at > now + _AHEAD:
        fault = "the instant of its arrival lies ahead"
    if fault is not None:
        raise UnfitError(fault)
    try:
        text = kit.keyring.open(row.body, str(row.tip_id))
    except SealError:
        text = UNREADABLE
    return TipReceived(
        tip_id=row.tip_id,
        tip_number=row.tip_number,
        ground=TipGround(row.ground),
        arrived_at=row.arrived_at,
        channel=row.channel,
        case_number=row.case_number,
        body=Sealed(kit.exchange.seal(text, str(row.tip_id))),
    )


def _kept(kit: TipKit, row: Any) -> dict[str, Any]:
    contact = row.contact and kit.keyring.taken_in(row.contact, f"{row.tip_id}/contact")
    return {"tip_id": row.tip_id, "body": kit.keyring.taken_in(row.body, str(row.tip_id)), "contact": contact}


@dataclass(frozen=True)
class TipStatus:
    """Where a tip stands, for whoever holds its receipt."""

    tip_number: str
    state: TipState
    arrived_at: datetime
    moments: Moments


async def status(kit: TipKit, receipt: str) -> TipStatus:
    """The tip's state. Raises NotFound for an unknown receipt."""
    async with kit.db.read() as conn:
        row = await store.by_receipt(conn, kit.lookups.indexes(normalize(receipt), "tip receipt"))
    if row is None:
        raise NotFound("no_such_receipt", "没有这个回执号，请对照您保存的回执核对。")
    moments = Moments(row.taken_at, row.accepted_at, row.acted_at, row.dismissed_at)
    return TipStatus(row.tip_number, moments.state, row.arrived_at, moments)


async def tip_number(kit: TipKit, tip_id: UUID) -> str:
    """The number of a tip. Raises NotFound."""
    async with kit.db.read() as conn:
        number = await store.number_of(conn, tip_id)
    if number is None:
        raise NotFound("no_such_tip", "没有这条线索，请返回值班台重新选择。")
    return number


async def look_at_sender(kit: TipKit, tip_id: UUID, reason: str, caller: Caller) -> str:
    """Who sent a tip, if they said so; the look and its reason are kept first.

    Raises Invalid for a reason that says nothing, NotFound, and Forbidden for whoever has not taken the tip.
    """
    reason = reasoned(reason) or ""
    async with kit.db.begin() as tx:
        contact = await store.sender_of(tx.conn, tip_id)
        if contact is None:
            raise NotFound("no_sender", "这条线索没有留下联系方式。")
        if await store.taken_by(tx.conn, tip_id) != caller.staff_id:
            raise Forbidden("not_taken", "这条线索不是由您接手的。请先在值班台接手，再查看举报人的联系方式。")
        await record(kit, tx, caller, SeenThing(Seen.SENDER, tip_id, reason=reason))
        sealed = kit.keyring.seal(reason, f"{tip_id}/look")
        who = {"staff_id": caller.staff_id, "staff_name": caller.name}
        await store.note_look(tx.conn, {**who, "tip_id": tip_id, "reason": sealed, "looked_at": tx.now})
    return text_of(kit.keyring, contact, f"{tip_id}/contact")


class Look(BaseModel):
    """Somebody looked at who sent a tip, and why. The contact itself is not in it."""

    id: int
    tip_id: UUID
    tip_number: str
    staff_id: UUID
    staff_name: str
    reason: str
    looked_at: datetime


async def list_looks(kit: TipKit, text: str, part: Part) -> tuple[list[Look], str | None]:
    """Looks at tips whose number holds the text, newest first unless asked otherwise, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, following = await store.looked(conn, "".join(text.split()), part)
    return [_look(kit, row) for row in rows], following


def _look(kit: TipKit, row: Any) -> Look:
    return Look(
        id=row.id,
        tip_id=row.tip_id,
        tip_number=row.tip_number,
        staff_id=row.staff_id,
        staff_name=row.staff_name,
        reason=text_of(kit.keyring, row.reason, f"{row.tip_id}/look"),
        looked_at=row.looked_at,
    )
