"""The clerk takes back the notices of an import before they leave, or lets them go.

The decision is one row; each case is told of it in its turn, also one that is filed a moment later.
"""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.case_intake.domain.holds import Hold, NoticesState, recalls, releases
from services.case_intake.settings import IntakeKit
from services.case_intake.store import imports
from shared.contracts.cases import CaseEvent, NoticesRecalled, NoticesReleased
from shared.db.transaction import Transaction
from shared.errors import NotFound

DECIDED_SIGNAL = "hold_decided"
_AT_ONCE = 200


async def recall(kit: IntakeKit, import_id: UUID, by: UUID) -> None:
    """Nobody of the import's cases is told until they are released; clocks run. Repeating it changes nothing.

    Raises NotFound; Conflict once the hold is over.
    """
    async with kit.db.begin() as tx:
        if recalls(await _state(tx, import_id)):
            values = {"recalled_at": tx.now, "recalled_by": by, "untold": True}
            await imports.change_import(tx.conn, import_id, values)
            tx.wake(DECIDED_SIGNAL)
    await tell_decisions(kit)


async def release(kit: IntakeKit, import_id: UUID, by: UUID) -> None:
    """What was held or recalled may leave at once. Repeating it changes nothing. Raises NotFound, Conflict."""
    async with kit.db.begin() as tx:
        if releases(await _state(tx, import_id)):
            values = {"released_at": tx.now, "released_by": by, "untold": True}
            await imports.change_import(tx.conn, import_id, values)
            tx.wake(DECIDED_SIGNAL)
    await tell_decisions(kit)


async def tell_decisions(kit: IntakeKit) -> None:
    """Tell of every case whose notices were recalled or released and that has not been told of yet."""
    while await _tell_some(kit):
        pass
    async with kit.db.begin() as tx:
        await imports.settle_told(tx.conn)


async def _tell_some(kit: IntakeKit) -> bool:
    async with kit.db.begin() as tx:
        rows = await imports.claim_untold(tx.conn, _AT_ONCE)
        await tx.emit(*map(_told, rows))
        await imports.mark_told(tx.conn, rows)
    return bool(rows)


def _told(row: Row[Any]) -> CaseEvent:
    if row.released_by is not None:
        return NoticesReleased(case_id=row.case_id, by=row.released_by)
    return NoticesRecalled(case_id=row.case_id, by=row.recalled_by)


async def _state(tx: Transaction, import_id: UUID) -> NoticesState:
    row = await imports.lock_import(tx.conn, import_id)
    if row is None:
        raise NotFound("import_not_found", "没有这次导入，请从导入记录中选择。")
    return hold_of(row).state(tx.now)


def hold_of(row: Row[Any]) -> Hold:
    """The hold of an import's row."""
    return Hold(row.hold_minutes, row.done_at, row.recalled_at, row.released_at)
