"""Taking sign-in back: here at once, everywhere else within seconds by an event.

Whoever takes back holds the member first, and so does whoever reads what a token will say: what was read before is
older than `not_before`, what is read later is read as it has become.
"""

from uuid import UUID

from services.staff.domain.doors import DoorKind
from services.staff.domain.people import Member
from services.staff.store import doors, people, record, tokens
from shared.contracts.staff import AccessRevoked
from shared.db import revocations
from shared.db.transaction import Transaction, new_id
from shared.errors import Unauthenticated
from shared.http.auth import Caller


async def standing(tx: Transaction, caller: Caller) -> Member:
    """The caller, held, if nothing of their sign-in was taken back up to this instant. Raises Unauthenticated.

    What is handed out for long asks here: services look at what was taken back only every few seconds.
    """
    member = await people.locked(tx.conn, caller.staff_id)
    taken = await revocations.taken_back(tx.conn)
    if member is None or not member.active or taken.covers(caller.staff_id, caller.session, caller.born):
        raise Unauthenticated("signed_out", "登录已退出或被收回，请重新登录。")
    return member


async def take_back(tx: Transaction, staff_id: UUID, by: UUID | None) -> None:
    """End every session and API token of a member, and all that was issued to them until now."""
    await people.locked(tx.conn, staff_id)
    await doors.revoke_all(tx.conn, staff_id)
    names = await tokens.revoke_all(tx.conn, staff_id)
    await record.note_each(tx.conn, DoorKind.API_TOKEN_REVOKED, staff_id, by, names)
    await outdate(tx, staff_id)


async def outdate(tx: Transaction, staff_id: UUID, session: UUID | None = None) -> None:
    """Tokens issued to a member until now are worth nothing; with `session` only those of that session or API token.

    A session that stands is renewed unseen, with the posts that they have now.
    """
    await people.locked(tx.conn, staff_id)
    now = await revocations.instant(tx.conn)
    event = AccessRevoked(revocation_id=new_id(), staff_id=staff_id, not_before=now, session=session)
    await revocations.note(tx.conn, event)
    await tx.emit(event)
