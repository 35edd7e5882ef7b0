"""Somebody gets messages that are none of their business: they say so, and nothing goes to that address any more.

They name a notice's number or a query code, and the end of the telephone or the mailbox. The answer never says who
is meant, nor whether there is such a case.
"""

import math
import unicodedata
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.store import cases, holding, notices, sending, withdrawing
from services.party_notification.usecases.contacts import Why, follow_contacts
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import DISOWNED_REASON, send_on_paper
from shared.contracts.notices import ContactDisowned
from shared.crypto.codes import normalize
from shared.db import tries
from shared.db.transaction import Transaction, new_id
from shared.errors import Fault, Invalid, TooMany

_NOT_SENT = "没有与所填内容相符的发送记录，请核对。连续输错五次，将暂停15分钟。"
_WHY = Why("收件人表示与当事人无关，不再发送。", DISOWNED_REASON)


async def disown(kit: NotificationKit, reference: str, contact: str) -> None:
    """Suppress the address. Raises Invalid, or TooMany for a reference that is locked after five wrong tries."""
    reference = normalize(reference)
    mark = kit.keyring.blind_index(reference, "not me")
    async with kit.db.begin() as tx:
        locked = await tries.claim(tx.conn, mark)
        if locked:
            raise TooMany("reference_locked", "连续输错五次，已暂停使用这个编号或者查询码。", math.ceil(locked))
        found = await _sent_to(kit, tx, reference, contact)
        if found:
            await tries.forget(tx.conn, mark)
            await _suppress(kit, tx, found)
    if not found:
        raise Invalid([Fault("reference", _NOT_SENT)])


async def _sent_to(kit: NotificationKit, tx: Transaction, reference: str, contact: str) -> list[Row[Any]]:
    """A message for each address of the referred party that fits the contact."""
    party_id = await _party(kit, tx.conn, reference)
    if party_id is None:
        return []
    typed = "".join(unicodedata.normalize("NFKC", contact).split()).lower()
    rows = await sending.addresses_of(tx.conn, party_id)
    return [row for row in rows if _fits(kit.keyring.open(row.address, f"{row.message_id}/address"), typed)]


async def _party(kit: NotificationKit, conn: AsyncConnection, reference: str) -> UUID | None:
    notice = await notices.by_number(conn, reference)
    if notice is not None:
        return UUID(str(notice.party_id))
    party = await cases.party_by_code(conn, kit.keyring.blind_index(reference, "query code"))
    return None if party is None else UUID(str(party.party_id))


def _fits(address: str, typed: str) -> bool:
    """A mailbox fits whole, a telephone by its last four digits, however much of it was typed."""
    if "@" in address or "@" in typed:
        return address.lower() == typed
    return len(typed) >= 4 and typed.isdigit() and address.endswith(typed[-4:])


async def _suppress(kit: NotificationKit, tx: Transaction, found: Sequence[Row[Any]]) -> None:
    case_id, party_id = found[0].case_id, found[0].party_id
    await cases.lock_case(tx.conn, case_id)
    new = [row for row in found if await holding.disown(tx.conn, party_id, row.address_index)]
    party = await cases.get_party(tx.conn, party_id)
    if not new or party is None or party.misfiled_at is not None:
        return
    for row in new:
        await withdrawing.withdraw(tx.conn, party_id, withdrawing.DISOWNED, row.address_index)
        await _drop_in_hand(kit, tx, party_id, row.address_index)
    await follow_contacts(kit, tx, party_id, new_id(), _WHY)
    effects = Effects()
    for row in new:
        effects.deeds.append(("contact.disowned", {"party_id": str(party_id), "channel": row.channel}))
        told = {"case_id": case_id, "party_id": party_id, "channel": row.channel, "disowned_at": tx.now}
        effects.events.append(ContactDisowned(**told))
    await effects.tell(tx, case_id)


async def _drop_in_hand(kit: NotificationKit, tx: Transaction, party_id: UUID, address_index: str) -> None:
    """What would have gone there once more does not; letters of unknown fate go on paper."""
    for row in await withdrawing.in_hand(tx.conn, party_id, address_index):
        values = {"step": "done", "due_at": None, "reason": _WHY.withdrawn}
        await sending.set_delivery(tx.conn, row.delivery_id, values)
        locked = await sending.lock_delivery(tx.conn, row.delivery_id)
        if locked is not None and row.channel == "mail":
            await send_on_paper(kit, tx, locked, DISOWNED_REASON)
