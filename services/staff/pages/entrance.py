"""What a browser holds once somebody is in, and what goes through the door with them.

A browser holds three cookies: a signed token for half an hour that every service reads; a secret for a shift that only
`/sign-in` and `/sign-out` are sent; and one by which the door knows the device next time.
"""

from dataclasses import dataclass
from typing import Annotated
from urllib.parse import quote

from fastapi import Cookie, Query, Request
from starlette.responses import Response

from services.staff.domain.doors import DEVICE, REFRESH, SESSION
from services.staff.domain.people import landing, local_path
from services.staff.usecases.admission import Admission, Opened, session_token
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.locks import Place
from services.staff.usecases.presence import tell_presence
from shared.errors import Refusal, TooMany
from shared.http import sources
from shared.http.auth import STAFF_COOKIE
from shared.http.cookies import drop_cookie, keep_cookie
from shared.http.forms import Typed
from shared.http.limits import source
from shared.web.pages import Pages

REFRESH_COOKIE = "yg_refresh"
REFRESH_PATHS = ("/sign-in", "/sign-out")

Then = Annotated[str, Query(alias="next", max_length=2000)]
Refresh = Annotated[str | None, Cookie(alias=REFRESH_COOKIE)]
Device = Annotated[str | None, Cookie(alias=sources.DEVICE_COOKIE, max_length=200)]

pages = Pages("services.staff")


@dataclass(frozen=True)
class Carried:
    """Where somebody wants to go, a sealed form that waits for them, and the ticket of the first step."""

    next: str = ""
    kept: str = ""
    passed: str = ""

    @classmethod
    def of(cls, form: Typed) -> "Carried":
        """As the hidden fields of a form say."""
        return cls(*(str(form.get(name, "")) for name in ("next", "kept", "passed")))


def place_of(request: Request, device: str | None) -> Place:
    """Where somebody stands who wants to come in."""
    return Place(source(request), device)


def onward(admission: Admission, then: str) -> str:
    """Where to go once in; past what others did to this sign-in, if there is any of it."""
    path = local_path(then) or landing(admission.member.roles)
    return f"/staff/notices?next={quote(path, safe='')}" if admission.to_be_shown else path


async def let_in(request: Request, kit: StaffKit, admission: Admission, response: Response) -> Response:
    """Into the product, by this answer."""
    seconds = int(REFRESH.total_seconds())
    for path in REFRESH_PATHS:
        keep_cookie(response, kit.run, REFRESH_COOKIE, admission.refresh, seconds, path)
    keep_cookie(response, kit.run, sources.DEVICE_COOKIE, admission.device, int(DEVICE.total_seconds()))
    await tell_presence(kit, admission.member, source(request), admission.device)
    return _with_token(kit, admission.opened, response)


async def stays(request: Request, kit: StaffKit, opened: Opened, response: Response) -> Response:
    """Whoever renews the token is still there."""
    await tell_presence(kit, opened.member, source(request), sources.device(request))
    return _with_token(kit, opened, response)


def go_out(kit: StaffKit, response: Response) -> Response:
    """The cookies are taken back; the device stays known."""
    drop_cookie(response, kit.run, STAFF_COOKIE)
    for path in REFRESH_PATHS:
        drop_cookie(response, kit.run, REFRESH_COOKIE, path)
    return response


def waiting(response: Response, refusal: Refusal | None) -> Response:
    """The page; whoever tried too often is told when to come again."""
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _with_token(kit: StaffKit, opened: Opened, response: Response) -> Response:
    keep_cookie(response, kit.run, STAFF_COOKIE, session_token(kit, opened), int(SESSION.total_seconds()))
    return response
