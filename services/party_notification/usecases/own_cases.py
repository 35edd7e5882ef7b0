"""What rests on one person's word alone is not said by whoever works the case."""

from uuid import UUID

from services.party_notification.store import cases
from services.party_notification.usecases.facts import ever_handled
from shared.db.transaction import Transaction
from shared.errors import Forbidden
from shared.http.auth import Caller


async def refuse_own(tx: Transaction, case_id: UUID, caller: Caller, detail: str) -> None:
    """Raise Forbidden, with what to do, for whoever handles the case or ever did."""
    row = await cases.get_case(tx.conn, case_id)
    if row is not None and ever_handled(row, caller):
        raise Forbidden("own_case", detail)
