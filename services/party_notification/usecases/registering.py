"""Where parties are registered: anybody may check a letter by it, and what was disowned is compared with it.

The register itself is kept by another service. An address that is registered again after its holder disowned it is in
doubt again: nothing goes there until somebody has verified it.
"""

from collections.abc import Mapping
from typing import Literal
from uuid import UUID

from services.party_notification.domain.contacts import DoubtState
from services.party_notification.store import cases, contacts
from services.party_notification.store.contacts import Doubt
from services.party_notification.usecases.addresses import ids_for, ids_of
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit, registered
from shared.contracts.envelope import Sealed
from shared.contracts.notices import ContactDisowned, ContactReplaced
from shared.crypto.sealed import SealError
from shared.db.transaction import Transaction

CONTACT_SIGNAL = "contact"


async def list_contacts(kit: NotificationKit) -> bool:
    """List where a party is registered, and compare; whether there was a party to be listed."""
    async with kit.db.read() as conn:
        party_id = await contacts.due(conn)
        party = None if party_id is None else await cases.get_party(conn, party_id)
    if party is None:
        return False
    async with kit.db.begin() as tx:
        await cases.lock_case(tx.conn, party.case_id)
        now = await cases.lock_party(tx.conn, party.party_id)
        ids = await ids_for(kit, tx, set(registered(kit.keyring, now).values()))
        await contacts.register(tx.conn, party.party_id, sorted(set(ids.values())))
        await compare(kit, tx, party.party_id)
    return True


async def compare(kit: NotificationKit, tx: Transaction, party_id: UUID) -> None:
    """Tell which disowned contact is registered no more, and which is again, of a case that is locked."""
    party = await cases.get_party(tx.conn, party_id)
    doubts = [] if party is None else await contacts.suppressed(tx.conn, party_id)
    if party is None or party.misfiled_at is not None:
        return
    effects = Effects()
    for doubt in doubts:
        here = await is_there(kit, tx, doubt, registered(kit.keyring, party))
        if here != (doubt.state == DoubtState.OPEN):
            await _tell(kit, tx, doubt, effects, here=here)
    if effects.events:
        await effects.tell(tx, party.case_id)


async def _tell(kit: NotificationKit, tx: Transaction, doubt: Doubt, effects: Effects, *, here: bool) -> None:
    state = DoubtState.OPEN if here else DoubtState.REPLACED
    await contacts.change(tx.conn, doubt.doubt_id, {"state": state.value})
    if here:
        effects.events.append(await disowned(kit, tx, doubt, registered=True))
    else:
        ids = {"case_id": doubt.case_id, "party_id": doubt.party_id}
        effects.events.append(ContactReplaced(**ids, channel=doubt.channel))


async def is_there(
    kit: NotificationKit, tx: Transaction, doubt: Doubt, contacts_now: Mapping[Literal["sms", "mail"], str]
) -> bool:
    """Whether the disowned address is the one that is registered now."""
    address = contacts_now.get(doubt.channel)
    known = {} if address is None else await ids_of(kit, tx, [address])
    return doubt.address_id in known.values()


async def disowned(kit: NotificationKit, tx: Transaction, doubt: Doubt, *, registered: bool) -> ContactDisowned:
    """What is told of a contact to which nothing goes any more."""
    return ContactDisowned(
        case_id=doubt.case_id,
        party_id=doubt.party_id,
        channel=doubt.channel,
        disowned_at=doubt.disowned_at,
        address=await sealed_address(kit, tx, doubt),
        registered=registered,
    )


async def sealed_address(kit: NotificationKit, tx: Transaction, doubt: Doubt) -> Sealed | None:
    """Which address it is, for those who keep the register; None where it cannot be read."""
    try:
        address = kit.keyring.open(await contacts.address_of(tx.conn, doubt.address_id), f"{doubt.address_id}/address")
    except SealError:
        return None
    return Sealed(kit.exchange.seal(address, str(doubt.party_id)))
