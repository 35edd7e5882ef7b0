"""The ids of telephones and mailboxes, whichever index key their rows are hashed with."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from services.party_notification.domain.addresses import ADDRESS, END, end_of, same
from services.party_notification.store import addresses, sending
from services.party_notification.usecases.facts import NotificationKit, indexes
from shared.crypto.lookups import Lookups
from shared.crypto.sealed import SealError
from shared.db.transaction import Transaction, new_id

_PORTION = 200


async def ids_for(kit: NotificationKit, tx: Transaction, wanted: Collection[str]) -> dict[str, UUID]:
    """The ids of addresses; one to which nobody was written before gets its own.

    Asked once for all that an act writes to: two acts that ask for the same addresses never wait for each other.
    """
    known = await ids_of(kit, tx, wanted)
    new = {same(address) for address in wanted if address not in known}
    if new:
        # Under the oldest key, which every process has, whatever it hashes with: one at a time adds an address.
        oldest = kit.keyring.lookups.oldest_index
        await sending.hold(tx.conn, *(f"address/{oldest(address, ADDRESS)}" for address in new))
        known = await ids_of(kit, tx, wanted)
        added = await _add(kit, tx, [address for address in wanted if address not in known])
        known |= {address: added[same(address)] for address in wanted if address not in known}
    return known


async def ids_of(kit: NotificationKit, tx: Transaction, wanted: Collection[str]) -> dict[str, UUID]:
    """The ids of those addresses to which anybody was written."""
    hashed = {address: indexes(kit.keyring, address) for address in wanted}
    found = await addresses.find(tx.conn, {index for each in hashed.values() for index in each})
    known = {address: [found[index] for index in each if index in found] for address, each in hashed.items()}
    return {address: ids[0] for address, ids in known.items() if ids}


async def _add(kit: NotificationKit, tx: Transaction, new: Collection[str]) -> dict[str, UUID]:
    """The ids by the one form of each: however often it was written, an address has one row."""
    ids = {form: (new_id(), address) for form, address in {same(address): address for address in new}.items()}
    if ids:
        await addresses.add(tx.conn, [_row(kit, address_id, address) for address_id, address in ids.values()])
    return {form: address_id for form, (address_id, _) in ids.items()}


def _row(kit: NotificationKit, address_id: UUID, address: str) -> dict[str, Any]:
    return {
        "address_id": address_id,
        "address": kit.keyring.seal(address, f"{address_id}/address"),
        "address_index": indexes(kit.keyring, address)[0],
        "end_index": kit.lookups.index(end_of(address), END),
    }


def ends(lookups: Lookups, typed: str) -> tuple[str, ...]:
    """The hashes by which addresses are found from what was typed of them."""
    return lookups.indexes(end_of(typed), END)


async def mark_ends(kit: NotificationKit) -> bool:
    """Make addresses of an older release known by their ends; whether there were any."""
    async with kit.db.begin() as tx:
        rows = await addresses.unmarked(tx.conn, _PORTION)
        if rows:
            await addresses.mark(
                tx.conn, [{"address_id": row.address_id, "end_index": _end(kit, *row)} for row in rows]
            )
    return bool(rows)


def _end(kit: NotificationKit, address_id: UUID, address: str) -> str:
    """What does not open is found by no end, and keeps no other from it."""
    try:
        return kit.lookups.index(end_of(kit.keyring.open(address, f"{address_id}/address")), END)
    except SealError:
        return ""
