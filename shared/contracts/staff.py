"""Topic `staff`, told by the staff service; the key is the member's id, or for the court's own data the court."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event, Facts, Sealed
from shared.powers import Role


class MemberChanged(Event):
    """A member of staff as they now are. `phone` is a landline of the court."""

    topic: ClassVar[str] = "staff"
    type: ClassVar[str] = "staff.member_changed.v1"
    about: ClassVar[str] = "staff_id"
    staff_id: UUID
    login: str
    name: str
    phone: str
    department: str
    panel: str | None
    roles: tuple[Role, ...]
    court: str
    active: bool


class CourtData(Facts):
    """What of the court's own data is changed in the product: the account that parties pay into, the telephones."""

    case_account_name: str
    case_account_bank: str
    case_account_number: str
    supervision_phone: str
    duty_phone: str


class ChangeState(StrEnum):
    """How far a change of the court's data is."""

    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class CourtDataChanged(Event):
    """A change of the court's data was proposed by one person, or decided by another.

    `data` is what holds now, `proposed` what was asked for, `fields` in what it differs from what held before.
    """

    topic: ClassVar[str] = "staff"
    type: ClassVar[str] = "staff.court_data_changed.v1"
    about: ClassVar[str] = "court"
    court: str
    change_id: UUID
    state: ChangeState
    data: CourtData
    proposed: CourtData
    fields: tuple[str, ...]
    proposed_by: UUID
    proposer: str
    decided_by: UUID | None
    decider: str | None
    at: datetime


class AccessRevoked(Event):
    """Sign-in taken back: of one session (or one API token), or of all that a member was given until then.

    Told under an id of its own: revocations need no order among each other, and who begins to listen late misses none
    that still matters.
    """

    topic: ClassVar[str] = "staff"
    type: ClassVar[str] = "staff.access_revoked.v1"
    about: ClassVar[str] = "revocation_id"
    revocation_id: UUID
    staff_id: UUID
    not_before: datetime
    """By the staff database's clock: what was issued earlier is worth nothing."""
    session: UUID | None


class StaffSeen(Event):
    """A member of staff signed in, or stayed so, from a source address and a device; both sealed about the member."""

    topic: ClassVar[str] = "staff"
    type: ClassVar[str] = "staff.seen.v1"
    about: ClassVar[str] = "staff_id"
    staff_id: UUID
    name: str
    source: Sealed
    device: Sealed | None = None
    seen_at: datetime
