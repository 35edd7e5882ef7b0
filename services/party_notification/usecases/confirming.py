"""A disowned contact is found to be the party's after all, or not, by somebody who never handled the case."""

from collections.abc import Sequence
from uuid import UUID

from services.party_notification.domain.contacts import WAITING, DoubtState
from services.party_notification.store import cases, contacts, holding, withdrawing
from services.party_notification.store.contacts import Doubt
from services.party_notification.usecases.contacts import send_after_all
from services.party_notification.usecases.disowning import suppress
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit, ever_handled
from services.party_notification.usecases.issuing import settle_debts
from services.party_notification.usecases.registering import sealed_address
from shared.contracts.envelope import Sealed
from shared.contracts.notices import ContactConfirmed
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, Forbidden, NotFound
from shared.http.auth import Caller


async def decide(kit: NotificationKit, doubt_id: UUID, *, own: bool, remark: str, caller: Caller) -> None:
    """Own: sending goes on, and what was held back is sent. Not own: nothing is sent there.

    Raises NotFound; Conflict for what needs no decision; Forbidden for whoever handles the case, or ever did.
    """
    async with kit.db.begin() as tx:
        doubt = await _waiting(tx, doubt_id, caller)
        if not own and doubt.state != DoubtState.HELD:
            raise Conflict("suppressed_already", "已停止向它发送，无需再认定。请立案人员在案件页更正登记的联系方式。")
        values = {
            "decided_by": caller.staff_id,
            "decided_at": tx.now,
            "remark": kit.keyring.seal(remark, f"{doubt_id}/remark"),
        }
        if own:
            values["state"] = DoubtState.CONFIRMED.value
        await contacts.change(tx.conn, doubt_id, values)
        if own:
            await _confirm(kit, tx, doubt, remark, caller)
        else:
            body = {"party_id": str(doubt.party_id), "channel": doubt.channel, "by": str(caller.staff_id)}
            await Effects([("contact.refused", body)]).tell(tx, doubt.case_id)
            await suppress(kit, tx, doubt)


async def _waiting(tx: Transaction, doubt_id: UUID, caller: Caller) -> Doubt:
    """The doubt, it and its case locked."""
    seen = await contacts.get(tx.conn, doubt_id)
    case = None if seen is None else await cases.lock_case(tx.conn, seen.case_id)
    doubt = await contacts.get(tx.conn, doubt_id, lock=True)
    if doubt is None or case is None:
        raise NotFound("no_such_doubt", "没有这条被否认的联系方式。")
    if doubt.state not in WAITING:
        raise Conflict("not_for_decision", "这个联系方式已经核实，或者登记已经更正，无需再次决定。请刷新页面。")
    if ever_handled(case, caller):
        raise Forbidden("own_case", "您是或者曾经是本案的承办人员，不能认定本案当事人的联系方式，请由其他人员核实。")
    return doubt


async def _confirm(kit: NotificationKit, tx: Transaction, doubt: Doubt, remark: str, caller: Caller) -> None:
    held = await contacts.held_back(tx.conn, doubt) if doubt.state == DoubtState.OPEN else []
    await holding.own_again(tx.conn, doubt.party_id, doubt.address_id)
    await withdrawing.restore(tx.conn, doubt.party_id, doubt.address_id)
    ids = {"party_id": str(doubt.party_id), "channel": doubt.channel, "by": str(caller.staff_id)}
    event = ContactConfirmed(
        case_id=doubt.case_id,
        party_id=doubt.party_id,
        channel=doubt.channel,
        address=await sealed_address(kit, tx, doubt),
        confirmed_by=caller.staff_id,
        confirmed_at=tx.now,
        how=Sealed(kit.exchange.seal(remark, str(doubt.case_id))),
    )
    await Effects([("contact.confirmed", ids)], [event]).tell(tx, doubt.case_id)
    await _catch_up(kit, tx, doubt, held)


async def _catch_up(kit: NotificationKit, tx: Transaction, doubt: Doubt, held: Sequence[UUID]) -> None:
    """What was held back leaves, and what waited for a contact is written."""
    party = await cases.get_party(tx.conn, doubt.party_id)
    if party is None or party.misfiled_at is not None:
        return
    if held:
        await send_after_all(kit, tx, doubt.party_id, doubt.channel, held)
    await settle_debts(kit, tx, doubt.case_id, new_id())
