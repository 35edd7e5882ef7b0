"""What the API takes and gives."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, Field

from services.stage_tracking.domain.acts import Act, EnterPeriod, ExtendLimit, Publication, ReachMilestone, Work
from services.stage_tracking.domain.deadlines import waits_for
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store.looks import Wanted
from services.stage_tracking.usecases.journal import LogEntry
from services.stage_tracking.usecases.looks import Look
from services.stage_tracking.usecases.proof import prove
from services.stage_tracking.usecases.reading import BoardRow, CaseView, LogPage
from services.stage_tracking.usecases.tasks import TaskView
from shared.contracts.case_kinds import DeadlineKind, kind_of
from shared.contracts.cases import PartyRole
from shared.contracts.looks import Seen
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import Milestone, Period
from shared.http.inputs import Input, Line, Prose


def _in_utc(instant: datetime) -> datetime:
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError("不是有效的时间。") from None


Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class PublishInput(Input):
    """To whom the work is told. What a respondent reads must be carried out by then.

    `notify`: a notice goes out at once, which is refused before `not_before`. Left out, it goes unless there is one.
    """

    audience: Annotated[list[PartyRole], Field(min_length=1, max_length=2)]
    not_before: Instant | None = None
    notify: bool | None = None
    carried_out: bool = False

    def publication(self) -> Publication:
        """For the rules."""
        audience = tuple(role for role in PartyRole if role in self.audience)
        notify = self.not_before is None if self.notify is None else self.notify
        return Publication(audience, notify, self.not_before, self.carried_out)


class WorkInput(Input):
    """What was done."""

    kind: Literal["work"]
    title: Line
    text: Prose
    evidence: Line | None = None
    publish: PublishInput | None = None

    def act(self) -> Act:
        """For the rules."""
        publish = None if self.publish is None else self.publish.publication()
        return Work(self.title, self.text, self.evidence, publish)


class MilestoneInput(Input):
    """A milestone was reached. `evidence`: name or number of the document."""

    kind: Literal["milestone"]
    milestone: Milestone
    on: date
    evidence: Line

    def act(self) -> Act:
        """For the rules."""
        return ReachMilestone(self.milestone, self.on, self.evidence)


class EnterPeriodInput(Input):
    """The case enters a period. `checklist`: the confirmed items of its quality checklist."""

    kind: Literal["enter_period"]
    period: Period
    on: date
    evidence: Line
    checklist: Annotated[tuple[Line, ...], Field(max_length=20)] = ()

    def act(self) -> Act:
        """For the rules."""
        return EnterPeriod(self.period, self.on, self.evidence, self.checklist)


class ExtendInput(Input):
    """A limit was made longer, once: by `count` days or months, as the law of that limit counts (see `limit`)."""

    kind: Literal["extend"]
    clock: DeadlineKind
    count: Annotated[int, Field(ge=1, le=366)]
    approved_by: Line
    approved_on: date
    reason: Prose
    evidence: Line

    def act(self) -> Act:
        """For the rules."""
        return ExtendLimit(self.clock, self.count, self.approved_by, self.approved_on, self.reason, self.evidence)


ActInput = Annotated[WorkInput | MilestoneInput | EnterPeriodInput | ExtendInput, Field(discriminator="kind")]


class DoneInput(Input):
    """How a task was finished; overdue clocks, checklists and conflicts of powers need a note."""

    note: Prose | None = None


class PeriodOut(BaseModel):
    """A period that the case has entered."""

    period: Period
    opened_on: date
    closed_on: date | None


class MilestoneOut(BaseModel):
    """A milestone: planned, reached, and the role that owes it."""

    milestone: Milestone
    planned_on: date | None
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
    return MilestoneOut(milestone=milestone, planned_on=row.planned_on, actual_on=row.actual_on, owner=row.owner_role)


def _deadline(row: Any) -> DeadlineOut:
    known = {name: getattr(row, name) for name in DeadlineOut.model_fields if name not in {"title", "waits_for"}}
    return DeadlineOut(title=DeadlineKind(row.kind).label, waits_for=waits_for(row.due_on, row.provisional), **known)


class PublishedOut(BaseModel):
    """To whom an entry was told."""

    audience: list[PartyRole]
    not_before: datetime | None
    notify: bool


class EntryOut(BaseModel):
    """A log entry; `digest` covers it and `previous`, the digest before it."""

    position: int
    at: datetime
    kind: str
    title: str
    text: str
    evidence: str | None
    by: UUID | None
    by_name: str | None
    published: PublishedOut | None
    digest: str
    previous: str

    @classmethod
    def of(cls, entry: LogEntry) -> Self:
        """From the use case's view."""
        return cls.model_validate(entry, from_attributes=True)


class ActOut(BaseModel):
    """The log entry of an act, and what of it was published."""

    entry: EntryOut
    published: PublishedOut | None


class FaultOut(BaseModel):
    """Where the log does not hold, and why; no position where what is wrong is the seal of a day."""

    position: int | None
    why: str


class ProofOut(BaseModel):
    """What `yangguang verify-log` checks offline: `statement` is signed JSON text that holds the links of the chain."""

    statement: str
    signature: str
    algorithm: str
    key_id: str
    public_key: str


class LogOut(BaseModel):
    """Log entries in order. `intact`: the whole log holds; else `fault` says where it does not.

    `verdict` says in words whether it holds and against what, as the page and `yangguang verify-log` do.
    Only the first page (no cursor) verifies the log; `intact` and `verdict` are null on the others.
    """

    case_id: UUID
    items: list[EntryOut]
    next: int | None
    intact: bool | None
    fault: FaultOut | None
    verdict: str | None
    proof: ProofOut

    @classmethod
    def of(cls, kit: StageKit, page: LogPage) -> Self:
        """From the use case's view, signed as it is shown."""
        found = page.verdict
        items = [EntryOut.of(entry) for entry in page.entries]
        return cls(
            case_id=page.case.case_id,
            items=items,
            next=page.next,
            intact=None if found is None else found.intact,
            fault=None if found is None or found.intact else FaultOut(position=found.position, why=found.why),
            verdict=None if found is None else found.words,
            proof=ProofOut(**prove(kit, page, [item.model_dump(mode="json") for item in items])),
        )


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


@dataclass(frozen=True)
class LooksAsked:
    """Which looks at personal data: filters as they stand in the URL."""

    q: Annotated[str, Query(max_length=60, description="案号，或其中一段")] = ""
    name: Annotated[str, Query(max_length=60, description="查看人")] = ""
    seen: Annotated[Seen | None, BeforeValidator(lambda value: value or None)] = None
    foreign: Annotated[bool | None, BeforeValidator(lambda value: value or None)] = None

    def wanted(self) -> Wanted:
        """For the store."""
        return Wanted(self.q.strip(), self.name.strip(), seen=self.seen, foreign=bool(self.foreign))


class LookPage(BaseModel):
    """Looks, newest first; `next` is the cursor of the next page."""

    items: list[Look]
    next: str | None
