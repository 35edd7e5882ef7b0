"""Events of the topic `cases`: a case begins, changes, gets its judge."""

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

from services.stage_tracking.domain.log import EntryKind, Note
from services.stage_tracking.domain.tasks import Owner, Task, TaskKind, assign_judge, tell_of_report
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import cases, deadlines, stages, tasks
from services.stage_tracking.store.rows import Case
from services.stage_tracking.store.serving import party_standing
from services.stage_tracking.usecases.asking import keep_handler, open_task
from services.stage_tracking.usecases.clocks import keep_clocks, urged_until
from services.stage_tracking.usecases.journal import write
from services.stage_tracking.usecases.limits import ANEW, Cause
from services.stage_tracking.usecases.recomputing import bring_up_to_date
from services.stage_tracking.usecases.serving import lose_party
from shared.clock import court_date
from shared.contracts.case_kinds import kind_of
from shared.contracts.cases import (
    AssignmentRule,
    CaseAssigned,
    CaseCorrected,
    CaseFacts,
    CaseFiled,
    JudgeCorrected,
    NoticesRecalled,
    NoticesReleased,
    PartyAdded,
    PartyChanged,
    PartyMisfiled,
    PartyRole,
)
from shared.contracts.envelope import Envelope
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import Milestone, MilestoneReached, Period, PeriodOpened
from shared.db.transaction import Transaction
from shared.errors import NotYet
from shared.powers import Role
from shared.web.formats import cn_date, cn_time

_ROLES = {PartyRole.APPLICANT: "申请执行人", PartyRole.RESPONDENT: "被执行人"}
_RULES = {AssignmentRule.BY_HAND: "人工指定", AssignmentRule.FEWEST_OPEN_CASES: "按在办案件数最少自动分案"}


async def known_case(tx: Transaction, case_id: UUID) -> Case:
    """The case, its row locked. Raises NotYet."""
    case = await cases.lock(tx.conn, case_id)
    if case is None:
        raise NotYet(f"case {case_id}")
    return case


async def hold_case(tx: Transaction, case_id: UUID) -> None:
    """Lock the case's row, unless this transaction has. Raises NotYet."""
    if case_id not in tx.held:
        await known_case(tx, case_id)
        tx.held.add(case_id)


async def on_case_filed(kit: StageKit, tx: Transaction, event: CaseFiled, envelope: Envelope) -> None:
    """The milestones are planned, the clocks of its kind start; of an enforcement the investigation period opens."""
    facts, case_id = event.facts, event.case_id
    enforces = kind_of(facts.case_number).enforces
    period = Period.INVESTIGATION if enforces else None
    row = {"case_id": case_id, "court": envelope.court, "period": period, "silent": event.silent}
    await cases.put(tx.conn, {**row, **_kept(facts)})
    await cases.put_parties(tx.conn, case_id, event.parties)
    await write(kit, tx, case_id, Note(EntryKind.FILED, _filing_words(event)))
    if enforces:
        await stages.open_period(tx.conn, case_id, Period.INVESTIGATION, facts.filed_on)
        await tx.emit(PeriodOpened(case_id=case_id, period=Period.INVESTIGATION, on=facts.filed_on))
    await keep_clocks(kit, tx, case_id)
    await reach(tx, case_id, Milestone.FILING, facts.filed_on)
    await _open_filing_tasks(kit, tx, case_id)


def _kept(facts: CaseFacts) -> dict[str, Any]:
    return {
        "number": facts.case_number,
        "filed_on": facts.filed_on,
        "received_on": facts.received_on,
        "secured_on": facts.secured_on,
        "cause": facts.cause,
        "administrative": facts.non_litigation,
        "main_case": facts.main_case,
        "urgent": facts.urgent,
        "ground": facts.ground,
        "report_ordered": facts.report_ordered,
    }


def _filing_words(event: CaseFiled) -> str:
    roles = [party.role for party in event.parties]
    counts = "、".join(f"{title}{roles.count(role)}名" for role, title in _ROLES.items())
    origin = "存量案件迁入，" if event.silent else ""
    return f"{origin}{event.facts.case_number}，立案日期{cn_date(event.facts.filed_on)}，登记{counts}。"


async def _open_filing_tasks(kit: StageKit, tx: Transaction, case_id: UUID) -> None:
    until = urged_until(await deadlines.current(tx.conn, case_id))
    kind = (await known_case(tx, case_id)).kind
    await open_task(kit, tx, case_id, assign_judge(kind, until[TaskKind.ASSIGN_JUDGE, "case"]))
    await _watch_roles(kit, tx, case_id)


