"""What the desk's API and forms take and give."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from services.duty_desk.domain import GROUND_WORDS, PROGRESS, Source
from services.duty_desk.usecases import DeskKit
from shared.contracts.tips import TipGround
from shared.http.inputs import Input, Line, Prose


class DeskItem(BaseModel):
    """A row of the queue. `seconds_left` is negative when the running clock has run out; None when none runs."""

    item_id: UUID
    source: str
    number: str
    title: str
    priority: int
    claimed_case_number: str | None
    case_id: UUID | None
    case_number: str | None
    arrived_at: datetime
    taken_at: datetime | None
    taken_by: str | None
    evidence_accepted_at: datetime | None
    acted_at: datetime | None
    clock: str | None
    due_at: datetime | None
    seconds_left: int | None

    @classmethod
    def of(cls, row: Any, now: datetime) -> "DeskItem":
        """From the store's row."""
        due_at = row.due_at
        return cls(
            item_id=row.item_id,
            source=row.source,
            number=row.number,
            title=_title(row),
            priority=0 if row.ground == TipGround.URGENT else 1,
            claimed_case_number=row.claimed_case_number,
            case_id=row.case_id,
            case_number=row.case_number,
            arrived_at=row.arrived_at,
            taken_at=row.taken_at,
            taken_by=row.taken_by_name,
            evidence_accepted_at=row.accepted_at,
            acted_at=row.acted_at,
            clock=row.clock,
            due_at=due_at,
            seconds_left=None if due_at is None else int((due_at - now).total_seconds()),
        )


def _title(row: Any) -> str:
    return GROUND_WORDS[TipGround(row.ground)] if row.source == Source.TIP else "系统故障"


class Queue(BaseModel):
    """The open items by time left to act, as of `now` (UTC)."""

    now: datetime
    items: list[DeskItem]


class DeskItemWhole(DeskItem):
    """An item with what was said."""

    text: str

    @classmethod
    def opened(cls, kit: DeskKit, row: Any) -> "DeskItemWhole":
        """With the text opened: only for those who may read the desk."""
        item = DeskItem.of(row, kit.clock.now())
        return cls(**item.model_dump(), text=kit.keyring.open(row.body, str(row.item_id)))


class AcceptInput(Input):
    """Which case the evidence belongs to, when that is known."""

    case_number: Line | None = None


class ActInput(Input):
    """What was done (internal), and what the applicant is told of it; null tells nobody."""

    deed: Prose
    progress: Prose | None = PROGRESS


class DismissInput(Input):
    """Why the evidence is not accepted (internal)."""

    reason: Prose
