"""Notices are held for a while after the filing, recalled by the clerk, released again: what is owed follows."""

from datetime import timedelta
from uuid import UUID

from services.party_notification.store import cases, holding
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.issuing import settle_debts
from services.party_notification.usecases.outgoing import SEND_SIGNAL
from shared.db.transaction import Transaction, new_id
from shared.errors import NotYet

_PUT_OFF = timedelta(minutes=1)


async def recall(kit: NotificationKit, tx: Transaction, case_id: UUID, by: UUID, cause: UUID) -> None:
    """What has not left stays: planned messages are not claimed any more, what is newly owed waits."""
    if await cases.lock_case(tx.conn, case_id) is None:
        raise NotYet(f"case {case_id}")
    await holding.set_case(tx.conn, case_id, recalled_at=tx.now)
    await Effects([("notices.recalled", {"by": str(by)})]).tell(tx, case_id)
    await settle_debts(kit, tx, case_id, cause)


async def release(kit: NotificationKit, tx: Transaction, case_id: UUID, by: UUID, cause: UUID) -> None:
    """What was held or recalled leaves at once."""
    if await cases.lock_case(tx.conn, case_id) is None:
        raise NotYet(f"case {case_id}")
    await holding.release(tx.conn, case_id)
    await Effects([("notices.released", {"by": str(by)})]).tell(tx, case_id)
    await settle_debts(kit, tx, case_id, cause)
    tx.wake(SEND_SIGNAL)


async def settle_due(kit: NotificationKit) -> bool:
    """Settle the case whose hold, or whose entry's earliest moment, has passed the longest; whether there was one.

    At start-up this finds those that passed while the service was down. One that fails stands back for a minute.
    """
    case_id = None
    try:
        async with kit.db.begin() as tx:
            case_id = await holding.claim_due(tx.conn, tx.now)
            if case_id is not None:
                await holding.set_case(tx.conn, case_id, settle_at=None)
                await settle_debts(kit, tx, case_id, new_id())
    except Exception:
        if case_id is not None:
            await _put_off(kit, case_id)
        raise
    return case_id is not None


async def _put_off(kit: NotificationKit, case_id: UUID) -> None:
    async with kit.db.begin() as tx:
        await holding.set_case(tx.conn, case_id, settle_at=tx.now + _PUT_OFF)
