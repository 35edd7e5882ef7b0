"""Letters as they were written, opened for the court's own work."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row

from services.party_notification.usecases.facts import NotificationKit


@dataclass(frozen=True)
class Letter:
    """A document as it was written, and the name of its file."""

    content: bytes
    name: str


def paper_bytes(kit: NotificationKit, row: Row[Any]) -> bytes:
    """A letter for paper: written anew where the mail did not get through, else as it was written."""
    if row.paper_letter is None:
        return letter_bytes(kit, row)
    return kit.keyring.open(row.paper_letter, f"{row.notice_id}/paper").encode()


def letter_bytes(kit: NotificationKit, row: Row[Any]) -> bytes:
    """A letter as it was written."""
    return kit.keyring.open(row.letter, str(row.notice_id)).encode()
