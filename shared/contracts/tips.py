"""Topic `tips`, told by asset_tips; the key is the tip's id for life. No event carries who sent it."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event, Sealed


class TipGround(StrEnum):
    """What a tip is about; rows 26 to 29 of the reform give each its clock."""

    PROPERTY = "property"
    """本院辖区内有可供执行财产: started within 24 h of accepted evidence."""
    WHEREABOUTS = "whereabouts"
    """下落不明者的具体隐匿地点: dispatch within 2 h of verification."""
    NEW_PROPERTY = "new_property"
    """已中止案件发现新财产: resume at once, measure within 24 h."""
    URGENT = "urgent"
    """情况紧急: priority 0, at once."""


class TipReceived(Event):
    """A tip arrived. `body` is sealed about the tip's id; `case_number` is what the sender wrote, unchecked."""

    topic: ClassVar[str] = "tips"
    type: ClassVar[str] = "tip.received.v1"
    about: ClassVar[str] = "tip_id"
    tip_id: UUID
    tip_number: str
    ground: TipGround
    arrived_at: datetime
    channel: str
    case_number: str | None = None
    body: Sealed
