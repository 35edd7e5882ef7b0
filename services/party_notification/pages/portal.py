"""The portal, and the check whether a notice is real: open to anybody."""

from fastapi import Request
from starlette.responses import HTMLResponse

from services.party_notification.pages.common import TheKit, locked_until, pages, public
from services.party_notification.schemas import CheckInput
from services.party_notification.usecases import checking
from shared.errors import Invalid, TooMany
from shared.http.forms import faults_in, typed, understood
from shared.http.routes import PUBLIC


@public.get("/", PUBLIC)
async def portal(request: Request) -> HTMLResponse:
    """What this site is, and its three doors."""
    return pages.page(request, "portal.html")


@public.get("/verify", PUBLIC)
async def check_form(request: Request) -> HTMLResponse:
    """Where to type a notice's number."""
    return pages.page(request, "verify.html", form={}, faults={}, genuine=None, again=None)


@public.post("/verify", PUBLIC)
async def check(request: Request, kit: TheKit) -> HTMLResponse:
    """What was sent and when; or the warning."""
    form = await typed(request)
    shown = {"form": form, "faults": {}, "genuine": None, "again": None}
    try:
        given = understood(CheckInput, form)
        genuine = await checking.check_notice(kit, given.number, given.last_four)
    except Invalid as refusal:
        return pages.page(request, "verify.html", 422, **{**shown, "faults": faults_in(refusal)})
    except TooMany as refusal:
        again = locked_until(refusal, kit.clock.now())
        response = pages.page(request, "verify.html", 429, **{**shown, "again": again})
        response.headers["Retry-After"] = str(refusal.retry_after)
        return response
    return pages.page(request, "verify.html", **{**shown, "genuine": genuine})
