"""Topic `notices`, told by party_notification; the key is the case's id.

No event carries a text or a person, but for contacts and how they were verified, sealed.
"""

from datetime import date, datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.cases import PartyRole
from shared.contracts.envelope import Event, Sealed


class NoticeEvent(Event):
    """Everything on this topic is about one notice to one party of a case."""

    topic: ClassVar[str] = "notices"
    about: ClassVar[str] = "case_id"
    case_id: UUID
    notice_id: UUID
    kind: str
    party_id: UUID
    role: PartyRole


class NoticeIssued(NoticeEvent):
    """The notice has its number and its text, and its messages are planned.

    `report_ordered`: it carries the order of a second report of property, in a resumed case.
    """

    type: ClassVar[str] = "notice.issued.v1"
    way: Literal["electronic", "paper", "collect"]
    issued_at: datetime
    report_ordered: bool = False


class NoticeWaits(NoticeEvent):
    """The notice cannot be written yet: a field is missing. `owner` is the role that must supply it."""

    type: ClassVar[str] = "notice.waits.v1"
    reason: str
    owner: str


class NoticeSent(NoticeEvent):
    """A mail or the post first took the letter. An SMS only prompts, and sending is not service.

    Told again when the letter leaves anew after NoticeUnserved: what it was sent by before came to nothing.
    """

    type: ClassVar[str] = "notice.sent.v1"
    channel: str
    sent_at: datetime


class NoticeServed(NoticeEvent):
    """The notice has legal effect since a day (Asia/Shanghai), by a channel. Told again when the day changes."""

    type: ClassVar[str] = "notice.served.v1"
    channel: str
    served_on: date


class NoticeUnserved(NoticeEvent):
    """The notice, served on a day by a channel, is so no more: `reason` says why, in Chinese. Nothing else served it.

    Its sending came to nothing too; `served_on` is None when it was only sent, to an address that nobody confirmed.
    A notice that is void with its recipient is told of by PartyMisfiled alone.
    """

    type: ClassVar[str] = "notice.unserved.v1"
    channel: str
    served_on: date | None
    reason: str


class NoticeWithdrawn(NoticeEvent):
    """The notice is not owed in a case of this kind and counts for nothing; its recipient hears no more of it."""

    type: ClassVar[str] = "notice.withdrawn.v1"
    reason: str


class DeliveryTroubled(NoticeEvent):
    """A message that carries the notice failed for good, or nobody knows whether it left: a person must look."""

    type: ClassVar[str] = "notice.delivery_troubled.v1"
    delivery_id: UUID
    channel: str
    trouble: Literal["failed", "unknown"]
    reason: str


class ContactDisowned(Event):
    """Whoever holds a telephone or mailbox says that it is not the party's: nothing goes there any more.

    Told again when the same contact is registered again. `registered`: whether it is the party's registered one.
    `address`: which, sealed about the party's id; older events do not name it.
    """

    topic: ClassVar[str] = "notices"
    type: ClassVar[str] = "notice.contact_disowned.v1"
    about: ClassVar[str] = "case_id"
    case_id: UUID
    party_id: UUID
    channel: Literal["sms", "mail"]
    disowned_at: datetime
    address: Sealed | None = None
    registered: bool = True


class ContactReplaced(Event):
    """The contact that was disowned is no longer the party's: another is registered, or none."""

    topic: ClassVar[str] = "notices"
    type: ClassVar[str] = "notice.contact_replaced.v1"
    about: ClassVar[str] = "case_id"
    case_id: UUID
    party_id: UUID
    channel: Literal["sms", "mail"]


class ContactConfirmed(Event):
    """Somebody who never handled the case found out that the disowned contact is the party's: sending goes on.

    `address`: as of ContactDisowned. `how` it was verified: sealed about the case's id.
    """

    topic: ClassVar[str] = "notices"
    type: ClassVar[str] = "notice.contact_confirmed.v1"
    about: ClassVar[str] = "case_id"
    case_id: UUID
    party_id: UUID
    channel: Literal["sms", "mail"]
    address: Sealed | None = None
    confirmed_by: UUID
    confirmed_at: datetime
    how: Sealed


class ReadingDoubted(NoticeEvent):
    """The notice was opened at the party's page from where staff had been signed in: a person must judge it."""

    type: ClassVar[str] = "notice.reading_doubted.v1"
    reading_id: UUID
    read_at: datetime
    reason: str


class ReadingDecided(NoticeEvent):
    """A doubtful reading was judged: `own` when it was the party's, and so counts."""

    type: ClassVar[str] = "notice.reading_decided.v1"
    reading_id: UUID
    own: bool
    decided_by: UUID
    decided_at: datetime
