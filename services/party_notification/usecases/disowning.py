"""Somebody gets messages that are none of their business: they say so, and nothing goes to that address any more.

They name a notice's number or a query code, and the end of the telephone or the mailbox. The answer never says who
is meant, nor whether there is such a case. The public pages only take it down; it is followed on the inner network.
"""

import unicodedata
from collections.abc import Sequence
from functools import partial
from uuid import UUID

from services.party_notification.domain.contacts import DoubtState, why_held
from services.party_notification.store import addresses, cases, contacts, doors, holding, notices, sending, withdrawing
from services.party_notification.store.contacts import Doubt
from services.party_notification.store.sending import WrittenTo
from services.party_notification.usecases.addresses import ends
from services.party_notification.usecases.contacts import Why, follow_contacts
from services.party_notification.usecases.doors import party_of
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit, registered
from services.party_notification.usecases.observing import DISOWNED_REASON, send_on_paper
from services.party_notification.usecases.registering import disowned, is_there
from services.party_notification.usecases.trying import Lock, trying
from shared.contracts.operations import TroubleReported
from shared.crypto.codes import normalize
from shared.db.transaction import Transaction, new_id
from shared.errors import Fault, Invalid, Unavailable
from shared.runtime.taking import UnfitError, take

_NOT_SENT = "没有与所填内容相符的发送记录，请核对。连续输错五次，将暂停15分钟。"
_LATER = "系统正在整理联系方式，暂时不能办理，请几分钟后再试，或者拨打12368。"
_LOCK = Lock("reference_locked", "连续输错五次，已暂停使用这个编号或者查询码。")
_HELD = (
    "有当事人的联系方式被否认，须先由人核实，尚未停止发送（一小时内数量过多，可能有人恶意提交；或者此前已核实为当事人使用）。"
    "请告知立案人员或者执行管理人员，在“待核实发送”的“被否认的联系方式”中逐件核实；数量异常的，请系统管理员检查外网程序。"
)
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
    if await contacts.are_unmarked(tx.conn, party_id):
        raise Unavailable("contacts_not_listed", _LATER)
    return await addresses.written_to(tx.conn, party_id, ends(kit.lookups, typed))


async def follow(kit: NotificationKit) -> bool:
    """Take up the oldest that was taken down; whether there was one."""
    return await take(kit.db, doors.DISOWNED, partial(_follow_each, kit)) > 0


async def _follow_each(kit: NotificationKit, tx: Transaction, disowning_ids: Sequence[int]) -> None:
    for disowning_id in disowning_ids:
        written = await sending.written_to(tx.conn, *await doors.take_off(tx.conn, disowning_id))
        if written is None:
            raise UnfitError("nobody was written to there")
        await _take_up(kit, tx, written)


async def _take_up(kit: NotificationKit, tx: Transaction, found: WrittenTo) -> None:
    """Suppress the address; or, when a person verified it once or there are too many at once, let a person decide."""
    await sending.hold(tx.conn, "disowned contacts")  # or two processes count each other's not
    await cases.lock_case(tx.conn, found.case_id)
    before = await contacts.known_states(tx.conn, found.party_id, found.address_id)
    if before - {DoubtState.CONFIRMED}:
        return
    lately, most = await contacts.noted_lately(tx.conn), kit.settings.disownings_an_hour
    held = why_held(confirmed_before=bool(before), lately=lately, most=most)
    state = DoubtState.OPEN if held is None else DoubtState.HELD
    doubt = Doubt(new_id(), found.party_id, found.case_id, found.address_id, found.channel, tx.now, state, held)
    if held is not None and not await contacts.noted_lately(tx.conn, held=True):
        await _tell_desk(kit, tx)
    await contacts.add(tx.conn, doubt)
    if held is None:
        await suppress(kit, tx, doubt)


async def _tell_desk(kit: NotificationKit, tx: Transaction) -> None:
    """Once an hour at most: the list says the rest."""
    told = {"trouble_id": new_id(), "service": kit.service, "kind": "disowned_contacts", "noticed_at": tx.now}
    await tx.emit(TroubleReported(**told, summary=_HELD))


async def suppress(kit: NotificationKit, tx: Transaction, doubt: Doubt) -> None:
    """Nothing goes to the address any more: what waited follows another contact, letters go on paper."""
    party_id, address_id = doubt.party_id, doubt.address_id
    await holding.disown(tx.conn, party_id, address_id)
    party = await cases.get_party(tx.conn, party_id)
    if party is None or party.misfiled_at is not None:
        await contacts.change(tx.conn, doubt.doubt_id, {"state": DoubtState.REPLACED.value})
        return
    await withdrawing.withdraw(tx.conn, party_id, withdrawing.DISOWNED, address_id)
    await _drop_in_hand(kit, tx, party_id, address_id)
    await follow_contacts(kit, tx, party_id, new_id(), _WHY)
    here = await is_there(kit, tx, doubt, registered(kit.keyring, party))
    state = DoubtState.OPEN if here else DoubtState.REPLACED
    await contacts.change(tx.conn, doubt.doubt_id, {"state": state.value})
    deed = ("contact.disowned", {"party_id": str(party_id), "channel": doubt.channel})
    await Effects([deed], [await disowned(kit, tx, doubt, registered=here)]).tell(tx, doubt.case_id)


async def _drop_in_hand(kit: NotificationKit, tx: Transaction, party_id: UUID, address_id: UUID) -> None:
    """What would have gone there once more does not; letters of unknown fate go on paper."""
    dropped = await withdrawing.drop_in_hand(tx.conn, party_id, _WHY.withdrawn, address_id)
    for row in await sending.lock_deliveries(tx.conn, dropped) if dropped else ():
        if row.channel == "mail":
            await send_on_paper(kit, tx, row, DISOWNED_REASON)
