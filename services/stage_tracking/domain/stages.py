"""The three periods and the six milestones: what may follow what, when each is planned, who owes it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from services.stage_tracking.domain.deadlines import Figures
from shared.contracts.case_kinds import CaseKind, DeadlineKind
from shared.contracts.stages import Milestone, Period
from shared.errors import Conflict, Fault
from shared.powers import HANDLING, Role

PERIOD_TITLES = {
    Period.INVESTIGATION: "执行查证期",
    Period.COMPULSORY: "强制执行期",
    Period.CLOSURE: "执行结案期",
}
MILESTONE_TITLES = {
    Milestone.FILING: "立案",
    Milestone.SCHEDULING: "排期",
    Milestone.SERVICE: "送达",
    Milestone.ENFORCEMENT: "执行",
    Milestone.CLOSURE: "结案",
    Milestone.ARCHIVING: "归档",
}
_CLERKS = frozenset({Milestone.FILING, Milestone.SCHEDULING, Milestone.ARCHIVING})
FOLLOWING: Mapping[Period, frozenset[Period]] = {
    Period.INVESTIGATION: frozenset({Period.COMPULSORY, Period.CLOSURE}),
    Period.COMPULSORY: frozenset({Period.CLOSURE}),
    Period.CLOSURE: frozenset(),
}
"""Whoever performs of their own accord during the investigation goes straight to closure; nothing goes back."""

CHECKLISTS: Mapping[Period, Mapping[str, str]] = {
    Period.COMPULSORY: {
        "notices_sent": "执行通知书、报告财产令已依法发出",
        "network_inquiry": "网络查控已发起，反馈结果已核对",
        "field_inquiry": "工商、税务、房产、车辆等财产情况已查证",
        "report_reviewed": "被执行人的财产报告已审核",
    },
    Period.CLOSURE: {
        "money_settled": "执行款已发放，或者已有处理方案",
        "measures_settled": "查封、扣押、冻结措施已处理",
        "parties_told": "结案情况已告知当事人",
        "documents_complete": "文书和书面证据齐全",
    },
}
"""What quality demands before a period is entered; what is left out is recorded and becomes a task."""

_BEFORE: Mapping[Milestone, Milestone] = {
    Milestone.SERVICE: Milestone.SCHEDULING,
    Milestone.ENFORCEMENT: Milestone.SCHEDULING,
    Milestone.CLOSURE: Milestone.SCHEDULING,
    Milestone.ARCHIVING: Milestone.CLOSURE,
}


@dataclass(frozen=True)
class Stage:
    """Where a case of a kind stands. `reached` holds the day of each milestone reached; no period, no `since`."""

    filed_on: date
    period: Period | None
    since: date | None
    reached: Mapping[Milestone, date]
    kind: CaseKind


def owners(kind: CaseKind) -> Mapping[Milestone, Role]:
    """Who owes each milestone: the clerk, or whoever handles cases of this kind."""
    return {each: Role.CLERK if each in _CLERKS else HANDLING[kind.power] for each in Milestone}


def refuse_period(stage: Stage, target: Period) -> None:
    """Raise Conflict unless `target` may follow the present period."""
    if stage.period is None:
        raise Conflict("period_not_allowed", f"本案是{stage.kind.title}，不分阶段，请登记办案节点。")
    if target in FOLLOWING[stage.period]:
        return
    here, there = PERIOD_TITLES[stage.period], PERIOD_TITLES[target]
    ways = "、".join(PERIOD_TITLES[period] for period in Period if period in FOLLOWING[stage.period])
    reason = f"接下来可以进入：{ways}。" if ways else "这是最后一个阶段。"
    raise Conflict("period_not_allowed", f"案件现处于{here}，不能进入{there}。{reason}")


def refuse_milestone(stage: Stage, milestone: Milestone) -> None:
    """Raise Conflict unless the milestone may be recorded by hand now."""
    title = MILESTONE_TITLES[milestone]
    if milestone in stage.reached:
        raise Conflict("milestone_reached", f"“{title}”节点已经登记，不能重复登记。")
    if milestone not in stage.kind.milestones:
        raise Conflict("milestone_not_of_kind", f"本案是{stage.kind.title}，没有“{title}”节点。")
    if milestone not in _BEFORE:
        raise Conflict("milestone_automatic", f"“{title}”节点由立案、分案记录自动登记，不需要手工登记。")
    before = _BEFORE[milestone]
    if before not in stage.reached:
        raise Conflict("milestone_too_early", f"“{MILESTONE_TITLES[before]}”尚未完成，不能登记“{title}”。")
    if milestone is Milestone.CLOSURE and stage.period not in {None, Period.CLOSURE}:
        raise Conflict("milestone_too_early", "案件尚未进入执行结案期，请先凭书面材料进入执行结案期，再登记“结案”。")


def day_faults(stage: Stage, field: str, on: date, today: date, earliest: date | None = None) -> list[Fault]:
    """A day in the future, or before what it must follow."""
    first = earliest or stage.filed_on
    if on > today:
        return [Fault(field, "日期不能晚于今天。")]
    if on < first:
        return [Fault(field, f"日期不能早于{first.year}年{first.month}月{first.day}日。")]
    return []


_NOTICES = (DeadlineKind.EXECUTION_NOTICE_OUTER, DeadlineKind.EXECUTION_NOTICE)
_CLOSING = (DeadlineKind.COURT_LIMIT, DeadlineKind.OBJECTION_DECISION, DeadlineKind.RECONSIDERATION_DECISION)
"""The limits by whose end a case is to be closed."""


@dataclass(frozen=True)
class Plan:
    """When a milestone is planned; `provisional` like the clock that says so."""

    on: date | None
    provisional: bool = False


NO_PLAN = Plan(None)


def plans(
    kind: CaseKind, due: Mapping[DeadlineKind, Plan], filed_on: date, closed_on: date | None, figures: Figures
) -> dict[Milestone, Plan]:
    """When each milestone of a kind is planned: by its clock, which may not run yet, else by the court's own plan."""
    notices = [due[each] for each in _NOTICES if each in due]
    enforcing = Plan(filed_on + timedelta(days=figures.enforcement_plan_days))
    archiving = None if closed_on is None else closed_on + timedelta(days=figures.archiving_plan_days)
    every = {
        Milestone.FILING: Plan(filed_on),
        Milestone.SCHEDULING: due.get(DeadlineKind.ASSIGNMENT, NO_PLAN),
        Milestone.SERVICE: min(notices, key=lambda plan: plan.on or date.max, default=NO_PLAN),
        Milestone.ENFORCEMENT: due.get(DeadlineKind.PRESERVATION_BEGIN, NO_PLAN) if kind.secures else enforcing,
        Milestone.CLOSURE: next((due[each] for each in _CLOSING if each in due), NO_PLAN),
        Milestone.ARCHIVING: Plan(archiving),
    }
    return {each: every[each] for each in kind.milestones}
