"""Topic `looks`, told by every service that shows what is masked otherwise.

The key is the look itself: services count what they tell of one key each by themselves, so that no two may share one.
"""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from shared.contracts.envelope import Event, Sealed


class Seen(StrEnum):
    """What was looked at."""

    PARTY = "party"
    """A party's full ID number, telephones and addresses."""
    FORM = "form"
    """The same, in the form in which they are corrected."""
    LETTER = "letter"
    """A letter to a party, its query code blanked."""
    EVIDENCE = "evidence"
    """The evidence of a notice's service."""
    PRINTING = "printing"
    """Letters printed with their query code, for the post."""
    ADDRESSEE = "addressee"
    """Where letters on paper go."""
    SENDER = "sender"
    """Who sent a tip."""
    EXPORT = "export"
    """A list that left as a file: told of by `ListExported`."""


class LookTaken(Event):
    """A member of staff saw personal data. `own`: of a case that is theirs. `reason` is sealed about the look's id."""

    topic: ClassVar[str] = "looks"
    type: ClassVar[str] = "look.taken.v1"
    about: ClassVar[str] = "look_id"
    look_id: UUID
    by: UUID
    by_name: str
    seen: Seen
    subject: UUID
    case_id: UUID | None = None
    case_number: str | None = None
    own: bool = False
    reason: Sealed | None = None
    looked_at: datetime


class ListExported(Event):
    """A member of staff took a list away as a file. `filters`: in words, sealed about the look's id; None: all rows.

    `cut`: there were more rows than a file may have.
    """

    topic: ClassVar[str] = "looks"
    type: ClassVar[str] = "look.list_exported.v1"
    about: ClassVar[str] = "look_id"
    look_id: UUID
    by: UUID
    by_name: str
    list_name: str
    file_kind: str
    filters: Sealed | None = None
    rows: int
    cut: bool = False
    exported_at: datetime
