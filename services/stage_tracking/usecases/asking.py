"""Tasks for people: opened with their detail sealed; what a case lacks is asked for, and asked no more once known."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.stage_tracking.domain.deadlines import CaseDates
from services.stage_tracking.domain.tasks import (
    Task,
    TaskKind,
    ask_ground,
    ask_main_case,
    ask_receipt,
    assign_other,
)
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, tasks
from shared.db.transaction import Transaction
from shared.errors import Conflict
from shared.powers import power_of

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
    receipt = ask_receipt(dates.waiting) if is_open and dates.waiting else None
    await _ask_or_close(kit, tx, case_id, TaskKind.ASK_RECEIPT, receipt)
    if kind.review is not None:
        ground = ask_ground(kind.review.length.words) if is_open and case.ground is None else None
        await _ask_or_close(kit, tx, case_id, TaskKind.ASK_GROUND, ground)
    if kind.about_main:
        main = ask_main_case(kind) if is_open and case.main_case is None else None
        await _ask_or_close(kit, tx, case_id, TaskKind.ASK_MAIN_CASE, main)
    await keep_handler(kit, tx, case_id)


async def keep_handler(kit: StageKit, tx: Transaction, case_id: UUID) -> None:
    """The case's judge exercises its power; who may not is replaced by management, who is asked until it is done."""
    case = await cases.lock(tx.conn, case_id)
    if case is None or case.judge_id is None:
        return
    why = None if case.closed_on else await _unfit(tx, case)
    other = None if why is None else assign_other(why)
    await _ask_or_close(kit, tx, case_id, TaskKind.POWER_CONFLICT, other, "judge")


async def _unfit(tx: Transaction, case: Row[Any]) -> str | None:
    """Why the case's judge may not work it."""
    kind = cases.kind_of_row(case)
    if power_of(case.department) is not kind.power:
        post = kind.handler
        here = f"本案是{kind.title}，由{post.department}办理；现承办人属{case.department}，不能登记办理情况。"
        return f"{here}请改由{post.department}的{post.title}承办。"
    try:
        await cases.hold_power(tx.conn, case, case.judge_id, kind.power, tx.now)
    except Conflict as refusal:
        return refusal.detail
    return None


async def ask_for_old(kit: StageKit) -> int:
    """Ask for the missing facts of cases that came in before anybody asked for them; how many cases."""
    async with kit.db.read() as conn:
        case_ids = await cases.not_asked(conn, ASKED_AT_ONCE)
    for case_id in case_ids:
        async with kit.db.begin() as tx:
            await ask_for_facts(kit, tx, case_id)
            await cases.change(tx.conn, case_id, facts_asked=True)
    return len(case_ids)


async def _ask_or_close(
    kit: StageKit, tx: Transaction, case_id: UUID, kind: TaskKind, asked: Task | None, subject: str = "case"
) -> None:
    if asked is None:
        await tasks.close(tx.conn, case_id, kind, subject, tx.now)
    else:
        await open_task(kit, tx, case_id, asked)
