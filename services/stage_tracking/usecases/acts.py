"""What a judge records in a case: work, a milestone, the entry into a period, a limit made longer."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from services.stage_tracking.domain.acts import Act, EnterPeriod, ReachMilestone, Work, publication_faults
from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.stages import (
    CHECKLISTS,
    MILESTONE_TITLES,
    PERIOD_TITLES,
    Stage,
    day_faults,
    refuse_milestone,
    refuse_period,
)
from services.stage_tracking.domain.tasks import Owner, Task, TaskKind
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, stages
from services.stage_tracking.store.rows import Case
from services.stage_tracking.usecases.asking import open_task
from services.stage_tracking.usecases.clocks import keep_clocks, reached_milestones
from services.stage_tracking.usecases.extending import extend
from services.stage_tracking.usecases.journal import LogEntry, entry_at, publish, published_facts, write
from shared.clock import court_date
from shared.contracts.stages import Milestone, MilestoneReached, Period, PeriodOpened
from shared.db.answers import given_before, remember
from shared.db.transaction import Transaction
from shared.errors import Fault, Forbidden, Invalid, NotFound
from shared.http.auth import Caller
from shared.powers import Role, exercised
from shared.web.formats import cn_date


async def act(kit: StageKit, caller: Caller, case_key: str, deed: Act, key: tuple[str, str] | None = None) -> LogEntry:
    """Record the deed; its log entry. `key`: idempotency key and the body's fingerprint.

    Raises NotFound, Forbidden (not their case), Conflict (state, powers, key reused) and Invalid.
    """
    async with kit.db.begin() as tx:
        case = await _own_case(tx, caller, case_key)
        scope = f"acts:{case.case_id}:{caller.staff_id}"
        if key is not None:
            before = await given_before(tx, scope, *key)
            if before is not None:
                return await entry_at(kit, tx, case.case_id, before["position"])
        await cases.hold_power(tx.conn, case, caller.staff_id, case.kind.power, tx.now)
        entry = await _RECORDERS[deed.kind](kit, tx, caller, case, deed)
        if key is not None:
            await remember(tx, scope, *key, {"position": entry.position})
    return entry


def may_act(caller: Caller, case: Case) -> bool:
    """Who has the case's power: its own judge, or a presiding judge or division chief of its department."""
    if case.judge_id is None or case.kind.power not in exercised(caller.roles):
        return False
    heads = {Role.PRESIDING, Role.CHIEF} & caller.roles
    return caller.staff_id == case.judge_id or (bool(heads) and caller.department == case.department)


async def _own_case(tx: Transaction, caller: Caller, case_key: str) -> Case:
    found = await cases.find(tx.conn, case_key)
    case = None if found is None else await cases.lock(tx.conn, found.case_id)
    if case is None:
        raise NotFound("case_not_found", "没有这个案件，请核对案号。")
    if not may_act(caller, case):
        raise Forbidden("not_own_case", f"{_why_not(caller, case)}如需办理，请联系执行管理人员。")
    return case


def _why_not(caller: Caller, case: Case) -> str:
    kind = case.kind
    if kind.power not in exercised(caller.roles):
        own = "请重新分案；" if caller.staff_id == case.judge_id else ""
        return f"本案是{kind.title}，由{kind.handler.department}办理，其他部门的人员不能登记。{own}"
    return "案件尚未确定承办人，暂不能登记。" if case.judge_id is None else "您不是本案的承办法官或所在部门负责人。"


async def stage_of(tx: Transaction, case: Case) -> Stage:
    """Where the case stands."""
    rows = await stages.periods_of(tx.conn, case.case_id)
    since = next((row.opened_on for row in rows if row.period == case.period), None)
    period = None if case.period is None else Period(case.period)
    reached = await reached_milestones(tx, case.case_id)
    return Stage(case.filed_on, period, since, reached, case.kind)


