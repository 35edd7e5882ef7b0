"""What the desk's API, forms and streams take and give."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Request
from pydantic import AfterValidator, BaseModel
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.duty_desk.domain import GROUND_WORDS, PROGRESS, Source, telling_reason
from services.duty_desk.settings import DeskKit
from services.duty_desk.usecases.queue import Sight, watch
from shared.contracts.confidential import telling
from shared.contracts.tips import TipGround
from shared.http.auth import still
from shared.http.inputs import Input, Line, Prose
from shared.powers import Action
from shared.runtime.service import kit_of

HandedKit = Annotated[DeskKit, Depends(kit_of)]


class DeskItem(BaseModel):
    """A row of the queue. `seconds_left` is negative when the running clock has run out; None when none runs.

    `clock`: triage, check or deed. `summary` is the product's own account of a trouble; a tip's text is not listed.
    `times`: how often a trouble was told since it lies here, `last_at`: when last, if more than once.
    """

    item_id: UUID
    source: str
    number: str
    title: str
    priority: int
    summary: str | None
    claimed_case_number: str | None
    case_id: UUID | None
    case_number: str | None
    arrived_at: datetime
    taken_at: datetime | None
    taken_by: str | None
    evidence_accepted_at: datetime | None
    evidence_accepted_by: str | None
    acted_at: datetime | None
    clock: str | None
    due_at: datetime | None
    rang_at: datetime | None
    seconds_left: int | None
    times: int
    last_at: datetime | None

    @classmethod
    def of(cls, kit: DeskKit, row: Any) -> "DeskItem":
        """From the store's row, as of now."""
        left = None if row.due_at is None else int((row.due_at - kit.clock.now()).total_seconds())
        return cls(
            item_id=row.item_id,
            source=row.source,
            number=row.number,
            title=_title(row),
            priority=0 if row.ground == TipGround.URGENT else 1,
            summary=_opened(kit, row, row.body) if row.source == Source.TROUBLE else None,
            claimed_case_number=row.claimed_case_number,
            case_id=row.case_id,
            case_number=row.case_number,
            arrived_at=row.arrived_at,
            taken_at=row.taken_at,
            taken_by=row.taken_by_name,
            evidence_accepted_at=row.accepted_at,
            evidence_accepted_by=row.accepted_by_name,
            acted_at=row.acted_at,
            clock=row.clock,
            due_at=row.due_at,
            rang_at=row.rang_at,
            seconds_left=left,
            times=row.times,
            last_at=row.last_at,
        )


def _title(row: Any) -> str:
    return GROUND_WORDS[TipGround(row.ground)] if row.source == Source.TIP else "系统故障"


def _opened(kit: DeskKit, row: Any, sealed: str | None) -> str | None:
    return None if sealed is None else kit.keyring.open(sealed, str(row.item_id))


class Queue(BaseModel):
    """The open items by time left to act, as of `now` (UTC); `total` counts those beyond the first 500 too."""

    now: datetime
    total: int
    items: list[DeskItem]

    @classmethod
    def of(cls, kit: DeskKit, sight: Sight) -> "Queue":
        """From what the desk saw."""
        return cls(now=kit.clock.now(), total=sight.total, items=[DeskItem.of(kit, row) for row in sight.items])


class DeskItemWhole(DeskItem):
    """An item with what was said, and, once it is closed, how it ended."""

    text: str
    claimed_case_known: bool
    closed_by: str | None
    deed: str | None
    dismissed_at: datetime | None
    dismissed_because: str | None

    @classmethod
    def opened(cls, kit: DeskKit, row: Any, *, known: bool) -> "DeskItemWhole":
        """With the texts opened: only for those who may read the desk."""
        return cls(
            **DeskItem.of(kit, row).model_dump(),
            text=kit.keyring.open(row.body, str(row.item_id)),
            claimed_case_known=known,
            closed_by=row.closed_by_name,
            deed=_opened(kit, row, row.deed),
            dismissed_at=row.dismissed_at,
            dismissed_because=_opened(kit, row, row.dismissed_because),
        )


class ClosedItem(BaseModel):
    """What was done lately. `in_time` is None for what was dismissed."""

    item_id: UUID
    number: str | None
    title: str
    case_id: UUID | None
    case_number: str | None
    arrived_at: datetime
    closed_at: datetime
    closed_by: str | None
    in_time: bool | None

    @property
    def ending(self) -> str:
        """How it ended: `in_time`, `late` or `dismissed`."""
        return "dismissed" if self.in_time is None else "in_time" if self.in_time else "late"

    @classmethod
    def of(cls, row: Any) -> "ClosedItem":
        """From the store's row."""
        return cls(
            item_id=row.item_id,
            number=row.number if row.source == Source.TIP else None,
            title=_title(row),
            case_id=row.case_id,
            case_number=row.case_number,
            arrived_at=row.arrived_at,
            closed_at=row.closed_at,
            closed_by=row.closed_by_name,
            in_time=row.in_time,
        )


def streamed(kit: DeskKit, request: Request, render: Callable[[Sight], str]) -> EventSourceResponse:
    """Server-sent events: `queue`, as `render` writes it, on every change; `tick` with the server's instant (UTC)."""
    ending = asyncio.Event()
    stands = partial(still, request, Action.DESK_READ)

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for sight in watch(kit, ending, stands):
            if sight is not None:
                yield ServerSentEvent(render(sight), event="queue", retry=500)
            yield ServerSentEvent(kit.clock.now().isoformat(), event="tick")

    # The library sets any event when the server is asked to stop; the loop sees it well within the grace.
    asked: Any = ending
    return EventSourceResponse(events(), ping=0, send_timeout=30, shutdown_event=asked, shutdown_grace_period=1.2)


def _reveals_nothing(text: str) -> str:
    word = telling(text)
    if word:
        raise ValueError(telling_reason(word))
    return text


NeutralText = Annotated[Prose, AfterValidator(_reveals_nothing)]


class AcceptInput(Input):
    """Which case the evidence belongs to, when that is known."""

    case_number: Line | None = None


class ActInput(Input):
    """What was done (internal), and what the applicant is told of it; null tells nobody."""

    deed: Prose
    progress: NeutralText | None = PROGRESS


class DeedForm(Input):
    """The page's form when nobody is to be told."""

    deed: Prose


class ToldDeedForm(DeedForm):
    """The page's form with the box ticked: then the sentence must be there."""

    tell: Line
    progress: NeutralText


class DismissInput(Input):
    """Why the evidence is not accepted (internal)."""

    reason: Prose
