"""What filing learns from the others."""

from services.case_intake.settings import IntakeKit
from services.case_intake.store import judges
from services.case_intake.usecases.assignment import JUDGES_SIGNAL
from shared.contracts.envelope import Envelope
from shared.contracts.staff import MemberChanged
from shared.db.transaction import Transaction
from shared.powers import Role


async def on_member_changed(_kit: IntakeKit, tx: Transaction, event: MemberChanged, _envelope: Envelope) -> None:
    """Keep the judges as they now are; cases may wait for one."""
    if Role.JUDGE not in event.roles:
        await judges.retire_judge(tx.conn, event.staff_id)
        return
    values = event.model_dump(include={"staff_id", "court", "name", "phone", "department", "panel", "active"})
    await judges.put_judge(tx.conn, values)
    tx.wake(JUDGES_SIGNAL)