async def _work(kit: StageKit, tx: Transaction, caller: Caller, case: Case, work: Work) -> LogEntry:
    faults = publication_faults(work, tx.now)
    if faults:
        raise Invalid(faults)
    plain: Mapping[str, object] = {} if work.publish is None else {"published": published_facts(work.publish)}
    note = Note(EntryKind.WORK, work.text, work.title, work.evidence, caller.staff_id, caller.name, plain)
    entry = await write(kit, tx, case.case_id, note)
    if work.publish is not None:
        await publish(kit, tx, case.case_id, entry, work.publish, f"{work.title}：{work.text}")
    return entry


async def _milestone(kit: StageKit, tx: Transaction, caller: Caller, case: Case, deed: ReachMilestone) -> LogEntry:
    stage = await stage_of(tx, case)
    refuse_milestone(stage, deed.milestone)
    earliest = stage.reached.get(Milestone.CLOSURE)
    faults = day_faults(stage, "milestone.on", deed.on, court_date(tx.now), earliest)
    if faults:
        raise Invalid(faults)
    await stages.reach(tx.conn, case.case_id, deed.milestone, deed.on)
    if deed.milestone is Milestone.CLOSURE:
        await cases.change(tx.conn, case.case_id, closed_on=deed.on)
    await tx.emit(MilestoneReached(case_id=case.case_id, milestone=deed.milestone, on=deed.on))
    title = f"登记“{MILESTONE_TITLES[deed.milestone]}”节点"
    note = _note(EntryKind.MILESTONE, f"完成日期：{cn_date(deed.on)}", title, deed.evidence, caller)
    entry = await write(kit, tx, case.case_id, note)
    await keep_clocks(kit, tx, case.case_id)
    return entry


async def _period(kit: StageKit, tx: Transaction, caller: Caller, case: Case, deed: EnterPeriod) -> LogEntry:
    stage = await stage_of(tx, case)
    refuse_period(stage, deed.period)
    checklist = CHECKLISTS[deed.period]
    faults = day_faults(stage, "enter_period.on", deed.on, court_date(tx.now), stage.since)
    if not set(deed.checked) <= set(checklist):
        faults.append(Fault("enter_period.checklist", f"核对事项只能从以下各项中选择：{'、'.join(checklist)}。"))
    if faults:
        raise Invalid(faults)
    await stages.open_period(tx.conn, case.case_id, deed.period, deed.on)
    await cases.change(tx.conn, case.case_id, period=deed.period)
    await tx.emit(PeriodOpened(case_id=case.case_id, period=deed.period, on=deed.on))
    missing = [sentence for name, sentence in checklist.items() if name not in deed.checked]
    done = len(checklist) - len(missing)
    text = f"进入日期：{cn_date(deed.on)}。质量核对：{done}/{len(checklist)}项已确认。" + _left_out(missing)
    note = _note(EntryKind.PERIOD, text, f"进入{PERIOD_TITLES[deed.period]}", deed.evidence, caller)
    entry = await write(kit, tx, case.case_id, note)
    if missing:
        title = f"{PERIOD_TITLES[deed.period]}质量核对事项待补"
        owner = Owner(staff_id=case.judge_id)
        await open_task(kit, tx, case.case_id, Task(TaskKind.CHECKLIST, deed.period, title, _left_out(missing), owner))
    return entry


def _left_out(missing: list[str]) -> str:
    return f"尚未确认：{'；'.join(missing)}。" if missing else ""


def _note(kind: EntryKind, text: str, title: str, evidence: str, caller: Caller) -> Note:
    return Note(kind, text, title, evidence, caller.staff_id, caller.name)


_Recorder = Callable[[StageKit, Transaction, Caller, Case, Any], Coroutine[Any, Any, LogEntry]]
_RECORDERS: Mapping[str, _Recorder] = {
    "work": _work,
    "milestone": _milestone,
    "enter_period": _period,
    "extend": extend,
}
