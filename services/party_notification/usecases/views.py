"""What staff see of notices: the shapes of lists and single things. No party is named; addresses are masked."""

from datetime import date, datetime
from typing import Literal
from uuid import UUID

from pydantic import BaseModel


class DeliveryView(BaseModel):
    """One attempt to hand a message over. `reason` is Chinese and names no party."""

    delivery_id: UUID
    channel: str
    attempt: int
    state: str
    step: str
    reason: str | None
    planned_at: datetime
    possibly_twice: bool


class LegalEffect(BaseModel):
    """Since when and by which channel the notice is served, or why it is not."""

    served_on: date | None
    served_by: str | None
    because: str | None


class NoticeView(BaseModel):
    """A notice with its deliveries and legal effect. `paper_state`: of its letter on the paper worklist, if any.

    One that waits without an owner is held back by the clerk. `recalled`: so is a part of one that is written.
    `withdrawn`: its recipient was filed by mistake, or it does not belong to this kind of case: `legal_effect` says.
    """

    notice_id: UUID
    case_id: UUID
    case_number: str
    number: str
    kind: str
    title: str
    party_id: UUID
    recipient_role: str
    state: Literal["waiting", "issued", "withdrawn"]
    recalled: bool
    waits_because: str | None
    waits_owner: str | None
    way: str | None
    created_at: datetime
    issued_at: datetime | None
    sent_at: datetime | None
    paper_state: str | None
    deliveries: list[DeliveryView]
    legal_effect: LegalEffect


class NoticeList(BaseModel):
    """A page of notices."""

    items: list[NoticeView]
    next: str | None = None


class TroubleView(BaseModel):
    """A delivery that waits for a person's decision. The address is masked."""

    delivery_id: UUID
    case_number: str
    channel: str
    state: str
    address: str
    reason: str | None
    attempt: int
    planned_at: datetime


class TwiceView(BaseModel):
    """A message more than one attempt of which may have arrived. The address is masked."""

    message_id: UUID
    case_number: str
    channel: str
    address: str
    created_at: datetime


class ReadingView(BaseModel):
    """A reading that may not have been the party's. `signed_in_there`: who of staff was, within 30 days before it."""

    reading_id: UUID
    notice_id: UUID
    case_id: UUID
    case_number: str
    title: str
    recipient_role: str
    read_at: datetime
    doubt: str
    signed_in_there: list[str]


class DisownedView(BaseModel):
    """A contact of which its holder says that it is not the party's. The address is masked.

    `held`: why nothing has followed yet; without it nothing is sent there.
    """

    doubt_id: UUID
    case_id: UUID
    case_number: str
    recipient_role: str
    channel: str
    address: str
    disowned_at: datetime
    held: str | None


class TroubleList(BaseModel):
    """What waits for a person: deliveries, readings, contacts; and messages that may have arrived twice."""

    unknown: list[TroubleView]
    readings: list[ReadingView]
    disowned: list[DisownedView]
    possibly_twice: list[TwiceView]


class PaperView(BaseModel):
    """An entry of the paper worklist; the letters name the party, this does not."""

    paper_id: UUID
    case_number: str
    recipient_role: str
    state: str
    reason: str
    created_at: datetime
    tracking: str | None
    served_on: date | None


class PaperList(BaseModel):
    """The worklist, oldest first."""

    items: list[PaperView]
    next: str | None = None