async def _watch_roles(kit: StageKit, tx: Transaction, case_id: UUID) -> None:
    """A case that lacks a side tells nobody; somebody must complete it, unless there is nobody to be told."""
    case = await known_case(tx, case_id)
    there = [row.role for row in await cases.parties_of(tx.conn, case_id)]
    missing = missing_roles(there) if any(case.kind.owed.values()) else []
    if not missing:
        await tasks.close(tx.conn, case_id, TaskKind.COMPLETE_PARTIES, "case", tx.now)
        return
    names = "、".join(missing)
    detail = f"本案没有登记{names}，补全之前不向任何当事人发出通知；期限照常计算。"
    task = Task(TaskKind.COMPLETE_PARTIES, "case", f"补充登记{names}", detail, Owner(role=Role.CLERK))
    await open_task(kit, tx, case_id, task)


def missing_roles(roles: Iterable[str]) -> list[str]:
    """The sides that a case lacks, in Chinese."""
    present = set(roles)
    return [title for role, title in _ROLES.items() if role not in present]


async def reach(tx: Transaction, case_id: UUID, milestone: Milestone, on: Any) -> bool:
    """Reach a milestone and tell it; False when it had been reached before."""
    new = await stages.reach(tx.conn, case_id, milestone, on)
    if new:
        await tx.emit(MilestoneReached(case_id=case_id, milestone=milestone, on=on))
    return new


async def on_case_corrected(kit: StageKit, tx: Transaction, event: CaseCorrected, _envelope: Envelope) -> None:
    """Take over the facts; another day of filing sets every running clock anew."""
    case = await known_case(tx, event.case_id)
    await bring_up_to_date(kit, tx, event.case_id)
    changes = _changes(case, event.facts)
    await cases.change(tx.conn, event.case_id, **_kept(event.facts))
    words = "；".join(changes.values()) or "补充或者更正了执行依据、标的或者应履行义务的登记"
    await write(kit, tx, event.case_id, Note(EntryKind.CORRECTED, f"{words}。"))
    why = "；".join(changes[name] for name in _MOVING if name in changes)
    cause = Cause(f"因登记更正（{why}），", was=case.kind) if why else ANEW
    await keep_clocks(kit, tx, event.case_id, cause=cause)
    await keep_handler(kit, tx, event.case_id)
    if case.report_ordered != event.facts.report_ordered:
        await _tell_of_report(kit, tx, case, ordered=event.facts.report_ordered)


async def _tell_of_report(kit: StageKit, tx: Transaction, case: Case, *, ordered: bool) -> None:
    """Where the execution notice is written, it says otherwise: the judge puts it right."""
    await tasks.close_all(tx.conn, case.case_id, [TaskKind.REPORT_ORDER], tx.now)
    respondents = cases.respondents(await cases.parties_of(tx.conn, case.case_id))
    if any(row.notice_orders_report is not None for row in respondents):
        await open_task(kit, tx, case.case_id, tell_of_report(case.judge_id, ordered=ordered))


_MOVING = ("案号", "立案日期", "收到申请的日期", "提供担保的日期", "是否非诉执行", "情况紧急", "审查事由")
"""The facts from which limits follow."""


def _changes(old: Case, new: CaseFacts) -> dict[str, str]:
    """What is otherwise now, in words by its name."""
    pairs = (
        ("案号", old.number, new.case_number),
        ("立案日期", cn_date(old.filed_on), cn_date(new.filed_on)),
        ("案由", old.cause, new.cause),
        ("收到申请的日期", _or_none(old.received_on), _or_none(new.received_on)),
        ("提供担保的日期", _or_none(old.secured_on), _or_none(new.secured_on)),
        ("是否非诉执行", _yes_no(old.administrative), _yes_no(new.non_litigation)),
        ("所属执行案件", old.main_case or "未登记", new.main_case or "未登记"),
        ("情况紧急", _yes_no(old.urgent), _yes_no(new.urgent)),
        ("审查事由", _ground(old.ground), _ground(new.ground)),
        ("责令再次报告财产", _yes_no(old.report_ordered), _yes_no(new.report_ordered)),
    )
    return {name: f"{name}由{before}更正为{after}" for name, before, after in pairs if before != after}


def _or_none(day: date | None) -> str:
    return "未登记" if day is None else cn_date(day)


def _ground(ground: str | None) -> str:
    return "未登记" if ground is None else ReviewGround(ground).label


def _yes_no(value: object) -> str:
    return "是" if value else "否"


