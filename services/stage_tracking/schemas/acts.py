"""What people record in a case, and how they finish a task."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, Field

from services.stage_tracking.domain.acts import Act, EnterPeriod, ExtendLimit, Publication, ReachMilestone, Work
from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.cases import PartyRole
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
