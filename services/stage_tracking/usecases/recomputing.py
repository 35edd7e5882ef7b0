"""Clocks are computed anew by a newer calendar, or by the rules of a newer release."""

from uuid import UUID

from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, deadlines
from services.stage_tracking.usecases.asking import keep_handler
from services.stage_tracking.usecases.clocks import court_calendar, keep_clocks
from shared.calendar.workdays import CourtCalendar
from shared.db.transaction import Transaction
from shared.runtime.claims import work_through


async def recompute_outdated(kit: StageKit, calendar: CourtCalendar | None = None) -> int:
    """Compute running clocks anew that were set before a newer calendar was announced; how many cases.

    Raises ExceptionGroup for the cases that cannot be computed; they hold up no other.
    """
    calendar = calendar or court_calendar()
    async with kit.db.read() as conn:
        found = await deadlines.outdated(conn, calendar.known_until)
    left = iter(found)

    async def claim(_tx: Transaction, _stuck: UUID | None) -> UUID | None:
        return next(left, None)

    async def compute(tx: Transaction, case_id: UUID) -> None:
        await cases.lock(tx.conn, case_id)
        await keep_clocks(kit, tx, case_id, calendar)
        await keep_handler(kit, tx, case_id)

    def about(case_id: UUID) -> dict[str, object]:
        return {"case_id": case_id}

    return await work_through(kit.db, claim, compute, about, len(found))


async def bring_up_to_date(kit: StageKit, tx: Transaction, case_id: UUID) -> None:
    """Before something moves the clocks of a case whose row is locked: what a calendar moved, or a newer rule, is told.

    The job may not have come to it yet, and nothing is to be blamed for what it did not do.
    """
    until = court_calendar().known_until
    if any(row.met_at is None and row.calendar_until < until for row in await deadlines.current(tx.conn, case_id)):
        await keep_clocks(kit, tx, case_id)
