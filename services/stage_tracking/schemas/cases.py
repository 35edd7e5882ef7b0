"""A case with its clocks and tasks, and the lists of both."""

from datetime import date, datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel

from services.stage_tracking.domain.deadlines import waits_for
from services.stage_tracking.usecases.reading import BoardRow, CaseView
from services.stage_tracking.usecases.tasks import TaskView
from shared.contracts.case_kinds import DeadlineKind, kind_of
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import Milestone, Period


class PeriodOut(BaseModel):
    """A period that the case has entered."""

    period: Period
    opened_on: date
    closed_on: date | None


class MilestoneOut(BaseModel):
    """A milestone: planned, reached, and the role that owes it. A `provisional` plan makes nothing late."""

    milestone: Milestone
    planned_on: date | None
    provisional: bool
    actual_on: date | None
    owner: str


class DeadlineOut(BaseModel):
    """The newest version of a clock. A `provisional` one makes nothing late; `waits_for` says why."""

    kind: DeadlineKind
    title: str
    due_at: datetime
    due_on: date
    rule: str
    article: str
    provisional: bool
    waits_for: str | None
    fired_at: datetime | None
    met_at: datetime | None
    version: int


class TaskOut(BaseModel):
    """An open task and its one owner: a person (`owner_staff`) or a role."""

    id: UUID
    case_id: UUID
    case_number: str
    kind: str
    title: str
    detail: str
    owner_staff: UUID | None
    owner_role: str | None
    owner_name: str
    due_at: datetime | None
    opened_at: datetime
    done_at: datetime | None

    @classmethod
    def of(cls, view: TaskView) -> Self:
        """From the use case's view."""
        return cls.model_validate(view, from_attributes=True)


class JudgeOut(BaseModel):
    """Who handles the case."""

    staff_id: UUID
    name: str


class RelatedOut(BaseModel):
    """The enforcement case to which a case belongs, or a case that belongs to it; `case_id` where it is on file."""

    case_id: UUID | None
    case_number: str
    kind: str


class CaseOut(BaseModel):
    """A case with its clocks and open tasks. `kind` says in words what it is; only enforcements have periods."""

    case_id: UUID
    case_number: str
    kind: str
    limit: str | None
    urgent: bool
    ground: ReviewGround | None
    report_ordered: bool
    main_case: RelatedOut | None
    side_cases: list[RelatedOut]
    filed_on: date
    closed_on: date | None
    judge: JudgeOut | None
    period: Period | None
    periods: list[PeriodOut]
    milestones: list[MilestoneOut]
    deadlines: list[DeadlineOut]
    tasks: list[TaskOut]

    @classmethod
    def of(cls, view: CaseView) -> Self:
        """From the use case's view."""
        case = view.case
        return cls(
            case_id=case.case_id,
            case_number=case.number,
            kind=view.kind.title,
            limit=view.kind.limit or None,
            urgent=case.urgent,
            ground=case.ground,
            report_ordered=case.report_ordered,
            main_case=_main_case(view),
            side_cases=[_related(row) for row in view.side_cases],
            filed_on=case.filed_on,
            closed_on=case.closed_on,
            judge=_judge(case),
            period=case.period,
            periods=[PeriodOut.model_validate(row, from_attributes=True) for row in view.periods],
            milestones=[_milestone(row) for row in view.milestones],
            deadlines=[_deadline(row) for row in view.deadlines],
            tasks=[TaskOut.of(task) for task in view.tasks],
        )


def _main_case(view: CaseView) -> RelatedOut | None:
    number = view.case.main_case
    if number is None:
        return None
    found = view.main_case
    return RelatedOut(case_id=found and found.case_id, case_number=number, kind=kind_of(number).title)


def _related(row: Any) -> RelatedOut:
    return RelatedOut(case_id=row.case_id, case_number=row.number, kind=kind_of(row.number).title)


def _judge(case: Any) -> JudgeOut | None:
    return None if case.judge_id is None else JudgeOut(staff_id=case.judge_id, name=case.judge_name)


def _milestone(row: Any) -> MilestoneOut:
    milestone = Milestone(row.milestone)
    known = {name: getattr(row, name) for name in ("planned_on", "provisional", "actual_on")}
    return MilestoneOut(milestone=milestone, owner=row.owner_role, **known)


def _deadline(row: Any) -> DeadlineOut:
    known = {name: getattr(row, name) for name in DeadlineOut.model_fields if name not in {"title", "waits_for"}}
    return DeadlineOut(title=DeadlineKind(row.kind).label, waits_for=waits_for(row.due_on, row.provisional), **known)


class BoardOut(BaseModel):
    """A case on the board: its nearest running clock and the milestones reached."""

    case_id: UUID
    case_number: str
    period: Period | None
    judge: JudgeOut | None
    next_due_at: datetime | None
    next_kind: DeadlineKind | None
    next_provisional: bool
    reached: list[Milestone]

    @classmethod
    def of(cls, row: BoardRow) -> Self:
        """From the use case's view."""
        case = row.case
        return cls(
            case_id=case.case_id,
            case_number=case.number,
            period=case.period,
            judge=_judge(case),
            next_due_at=case.next_due_at,
            next_kind=case.next_kind,
            next_provisional=case.next_provisional,
            reached=[Milestone(each.milestone) for each in row.milestones if each.actual_on is not None],
        )


class BoardPage(BaseModel):
    """Cases by urgency; `next` is the cursor of the next page."""

    items: list[BoardOut]
    next: str | None


class TaskPage(BaseModel):
    """Open tasks by urgency; `next` is the cursor of the next page."""

    items: list[TaskOut]
    next: str | None
