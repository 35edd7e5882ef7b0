"""Topic `desk`, told by duty_desk; the key is the item's id, which for a tip is the tip's own."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event, Sealed


class DeskEvent(Event):
    """Everything on this topic is about one item of the desk's queue. `source`: tip, trouble, deadline."""

    topic: ClassVar[str] = "desk"
    about: ClassVar[str] = "item_id"
    item_id: UUID
    source: str


class ItemTaken(DeskEvent):
    """Somebody is on it: the clock of triage gives way to that of the check; the deed's has not begun."""

    type: ClassVar[str] = "desk.item_taken.v1"
    taken_by: UUID
    taken_at: datetime


class EvidenceAccepted(DeskEvent):
    """The evidence was accepted, or the whereabouts verified: the clock to the deed starts."""

    type: ClassVar[str] = "desk.evidence_accepted.v1"
    case_id: UUID | None
    accepted_by: UUID
    accepted_at: datetime
    due_at: datetime


class ItemActed(DeskEvent):
    """The deed was done; only this stops a clock. `deed` is sealed about the item's id and is internal.

    `progress` is the neutral sentence for the applicant, sealed about the case's id; it reveals no tip.
    """

    type: ClassVar[str] = "desk.item_acted.v1"
    case_id: UUID | None
    acted_by: UUID
    acted_at: datetime
    in_time: bool
    deed: Sealed
    progress: Sealed | None = None


class DeskClockRang(DeskEvent):
    """A clock of the desk ran out.

    `triage` before anybody took the item, `check` before its evidence was judged, `deed` before the deed.
    """

    type: ClassVar[str] = "desk.clock_rang.v1"
    clock: str
    due_at: datetime


class ItemDismissed(DeskEvent):
    """The evidence was checked and not accepted: nothing follows, no clock runs. The reason stays at the desk."""

    type: ClassVar[str] = "desk.item_dismissed.v1"
    dismissed_by: UUID
    dismissed_at: datetime
