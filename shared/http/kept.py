"""A form that was sent after its session ended, sealed by the service that it was meant for.

It is carried through the door and sent again by whoever filled it in. Passwords are never carried, nor are files.
"""

from datetime import datetime, timedelta
from urllib.parse import urlsplit
from uuid import UUID

from pydantic import BaseModel
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from shared.clock import SystemClock
from shared.crypto.keyring import KeyRing
from shared.crypto.sealed import SealError
from shared.errors import Refusal
from shared.http.bodies import FORM, RECORD

BY = "_by"
"""The hidden field of every form that says who opened it; it is no part of what was typed."""
GOOD_FOR = timedelta(hours=12)
_ABOUT = "kept form"
_MOST = FORM * 3 // 4
"""Sealed, it comes in again at the door, beside login and password, in a form that anybody may send."""
_NEVER = {"password", "new_password", "old", "new", "again", "code", BY}
_DOORS = ("/sign-in", "/sign-out", "/staff/password", "/staff/factor")


class KeptForm(BaseModel):
    """What was typed, and where it was to go. `page`: where it was typed; `by`: who had opened that page."""

    action: str
    page: str
    by: UUID | None
    fields: list[tuple[str, str]]
    files: bool
    at: datetime

    @property
    def age(self) -> timedelta:
        """How long ago it was sent, by the machine's clock, as sessions live."""
        return SystemClock().now() - self.at


async def keep(request: Request) -> None:
    """Seal the form that the request brings; the answer's page finds it in the request's state, or that it is lost."""
    kit = request.app.state.kit
    if request.method != "POST" or not request.app.state.inner or request.url.path.startswith(_DOORS):
        return
    page = urlsplit(request.headers.get("referer", ""))
    same = page.netloc == request.headers.get("host", "")
    here = f"{page.path}?{page.query}" if page.query else page.path
    request.state.lost = _is_form(request)
    fields = await _read(request)
    if fields is None:
        return
    typed = [(name, value) for name, value in fields if isinstance(value, str)]
    form = KeptForm(
        action=request.url.path,
        page=here if same and here else "",
        by=_who(dict(typed).get(BY)),
        fields=[(name, value) for name, value in typed if name.lower() not in _NEVER],
        files=len(typed) < len(fields),
        at=SystemClock().now(),
    )
    sealed = kit.exchange.seal_model(form, _ABOUT)
    if len(sealed) <= _MOST:
        request.state.kept, request.state.lost = sealed, False


def _is_form(request: Request) -> bool:
    kind = request.headers.get("content-type", "")
    return kind.startswith(("application/x-www-form-urlencoded", "multipart/form-data"))


async def _read(request: Request) -> list[tuple[str, UploadFile | str]] | None:
    """The form's fields; None for what is none, or too large to be carried."""
    length = request.headers.get("content-length", "")
    if not _is_form(request) or not length.isascii() or not length.isdecimal() or int(length[:9]) > RECORD:
        return None
    try:
        async with request.form() as form:
            return form.multi_items()
    except (HTTPException, Refusal, ValueError):
        return None


def _who(by: object) -> UUID | None:
    try:
        return UUID(str(by))
    except ValueError:
        return None


def opened(keyring: KeyRing, sealed: str) -> KeptForm | None:
    """What was kept; None for what is no kept form, or too old."""
    try:
        form = keyring.open_model(KeptForm, sealed, _ABOUT)
    except SealError:
        return None
    return form if form.age <= GOOD_FOR else None
