"""Topic `stages`, told by stage_tracking; the key is the case's id, or the day of the case log."""

from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.cases import PartyRole
from shared.contracts.envelope import Event, Sealed


class Period(StrEnum):
    """执行查证期, 强制执行期, 执行结案期."""

    INVESTIGATION = "investigation"
    COMPULSORY = "compulsory"
    CLOSURE = "closure"


class Milestone(StrEnum):
    """立案、排期、送达、执行、结案、归档."""

    FILING = "filing"
    SCHEDULING = "scheduling"
    SERVICE = "service"
    ENFORCEMENT = "enforcement"
    CLOSURE = "closure"
    ARCHIVING = "archiving"


class StageEvent(Event):
    """What is about one case."""

    topic: ClassVar[str] = "stages"
    about: ClassVar[str] = "case_id"
    case_id: UUID


class PeriodOpened(StageEvent):
    """The case entered a period on a day (Asia/Shanghai)."""

    type: ClassVar[str] = "stage.period_opened.v1"
    period: Period
    on: date


class MilestoneReached(StageEvent):
    """A milestone was reached on a day (Asia/Shanghai). Told again when the day changes."""

    type: ClassVar[str] = "stage.milestone_reached.v1"
    milestone: Milestone
    on: date


class MilestoneUndone(StageEvent):
    """A milestone that was told as reached is not: what it rested on came to nothing."""

    type: ClassVar[str] = "stage.milestone_undone.v1"
    milestone: Milestone


class DeadlineSet(StageEvent):
    """A clock runs: due at an instant, by a rule and its article. `provisional`: the calendar is not announced yet.

    A newer version of one that was met runs again: what was done came to nothing.
    """

    type: ClassVar[str] = "stage.deadline_set.v1"
    kind: str
    version: int
    due_at: datetime
    rule: str
    article: str
    provisional: bool


class DeadlineMet(StageEvent):
    """What the clock waited for was done."""

    type: ClassVar[str] = "stage.deadline_met.v1"
    kind: str
    met_at: datetime


class DeadlineWithdrawn(StageEvent):
    """A clock that was told of does not run: it does not belong to the case, or to what is known of it."""

    type: ClassVar[str] = "stage.deadline_withdrawn.v1"
    kind: str


class DeadlineRang(StageEvent):
    """A clock rang: `kind` is a reminder before a limit, or the limit itself."""

    type: ClassVar[str] = "stage.deadline_rang.v1"
    kind: str
    version: int
    due_at: datetime


class ProgressPublished(StageEvent):
    """A log entry that parties may read. `text` is sealed about the case's id.

    Only roles in `audience` ever see it, and nobody before `not_before`. `notify`: it is told, not only shown.
    """

    type: ClassVar[str] = "stage.progress_published.v1"
    entry: int
    at: datetime
    title: str
    text: Sealed
    audience: tuple[PartyRole, ...]
    not_before: datetime | None = None
    notify: bool


class LogDaySealed(Event):
    """A court day (Asia/Shanghai) of the case log is over and signed: `record` is canonical JSON without names.

    Whoever keeps it finds a day that is signed anew or otherwise. Told again, it says the same (shared/ledger/days.py).
    """

    topic: ClassVar[str] = "stages"
    type: ClassVar[str] = "stage.log_day_sealed.v1"
    about: ClassVar[str] = "day"
    day: date
    record: str
    signature: str
    key_id: str