async def on_party_added(kit: StageKit, tx: Transaction, event: PartyAdded, _envelope: Envelope) -> None:
    """One more party, who is told alone; a respondent's notice counts for the clocks that still run."""
    await known_case(tx, event.case_id)
    await cases.put_parties(tx.conn, event.case_id, [event.party])
    text = f"增加{_ROLES[event.party.role]}1名。"
    await write(kit, tx, event.case_id, Note(EntryKind.PARTY_ADDED, text))
    await _watch_roles(kit, tx, event.case_id)
    await keep_clocks(kit, tx, event.case_id)


async def on_party_changed(kit: StageKit, tx: Transaction, event: PartyChanged, _envelope: Envelope) -> None:
    """The log says that it happened, not what: particulars are none of its business."""
    await known_case(tx, event.case_id)
    await cases.put_parties(tx.conn, event.case_id, [event.party])
    text = f"{_ROLES[event.party.role]}1名的登记信息有变更。"
    await write(kit, tx, event.case_id, Note(EntryKind.PARTY_CHANGED, text))


async def on_party_misfiled(kit: StageKit, tx: Transaction, event: PartyMisfiled, _envelope: Envelope) -> None:
    """What waited for this party alone is done with; clocks and milestones count the others."""
    await known_case(tx, event.case_id)
    party = await cases.set_misfiled(tx.conn, event.party_id, tx.now)
    if party is None:
        return
    closed = await tasks.close_of_party(tx.conn, event.case_id, event.party_id, tx.now)
    text = f"{_ROLES[PartyRole(party.role)]}1名系误登记，已更正。" + (f"随之办结待办事项{closed}件。" if closed else "")
    await write(kit, tx, event.case_id, Note(EntryKind.PARTY_MISFILED, text, by=event.by))
    await _watch_roles(kit, tx, event.case_id)
    await lose_party(kit, tx, event.case_id, party_standing(party))


async def on_notices_recalled(kit: StageKit, tx: Transaction, event: NoticesRecalled, _envelope: Envelope) -> None:
    """The log knows of it; the clocks of law run on."""
    await known_case(tx, event.case_id)
    text = "立案人员撤回尚未发出的通知；期限照常计算。"
    await write(kit, tx, event.case_id, Note(EntryKind.NOTICES_RECALLED, text, by=event.by))


async def on_notices_released(kit: StageKit, tx: Transaction, event: NoticesReleased, _envelope: Envelope) -> None:
    """The log knows of this too."""
    await known_case(tx, event.case_id)
    text = "立案人员解除暂缓或者撤回，通知恢复发出。"
    await write(kit, tx, event.case_id, Note(EntryKind.NOTICES_RELEASED, text, by=event.by))


async def on_case_assigned(kit: StageKit, tx: Transaction, event: CaseAssigned, _envelope: Envelope) -> None:
    """The judge has the file: the assignment's clock stops, the notice's starts, the tasks find their owner."""
    case = await known_case(tx, event.case_id)
    await cases.change(
        tx.conn,
        event.case_id,
        judge_id=event.judge.staff_id,
        judge_name=event.judge.name,
        clerk_name=event.clerk_name,
        panel=event.panel,
        department=event.department,
        assigned_at=event.assigned_at,
    )
    handed = await _hand_over(tx, case, event.judge.staff_id)
    text = f"承办法官{event.judge.name}，{event.panel}（{event.department}），{_RULES[event.rule]}，"
    text += f"{cn_time(event.assigned_at)}。" + (f"移交未办结事项{handed}件。" if handed else "")
    await write(kit, tx, event.case_id, Note(EntryKind.ASSIGNED, text, by=event.assigned_by))
    await reach(tx, event.case_id, Milestone.SCHEDULING, court_date(event.assigned_at))
    await keep_clocks(kit, tx, event.case_id)
    await keep_handler(kit, tx, event.case_id)


async def on_judge_corrected(_kit: StageKit, tx: Transaction, event: JudgeCorrected, _envelope: Envelope) -> None:
    """Another name of the same judge: nothing of the case changes, so the log has nothing to say."""
    await known_case(tx, event.case_id)
    await cases.change(tx.conn, event.case_id, judge_name=event.judge.name)


async def _hand_over(tx: Transaction, case: Case, judge_id: UUID) -> int:
    await tasks.close(tx.conn, case.case_id, TaskKind.ASSIGN_JUDGE, "case", tx.now)
    if case.judge_id is None or case.judge_id == judge_id:
        return 0
    return await tasks.hand_over(tx.conn, case.case_id, case.judge_id, judge_id)
