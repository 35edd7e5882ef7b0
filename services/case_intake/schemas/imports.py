"""Imports at the API: how far they are, and what a file would do before it is imported."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.case_intake.domain.holds import NoticesState
from services.case_intake.domain.preview import Preview
from services.case_intake.domain.words import COLUMNS
from services.case_intake.usecases.filing import Assign
from services.case_intake.usecases.reading import ImportView


class FaultAnswer(BaseModel):
    """What is wrong in a line of the file; the header is line 1, `column` is empty when it is the row itself."""

    model_config = ConfigDict(from_attributes=True)

    line: int
    column: str
    reason: str
    case_number: str | None
    note: bool = Field(default=False, description="只是说明，无需处理")


class ImportLine(BaseModel):
    """How far an import is. `completed` counts cases on file that got further parties, `corrected` those changed."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    state: Literal["queued", "running", "done", "unreadable"]
    received_at: datetime
    done_at: datetime | None
    silent: bool
    assign: Assign
    rows: int
    cases: int
    done_cases: int
    filed: int
    completed: int
    corrected: int
    unchanged: int
    hold_minutes: int
    notices: NoticesState


class ImportAnswer(ImportLine):
    """An import with the faults found so far."""

    faults: list[FaultAnswer]


class ImportList(BaseModel):
    """A page of imports."""

    items: list[ImportLine]
    next: str | None


def import_line(view: ImportView) -> ImportLine:
    """An import in a list; the file's name stays on the pages."""
    return ImportLine.model_validate(view)


class MessagesAnswer(BaseModel):
    """How many messages go out, once judges are assigned; `paper` are letters to be posted or collected."""

    model_config = ConfigDict(from_attributes=True)

    sms: int
    mail: int
    paper: int


class PastLimitAnswer(BaseModel):
    """A limit whose last day is over."""

    model_config = ConfigDict(from_attributes=True)

    rule: str
    due_on: date


class LateCaseAnswer(BaseModel):
    """A case that would come in with limits already past."""

    model_config = ConfigDict(from_attributes=True)

    case_number: str
    filed_on: date
    limits: list[PastLimitAnswer]


class AskAnswer(BaseModel):
    """A case whose cause sounds like 非诉执行, while the file does not say whether it is."""

    model_config = ConfigDict(from_attributes=True)

    case_number: str
    cause: str


class DifferenceAnswer(BaseModel):
    """Where a line differs from the case on file; what both say, only the page of the import shows."""

    line: int
    column: str
    case_number: str


class PreviewAnswer(BaseModel):
    """What a file would do: nothing is filed. `refused` cases have no good row; `differing` ones are on file."""

    dry_run: Literal[True] = True
    rows: int
    filed: int
    completed: int
    differing: int
    unchanged: int
    refused: int
    parties: int
    messages: MessagesAnswer
    hidden: list[int] = Field(description="表格中隐藏、因而不办理的行")
    late: list[LateCaseAnswer]
    without_receipt: int
    without_ground: int
    asks: list[AskAnswer]
    differences: list[DifferenceAnswer]
    faults: list[FaultAnswer]


def preview_answer(seen: Preview) -> PreviewAnswer:
    """A preview for the API."""
    counts = ("rows", "filed", "completed", "unchanged", "refused", "parties", "without_receipt", "without_ground")
    differences = [
        DifferenceAnswer(line=each.line, column=COLUMNS.get(each.field, each.field), case_number=each.case_number)
        for each in seen.changes
    ]
    return PreviewAnswer(
        **{name: getattr(seen, name) for name in counts},
        differing=seen.corrected,
        messages=MessagesAnswer.model_validate(seen.messages),
        hidden=seen.hidden,
        late=[LateCaseAnswer.model_validate(case) for case in seen.late],
        asks=[AskAnswer.model_validate(ask) for ask in seen.asks],
        differences=differences,
        faults=[FaultAnswer.model_validate(fault) for fault in seen.faults],
    )
