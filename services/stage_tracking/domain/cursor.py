"""Where a list goes on: an instant (or none) and an id, as one opaque text. Pure."""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from shared.errors import Fault, Invalid


@dataclass(frozen=True)
class Cursor:
    """The last row shown: rows are sorted by due instant (none last), then by id."""

    due_at: datetime | None
    row_id: UUID

    def __str__(self) -> str:
        due = "" if self.due_at is None else self.due_at.astimezone(UTC).isoformat()
        return base64.urlsafe_b64encode(f"{due}|{self.row_id}".encode()).decode().rstrip("=")


def read_cursor(text: str | None) -> Cursor | None:
    """The cursor that a list gave. Raises Invalid."""
    if not text:
        return None
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4)).decode()
        due, _, row_id = raw.partition("|")
        return Cursor(datetime.fromisoformat(due).astimezone(UTC) if due else None, UUID(row_id))
    except (ValueError, binascii.Error, OverflowError):
        raise Invalid([Fault("cursor", "翻页位置无效，请从第一页重新查看。")]) from None
