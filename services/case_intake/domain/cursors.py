"""Cursors of lists: opaque to callers, checked when they come back."""

import base64
import binascii
from datetime import date
from uuid import UUID

from shared.errors import Fault, Invalid


def write(day: date, case_id: UUID) -> str:
    """The place after a case in the list of newest filings."""
    return base64.urlsafe_b64encode(f"{day.isoformat()}|{case_id}".encode()).decode()


def read(cursor: str | None) -> tuple[date, UUID] | None:
    """The place that `write` named. Raises Invalid."""
    if not cursor:
        return None
    try:
        day, _, case_id = base64.b64decode(cursor, b"-_", validate=True).decode().partition("|")
        return date.fromisoformat(day), UUID(case_id)
    except (ValueError, binascii.Error):
        raise Invalid([Fault("cursor", "翻页标记无效，请从第一页重新开始。")]) from None
