"""Somebody gets messages that are none of their business: they say so, and nothing goes to that address any more.

They name a notice's number or a query code, and the end of the telephone or the mailbox. The answer never says who
is meant, nor whether there is such a case. The public pages only take it down; it is followed on the inner network.
"""

import unicodedata
from uuid import UUID

from services.party_notification.store import addresses, cases, doors, holding, notices, sending, withdrawing
from services.party_notification.store.sending import WrittenTo
from services.party_notification.usecases.addresses import ends
from services.party_notification.usecases.contacts import Why, follow_contacts
from services.party_notification.usecases.doors import party_of
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import DISOWNED_REASON, send_on_paper
from services.party_notification.usecases.trying import Lock, trying
from shared.contracts.notices import ContactDisowned
from shared.crypto.codes import normalize
from shared.db.transaction import Transaction, new_id
from shared.errors import Fault, Invalid

_NOT_SENT = "没有与所填内容相符的发送记录，请核对。连续输错五次，将暂停15分钟。"
_LOCK = Lock("reference_locked", "连续输错五次，已暂停使用这个编号或者查询码。")
DISOWN_SIGNAL = "disown"
_WHY = Why("收件人表示与当事人无关，不再发送。", DISOWNED_REASON)


async def disown(kit: NotificationKit, reference: str, contact: str) -> None:
    """Take down that the address is not the party's. Raises Invalid, or TooMany for a reference that is locked."""
    reference = normalize(reference)
    async with trying(kit, reference, _LOCK):
        party_id = await _party(kit, reference)
        if party_id is None or not await _take_down(kit, party_id, contact):
            raise Invalid([Fault("reference", _NOT_SENT)])


async def _take_down(kit: NotificationKit, party_id: UUID, contact: str) -> bool:
    async with kit.db.begin() as tx:
        found = await _fitting(kit, tx, party_id, contact)
        if found:
            await doors.add_disownings(tx.conn, party_id, found)
            tx.wake(DISOWN_SIGNAL)
    return bool(found)


async def _party(kit: NotificationKit, reference: str) -> UUID | None:
    async with kit.db.read() as conn:
        party_id = await notices.party_by_number(conn, reference)
    return await party_of(kit, reference) if party_id is None else party_id


async def _fitting(kit: NotificationKit, tx: Transaction, party_id: UUID, contact: str) -> list[UUID]:
    """The party's addresses that fit: a mailbox whole, a telephone by its last four digits, however much was typed."""
    typed = "".join(unicodedata.normalize("NFKC", contact).split()).lower()
    if "@" not in typed and not (len(typed) >= 4 and typed.isdigit()):
        return []
    return await addresses.written_to(tx.conn, party_id, ends(kit.lookups, typed))


async def follow(kit: NotificationKit) -> bool:
    """Suppress an address that was disowned; whether there was one."""
    async with kit.db.begin() as tx:
        row = await doors.claim_disowning(tx.conn)
        if row is None:
            return False
        written = await sending.written_to(tx.conn, row.party_id, row.address_id)
        if written is not None:
            await _suppress(kit, tx, written)
    return True


async def _suppress(kit: NotificationKit, tx: Transaction, written: WrittenTo) -> None:
    case_id, party_id, address_id, channel = written
    await cases.lock_case(tx.conn, case_id)
    new = await holding.disown(tx.conn, party_id, address_id)
    party = await cases.get_party(tx.conn, party_id)
    if not new or party is None or party.misfiled_at is not None:
        return
    await withdrawing.withdraw(tx.conn, party_id, withdrawing.DISOWNED, address_id)
    await _drop_in_hand(kit, tx, party_id, address_id)
    await follow_contacts(kit, tx, party_id, new_id(), _WHY)
    effects = Effects([("contact.disowned", {"party_id": str(party_id), "channel": channel})])
    effects.events.append(ContactDisowned(case_id=case_id, party_id=party_id, channel=channel, disowned_at=tx.now))
    await effects.tell(tx, case_id)


async def _drop_in_hand(kit: NotificationKit, tx: Transaction, party_id: UUID, address_id: UUID) -> None:
    """What would have gone there once more does not; letters of unknown fate go on paper."""
    dropped = await withdrawing.drop_in_hand(tx.conn, party_id, _WHY.withdrawn, address_id)
    for row in await sending.lock_deliveries(tx.conn, dropped) if dropped else ():
        if row.channel == "mail":
            await send_on_paper(kit, tx, row, DISOWNED_REASON)
