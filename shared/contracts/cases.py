"""Topic `cases`, told by case_intake; the key is the case's id."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel

from shared.contracts.envelope import Event, Facts, Sealed
from shared.contracts.reviews import ReviewGround


class PartyRole(StrEnum):
    """申请执行人 or 被执行人."""

    APPLICANT = "applicant"
    RESPONDENT = "respondent"


class IdKind(StrEnum):
    """居民身份证 or 统一社会信用代码."""

    RESIDENT = "resident_id"
    COMPANY = "uscc"


class PartyIdentity(BaseModel):
    """What identifies and reaches a party. Travels and rests only sealed, about the party's id."""

    name: str
    id_kind: IdKind
    id_number: str
    phone: str | None = None
    email: str | None = None
    postal_address: str | None = None
    guardian_name: str | None = None
    guardian_phone: str | None = None
    agent_name: str | None = None
    agent_phone: str | None = None


class PartyFacts(Facts):
    """A party of a case. `consents`: to electronic service (CPL 90); the address confirmation has its day."""

    party_id: UUID
    role: PartyRole
    consents: bool
    address_confirmed_on: date | None = None
    minor: bool = False
    identity: Sealed


class CaseFacts(Facts):
    """What the filing says. Amounts in CNY; `obligation` is sealed about the case's id.

    `received_on` is the day on which the application came in (JI 480 and CPL 237 count from it). `secured_on`: when
    the security that a preservation needed was given, from which its five days count (财产保全规定 4).
    `non_litigation`: enforcement of an administrative decision without a suit (非诉执行). `main_case`: the number of
    the enforcement case to which a case of another kind belongs, or which is resumed. `urgent` belongs to a
    preservation, `ground` to an objection or a reconsideration, `report_ordered` to a resumed enforcement.
    """

    case_number: str
    filed_on: date
    received_on: date | None = None
    secured_on: date | None = None
    basis_document: str
    basis_maker: str
    cause: str
    claim_amount: Decimal | None = None
    obligation: Sealed | None = None
    non_litigation: bool = False
    main_case: str | None = None
    urgent: bool = False
    ground: ReviewGround | None = None
    report_ordered: bool = False


class Officer(Facts):
    """A member of staff as parties may know them; `phone` is a landline of the court."""

    staff_id: UUID
    name: str
    phone: str


class CaseEvent(Event):
    """Everything on this topic is about one case."""

    topic: ClassVar[str] = "cases"
    about: ClassVar[str] = "case_id"
    case_id: UUID


class CaseFiled(CaseEvent):
    """A case is on file. `silent`: an old stock is carried over; clocks start, nobody is told.

    `hold_until`: nobody is told before this instant (UTC), so that the filing clerk can still recall.
    """

    type: ClassVar[str] = "case.filed.v1"
    facts: CaseFacts
    parties: tuple[PartyFacts, ...]
    silent: bool = False
    hold_until: datetime | None = None


class CaseCorrected(CaseEvent):
    """The filing's facts were completed or corrected; the whole facts are given."""

    type: ClassVar[str] = "case.corrected.v1"
    facts: CaseFacts


class PartyAdded(CaseEvent):
    """A party joined after the filing. `hold_until` as in CaseFiled, for this party alone."""

    type: ClassVar[str] = "case.party_added.v1"
    party: PartyFacts
    silent: bool = False
    hold_until: datetime | None = None


class PartyChanged(CaseEvent):
    """A party's particulars changed; the whole party is given."""

    type: ClassVar[str] = "case.party_changed.v1"
    party: PartyFacts


class PartyMisfiled(CaseEvent):
    """The party never belonged to the case: whoever was told in its name is told of the error, and nothing more."""

    type: ClassVar[str] = "case.party_misfiled.v1"
    party_id: UUID
    by: UUID


class NoticesRecalled(CaseEvent):
    """What has not left yet stays here until the clerk releases it. `by` is a staff id."""

    type: ClassVar[str] = "case.notices_recalled.v1"
    by: UUID


class NoticesReleased(CaseEvent):
    """What was held or recalled may leave at once. `by` is a staff id."""

    type: ClassVar[str] = "case.notices_released.v1"
    by: UUID


class AssignmentRule(StrEnum):
    """How the judge was found."""

    BY_HAND = "by_hand"
    FEWEST_OPEN_CASES = "fewest_open_cases"


class CaseAssigned(CaseEvent):
    """A judge and a panel have the case. `assigned_by` is the staff id of whoever decided."""

    type: ClassVar[str] = "case.assigned.v1"
    judge: Officer
    clerk_name: str | None = None
    panel: str
    department: str
    rule: AssignmentRule
    assigned_by: UUID
    assigned_at: datetime
    silent: bool = False


class JudgeCorrected(CaseEvent):
    """The judge who has the case by now goes by another name or landline; nobody was assigned anew."""

    type: ClassVar[str] = "case.judge_corrected.v1"
    judge: Officer
