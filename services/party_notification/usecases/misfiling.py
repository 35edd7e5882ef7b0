"""A party that never belonged to the case: nothing more is owed to it, and whoever was told is told of the error."""

from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.next_step import Done
from services.party_notification.store import cases, doors, holding, sending, withdrawing
from services.party_notification.usecases.corrections import owe_corrections
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import Sighting, note_all
from shared.contracts.cases import PartyMisfiled
from shared.db.transaction import Transaction
from shared.errors import NotYet

_DROPPED = "误登记更正：收件人不是本案当事人，不再发送。"


async def withdraw_party(kit: NotificationKit, tx: Transaction, event: PartyMisfiled) -> None:
    """Drop what has not left, void what was owed, and correct what was told."""
    await cases.lock_case(tx.conn, event.case_id)
    if await cases.get_party(tx.conn, event.party_id) is None:
        raise NotYet(f"party {event.party_id}")
    if not await holding.set_misfiled(tx.conn, event.party_id, tx.now):
        return
    await doors.close(tx.conn, event.party_id)
    await withdrawing.withdraw(tx.conn, event.party_id, withdrawing.MISFILED)
    await withdrawing.drop_in_hand(tx.conn, event.party_id, _DROPPED)
    dropped = Sighting(Seen.NOT_LEFT, permanent=False, detail=_DROPPED, decided=Done())
    waiting = await sending.not_left_yet(tx.conn, event.party_id)
    await note_all(kit, tx, {row.delivery_id: dropped for row in waiting})
    await withdrawing.withdraw_notices(tx.conn, event.party_id)
    body = {"party_id": str(event.party_id), "by": str(event.by)}
    await Effects([("party.misfiled", body)]).tell(tx, event.case_id)
    await owe_corrections(kit, tx, event.party_id)
