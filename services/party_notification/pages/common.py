"""What all pages of party_notification share."""

from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

from fastapi import Depends
from starlette.responses import Response

from services.party_notification.domain.wording import VERIFY_PAGE
from services.party_notification.pages import words
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.letters import Letter
from shared.crypto.codes import grouped
from shared.errors import TooMany
from shared.http.routes import Routes, Zone
from shared.runtime.service import kit_of
from shared.web.formats import cn_time
from shared.web.pages import Pages

staff = Routes(Zone.STAFF, pages=True)
public = Routes(Zone.PUBLIC, pages=True)
pages = Pages("services.party_notification")
pages.environment.globals.update(words=words, verify_page=VERIFY_PAGE)
pages.environment.filters.update(grouped=grouped)

TheKit = Annotated[NotificationKit, Depends(kit_of)]

_LETTER_CSP = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""A letter brings its own styles and pictures and may do nothing else."""
PRINT_CSP = _LETTER_CSP.replace("default-src 'none'", "default-src 'none'; script-src 'self'")
"""The same, and our own script may open the printer's dialog."""


def letter_answer(letter: Letter, *, download: bool = False) -> Response:
    """A letter's exact bytes, to be looked at or kept as a file."""
    name = f"{'attachment' if download else 'inline'}; filename*=UTF-8''{quote(letter.name)}"
    headers = {"Content-Security-Policy": _LETTER_CSP, "Content-Disposition": name}
    return Response(letter.content, headers=headers, media_type="text/html")


def locked_until(refusal: TooMany, now: datetime) -> str:
    """When a locked code or number may be tried again."""
    again = now + timedelta(seconds=refusal.retry_after, minutes=1)
    return cn_time(again.replace(second=0, microsecond=0))
