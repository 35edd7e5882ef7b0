"""A form whose session ended in the middle goes on: renewed unseen where the shift still lasts, else at the door."""

from datetime import timedelta
from typing import Any

from fastapi import Request
from starlette.responses import Response

from services.staff.domain.people import Member, landing
from services.staff.usecases.kit import StaffKit
from shared.http.kept import KeptForm, opened
from shared.web.pages import Pages

_AT_ONCE = timedelta(minutes=2)
"""So soon after it was sent, a form goes on by itself: whoever pressed the button still sits there."""

pages = Pages("services.staff")


def resumed(request: Request, kit: StaffKit, member: Member, sealed: str, *, renewed: bool) -> Response | None:
    """The page that sends a kept form again, for whoever filled it in; None when nothing is kept."""
    form = opened(kit.keyring, sealed) if sealed else None
    if form is None:
        return None
    own = form.by in (None, member.id)
    at_once = renewed and own and not form.files and form.age <= _AT_ONCE
    shown: dict[str, Any] = {
        "form": form if own else _emptied(form),
        "own": own,
        "at_once": at_once,
        "home": landing(member.roles),
    }
    return pages.page(request, "resume.html", **shown)


def _emptied(form: KeptForm) -> KeptForm:
    """Of what somebody else typed nothing is shown."""
    return form.model_copy(update={"fields": []})
