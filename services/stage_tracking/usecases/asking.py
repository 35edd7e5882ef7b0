"""Tasks for people: opened with their detail sealed; what a case lacks is asked for, and asked no more once known."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from services.stage_tracking.domain.deadlines import CaseDates
from services.stage_tracking.domain.tasks import (
    FACTS,
    Task,
    TaskKind,
    ask_ground,
    ask_main_case,
    ask_receipt,
    assign_other,
    begin_now,
)
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, deadlines, stages, tasks
from services.stage_tracking.store.rows import Case, Clock
from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.stages import Milestone
from shared.db.transaction import Transaction
from shared.errors import Conflict
from shared.powers import power_of

ASKED_AT_ONCE = 200

Questions = dict[tasks.About, Task | None]
"""What is asked of cases; None where there is nothing to ask any more."""


async def open_task(kit: StageKit, tx: Transaction, case_id: UUID, task: Task) -> None:
    """Open a task, its detail sealed."""
    await tasks.open_all(tx.conn, [_opening(kit, case_id, task)], tx.now)


def _opening(kit: StageKit, case_id: UUID, task: Task) -> tasks.Opening:
    return tasks.Opening(case_id, task, kit.keyring.seal(task.detail, str(case_id)))


async def keep_questions(
    kit: StageKit, tx: Transaction, case: Case, reached: Collection[Milestone], clocks: Sequence[Clock]
) -> None:
    """What follows from the facts is asked as long as it stands: a missing fact, and an urgent beginning."""
    await _ask(kit, tx, _of_facts(case, reached, clocks))


async def keep_handler(kit: StageKit, tx: Transaction, case_id: UUID) -> None:
    """The case's judge exercises its power; who may not is replaced by management, who is asked until it is done."""
    case = await cases.lock(tx.conn, case_id)
    if case is not None:
        await _ask(kit, tx, await _of_handler(tx, case))


async def ask_for_old(kit: StageKit) -> int:
    """Ask for the missing facts of cases that came in before anybody asked for them; how many cases."""
    async with kit.db.begin() as tx:
        found = await cases.lock_not_asked(tx.conn, ASKED_AT_ONCE)
        questions: Questions = {}
        for case in found:
            # One after the other: what a judge may do in a case hangs on the cases near it.
            questions |= _of_facts(case, *await _done(tx, case)) | await _of_handler(tx, case)
        await _ask(kit, tx, questions)
    return len(found)


async def _ask(kit: StageKit, tx: Transaction, questions: Questions) -> None:
    wanted = [_opening(kit, about.case_id, task) for about, task in questions.items() if task is not None]
    await tasks.keep_all(tx.conn, wanted, tx.now)
    await tasks.close_each(tx.conn, [about for about, task in questions.items() if task is None], tx.now)


async def _done(tx: Transaction, case: Case) -> tuple[set[Milestone], Sequence[Clock]]:
    """What was reached, and the clocks as they stand; only an urgent case hangs on them."""
    if not case.kind.urgent:
        return set(), ()
    known = (await stages.milestones_of(tx.conn, [case.case_id]))[case.case_id]
    reached = {row.milestone for row in known if row.actual_on is not None}
    return reached, await deadlines.current(tx.conn, case.case_id)


def _of_facts(case: Case, reached: Collection[Milestone], clocks: Sequence[Clock]) -> Questions:
    """Every question that may have to be asked of a case; None where there is nothing to ask, or not any more."""
    asked: dict[TaskKind, Task | None] = dict.fromkeys((*sorted(FACTS), TaskKind.BEGIN_NOW))
    if case.closed_on is None:
        asked |= _lacking(case)
        if case.kind.urgent and Milestone.ENFORCEMENT not in reached:
            asked[TaskKind.BEGIN_NOW] = begin_now(case.judge_id, _until(clocks, DeadlineKind.PRESERVATION_BEGIN))
    questions: Questions = {tasks.About(case.case_id, each, "case"): task for each, task in asked.items()}
    if case.closed_on is not None:
        questions[tasks.About(case.case_id, TaskKind.POWER_CONFLICT, "judge")] = None
    return questions


def _lacking(case: Case) -> dict[TaskKind, Task]:
    kind, found = case.kind, {}
    dates = CaseDates(kind, case.filed_on, received_on=case.received_on, secured_on=case.secured_on)
    if dates.waiting:
        found[TaskKind.ASK_RECEIPT] = ask_receipt(dates.waiting)
    if kind.review is not None and case.ground is None:
        found[TaskKind.ASK_GROUND] = ask_ground(kind.review.length.words)
    if kind.about_main and case.main_case is None:
        found[TaskKind.ASK_MAIN_CASE] = ask_main_case(kind)
    return found


def _until(clocks: Sequence[Clock], kind: DeadlineKind) -> datetime | None:
    """By when it is to be done at the latest, once that is certain."""
    return next((row.due_at for row in clocks if row.kind is kind and not row.provisional), None)


async def _of_handler(tx: Transaction, case: Case) -> Questions:
    if case.judge_id is None:
        return {}
    why = None if case.closed_on else await _unfit(tx, case, case.judge_id)
    other = None if why is None else assign_other(why)
    return {tasks.About(case.case_id, TaskKind.POWER_CONFLICT, "judge"): other}


async def _unfit(tx: Transaction, case: Case, judge_id: UUID) -> str | None:
    """Why the case's judge may not work it."""
    kind = case.kind
    if power_of(case.department) != kind.power:
        post = kind.handler
        here = f"本案是{kind.title}，由{post.department}办理；现承办人属{case.department}，不能登记办理情况。"
        return f"{here}请改由{post.department}的{post.title}承办。"
    try:
        await cases.hold_power(tx.conn, case, judge_id, kind.power, tx.now)
    except Conflict as refusal:
        return refusal.detail
    return None
