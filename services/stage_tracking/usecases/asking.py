"""Tasks for people: opened with their detail sealed; what a case lacks is asked for, and asked no more once known."""

from uuid import UUID

from services.stage_tracking.domain.deadlines import CaseDates
from services.stage_tracking.domain.tasks import Task, TaskKind, ask_ground, ask_main_case, ask_receipt
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, tasks
from shared.contracts.case_kinds import DeadlineKind
from shared.db.transaction import Transaction

ASKED_AT_ONCE = 200


async def open_task(kit: StageKit, tx: Transaction, case_id: UUID, task: Task) -> None:
    """Open a task, its detail sealed."""
    await tasks.open_task(tx.conn, case_id, task, kit.keyring.seal(task.detail, str(case_id)), tx.now)


async def ask_for_facts(kit: StageKit, tx: Transaction, case_id: UUID) -> None:
    """Somebody must say what clocks and letters hang on: receipt, ground, main case; nobody once it is known."""
    case = await cases.lock(tx.conn, case_id)
    if case is None:
        return
    kind, is_open = cases.kind_of_row(case), case.closed_on is None
    dates = CaseDates(kind, case.filed_on, received_on=case.received_on)
    clocks = [each for each in DeadlineKind if each in kind.from_receipt]
    receipt = ask_receipt(clocks) if is_open and dates.lacks_receipt else None
    await _ask_or_close(kit, tx, case_id, TaskKind.ASK_RECEIPT, receipt)
    if kind.review is not None:
        ground = ask_ground(kind.review.length.words) if is_open and case.ground is None else None
        await _ask_or_close(kit, tx, case_id, TaskKind.ASK_GROUND, ground)
    if kind.about_main:
        main = ask_main_case(kind) if is_open and case.main_case is None else None
        await _ask_or_close(kit, tx, case_id, TaskKind.ASK_MAIN_CASE, main)


async def ask_for_old(kit: StageKit) -> int:
    """Ask for the missing facts of cases that came in before anybody asked for them; how many cases."""
    async with kit.db.read() as conn:
        case_ids = await cases.not_asked(conn, ASKED_AT_ONCE)
    for case_id in case_ids:
        async with kit.db.begin() as tx:
            await ask_for_facts(kit, tx, case_id)
            await cases.change(tx.conn, case_id, facts_asked=True)
    return len(case_ids)


async def _ask_or_close(kit: StageKit, tx: Transaction, case_id: UUID, kind: TaskKind, asked: Task | None) -> None:
    if asked is None:
        await tasks.close(tx.conn, case_id, kind, "case", tx.now)
    else:
        await open_task(kit, tx, case_id, asked)
