"""Taking sign-in back: here at once, everywhere else within seconds by an event."""

from uuid import UUID

from services.staff.store import doors
from shared.clock import SystemClock
from shared.contracts.staff import AccessRevoked
from shared.db import revocations
from shared.db.transaction import Transaction, new_id

_MACHINE = SystemClock()
"""Tokens live by the machine's clock, so they are taken back by it."""


async def take_back(tx: Transaction, staff_id: UUID) -> None:
    """End every session of a member, and all that was issued to them until now."""
    await doors.revoke_all(tx.conn, staff_id)
    await outdate(tx, staff_id)


async def outdate(tx: Transaction, staff_id: UUID, session: UUID | None = None) -> None:
    """Tokens issued to a member until now are worth nothing; with `session` only those of that session or API token.

    A session that stands is renewed unseen, with the posts that they have now.
    """
    event = AccessRevoked(revocation_id=new_id(), staff_id=staff_id, not_before=_MACHINE.now(), session=session)
    await revocations.note(tx.conn, event)
    await tx.emit(event)
