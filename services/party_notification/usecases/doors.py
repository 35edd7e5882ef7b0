"""The party's door: who has the query code and the end of the ID number opens it, and nobody else.

Each party has a key pair. What their pages show is sealed to the public half; the private half lies locked under a key
that is derived from code and ID number (Argon2id) and kept nowhere. So a process of the public zone, with its
environment, its files and its database role, opens nothing that no party opens for it. A code is found by a keyed hash
of its slow hash: trying all codes costs as much as opening all doors.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.store import doors
from services.party_notification.usecases.facts import NotificationKit, identity_of, query_code_of
from shared.crypto.boxes import SALT_BYTES, Box, Effort, locked, stretched, unlocked
from shared.crypto.codes import normalize
from shared.crypto.sealed import SealError
from shared.crypto.slow import LINE
from shared.db.transaction import Transaction
from shared.runtime.taking import take

_CODES = b"yangguang query codes"
_SUFFIX = Effort(passes=1, memory=8 * 1024)
"""For the end of the ID number, on top of what the code cost."""
DOOR_SIGNAL, PAGE_SIGNAL = "door", "page"


@dataclass(frozen=True)
class Known:
    """A query code, slowly hashed: what a door is found and opened by."""

    slow: str

    @classmethod
    async def of(cls, code: str, *, ours: bool = False) -> "Known":
        """Raises TooMany while too many wait in line; `ours`: the product's own work finds a place kept."""
        return cls((await LINE.run(stretched, normalize(code), _CODES, known=ours)).hex())

    def indexes(self, kit: NotificationKit) -> tuple[str, ...]:
        """Under which hashes its door may be found."""
        return kit.lookups.indexes(self.slow, doors.QUERY_CODE)

    def key(self, last_six: str, salt: bytes) -> bytes:
        """What locks the door's key."""
        return stretched(f"{self.slow}/{last_six}", salt, effort=_SUFFIX)


async def unlock(known: Known, door: Row[Any] | None, last_six: str) -> Box | None:
    """The party's key pair, if the door opens; a code without a door takes as long. Raises TooMany."""
    return await LINE.run(_unlock, known, door, last_six)


def _unlock(known: Known, door: Row[Any] | None, last_six: str) -> Box | None:
    key = known.key(last_six, b"-" * SALT_BYTES if door is None else bytes(door.salt))
    if door is None or door.closed:
        return None
    try:
        return unlocked(door.locked_key, key, f"{door.party_id}/door")
    except SealError:
        return None


async def make_door(kit: NotificationKit) -> bool:
    """Make the door of a party that needs one, or another; whether there was such a party."""
    return await take(kit.db, doors.WANTED, partial(_make, kit)) > 0


async def _make(kit: NotificationKit, tx: Transaction, party_ids: Sequence[UUID]) -> None:
    for party_id in party_ids:
        row = await doors.party(tx.conn, party_id)
        known = await Known.of(query_code_of(kit.keyring, row), ours=True)
        await doors.put(tx.conn, await _door(kit, row, known))
        await doors.make_stale(tx.conn, row.case_id)
        tx.wake(PAGE_SIGNAL)


async def _door(kit: NotificationKit, row: Row[Any], known: Known) -> dict[str, Any]:
    last_six = suffix_of(kit, row)
    salt, box = secrets.token_bytes(SALT_BYTES), Box.generate()
    key = await LINE.run(known.key, last_six, salt, known=True)
    return {
        "party_id": row.party_id,
        "case_id": row.case_id,
        **_code(kit, row.party_id, known),
        "salt": salt,
        "public_key": box.drop.to_text(),
        "locked_key": locked(box, key, f"{row.party_id}/door"),
        "closed": row.misfiled_at is not None,
    }


def _code(kit: NotificationKit, party_id: UUID, known: Known) -> dict[str, str]:
    """What a code is found by, and of what it is made: the door is no weaker by it, as the code itself rests so."""
    sealed = kit.keyring.seal(known.slow, f"{party_id}/slow")
    return {"code_index": kit.lookups.index(known.slow, doors.QUERY_CODE), "code": sealed}


async def hash_anew(kit: NotificationKit) -> bool:
    """Hash the code of a door of before its slow hash was kept, when there is a new key; whether there was such a door.

    Until its turn comes it is found under the old key.
    """
    return await take(kit.db, doors.unkept(kit.lookups.current), partial(_hash_anew, kit)) > 0


async def _hash_anew(kit: NotificationKit, tx: Transaction, party_ids: Sequence[UUID]) -> None:
    for party_id in party_ids:
        row = await doors.party(tx.conn, party_id)
        known = await Known.of(query_code_of(kit.keyring, row), ours=True)
        await doors.hash_anew(tx.conn, party_id, **_code(kit, party_id, known))


def suffix_of(kit: NotificationKit, row: Row[Any]) -> str:
    """The end of a party's ID number, as it is asked for at the door."""
    return identity_of(kit.keyring, row).id_number[-6:].upper()


async def party_of(kit: NotificationKit, code: str) -> UUID | None:
    """Whose query code it is. Raises TooMany."""
    known = await Known.of(code)
    async with kit.db.read() as conn:
        door = await doors.find(conn, known.indexes(kit))
    return None if door is None else UUID(str(door.party_id))
