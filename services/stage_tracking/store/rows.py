"""What rests here, as the rooms above see it: typed, column for column."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row

from services.stage_tracking.domain.extending import Limit
from services.stage_tracking.domain.tasks import Standing
from shared.contracts.case_kinds import CaseKind, DeadlineKind, Particulars, kind_of
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import Milestone


@dataclass(frozen=True)
class Case:
    """A case."""

    case_id: UUID
    court: str
    number: str
    filed_on: date
    received_on: date | None
    secured_on: date | None
    cause: str
    administrative: bool
    silent: bool
    main_case: str | None
    urgent: bool
    ground: str | None
    report_ordered: bool
    extended: bool
    facts_asked: bool
    period: str | None
    judge_id: UUID | None
    judge_name: str | None
    clerk_name: str | None
    panel: str | None
    department: str | None
    assigned_at: datetime | None
    closed_on: date | None
    next_due_at: datetime | None
    next_kind: str | None
    next_provisional: bool

    @property
    def kind(self) -> CaseKind:
        """What kind of case it is, with all that is known of it."""
        ground = None if self.ground is None else ReviewGround(self.ground)
        return kind_of(self.number, Particulars(self.urgent, ground, self.report_ordered))


@dataclass(frozen=True)
class Clock:
    """A version of a clock."""

    id: UUID
    case_id: UUID
    kind: DeadlineKind
    version: int
    start_on: date
    due_on: date
    due_at: datetime
    rule: str
    article: str
    provisional: bool
    calendar_until: date
    fired_at: datetime | None
    met_at: datetime | None
    superseded_at: datetime | None
    told: bool
    """Whether the parties were told its day apart: then they are told whatever becomes of it."""

    def standing(self, *, done: bool) -> Standing:
        """As the rules of tasks see it; `done`: its deed is, though it may not have been stopped yet."""
        return Standing(self.kind, self.fired_at is not None, done or self.met_at is not None)

    @property
    def limit(self) -> Limit:
        """As the rules of extension see it."""
        return Limit(self.kind, self.start_on, self.due_on, self.met_at is not None)


class Past(NamedTuple):
    """What is known of a clock from all its versions: the highest, and whether its day was ever told."""

    version: int
    told: bool


@dataclass(frozen=True)
class DueClock:
    """A clock that has run out, with what its ringing needs of its case."""

    id: UUID
    case_id: UUID
    due_at: datetime
    number: str
    judge_id: UUID | None
    row: Row[Any]

    @property
    def clock(self) -> Clock:
        """The clock itself. Raises ValueError where this build does not know such a clock."""
        return as_clock(self.row)


@dataclass(frozen=True)
class PlannedMilestone:
    """A milestone of a case: when it is planned, and when it was reached."""

    case_id: UUID
    milestone: Milestone
    owner_role: str
    planned_on: date | None
    provisional: bool
    actual_on: date | None
    by_notices: bool


def as_case(row: Row[Any]) -> Case:
    """A whole row of `cases`."""
    return Case(**row._mapping)  # noqa: SLF001 - SQLAlchemy's own name


def as_clock(row: Row[Any]) -> Clock:
    """A whole row of `deadlines`."""
    known = {name: row._mapping[name] for name in Clock.__dataclass_fields__}  # noqa: SLF001
    return Clock(**{**known, "kind": DeadlineKind(row.kind)})


def as_milestone(row: Row[Any]) -> PlannedMilestone:
    """A whole row of `milestones`."""
    return PlannedMilestone(**{**row._mapping, "milestone": Milestone(row.milestone)})  # noqa: SLF001
