"""The portal, and the check whether a notice is real: open to anybody."""

from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse

from services.party_notification.pages.common import TheKit, locked_until, pages, public
from services.party_notification.schemas import CheckInput
from services.party_notification.usecases import checking
from shared.errors import Invalid, TooMany, Unavailable
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.routes import PUBLIC


@public.get("/", PUBLIC)
async def portal(request: Request) -> HTMLResponse:
    """What this site is, and its three doors."""
    return pages.page(request, "portal.html")


@public.get("/verify", PUBLIC)
async def check_form(request: Request) -> HTMLResponse:
    """Where to type a notice's number."""
    return _page(request, {})


def _page(request: Request, form: Typed, status: int = 200, **shown: Any) -> HTMLResponse:
    given: dict[str, Any] = {
        "faults": {},
        "genuine": None,
        "others": [],
        "again": None,
        "not_ours": False,
        "later": False,
        "number": "",
        "last_four": "",
    }
    kept: Typed = {name: form[name] for name in ("number", "last_four") if name in form}
    return pages.page(request, "verify.html", status, **{**given, **kept, **shown})


@public.post("/verify", PUBLIC)
async def check(request: Request, kit: TheKit) -> HTMLResponse:
    """What was sent and when; or the warning."""
    form = await typed(request)
    try:
        given = understood(CheckInput, form)
    except Invalid as refusal:
        return _page(request, form, 422, faults=faults_in(refusal))
    try:
        found = await checking.check_notice(kit, given.number, given.last_four)
    except Invalid:
        return _page(request, form, 422, not_ours=True)
    except TooMany as refusal:
        return _locked(request, kit, form, refusal)
    except Unavailable as refusal:
        return _page(request, form, refusal.status, later=True)
    return _page(request, form, genuine=found[0], others=found[1:])


def _locked(request: Request, kit: TheKit, form: Typed, refusal: TooMany) -> HTMLResponse:
    response = _page(request, form, 429, again=locked_until(refusal, kit.clock.now()))
    response.headers["Retry-After"] = str(refusal.retry_after)
    return response
