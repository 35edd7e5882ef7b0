"""Signing in and out, and one's own password.

A browser holds three cookies: a signed token for half an hour that every service reads; a secret for a shift that only
`/sign-in` and `/sign-out` are sent; and one by which the door knows the device next time. Pages whose token ran out go
through `/sign-in/refresh`, scripts too.
"""

from typing import Annotated
from urllib.parse import quote

from fastapi import Cookie, Query, Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain.doors import DEVICE, REFRESH, SESSION
from services.staff.domain.people import landing, local_path
from services.staff.pages.resume import KEPT, resumed
from services.staff.schemas import HandedKit, PasswordForm, SignInForm
from services.staff.usecases import sessions
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.locks import Place
from services.staff.usecases.presence import tell_presence
from services.staff.usecases.sessions import Admission, Opened
from shared.errors import Invalid, Refusal, TooMany, Unauthenticated
from shared.http import sources
from shared.http.auth import STAFF_COOKIE
from shared.http.cookies import drop_cookie, keep_cookie
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.limits import DOOR, source
from shared.http.routes import PUBLIC, CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.web.pages import Pages

REFRESH_COOKIE = "yg_refresh"
_REFRESH_PATHS = ("/sign-in", "/sign-out")

Then = Annotated[str, Query(alias="next", max_length=2000)]
Refresh = Annotated[str | None, Cookie(alias=REFRESH_COOKIE)]
Device = Annotated[str | None, Cookie(alias=sources.DEVICE_COOKIE, max_length=200)]

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.staff")


@routes.get("/sign-in", PUBLIC)
async def sign_in_page(request: Request, then: Then = "") -> Response:
    """The door."""
    return _door(request, {"next": then})


@routes.post("/sign-in", PUBLIC, limit=DOOR)
async def sign_in(request: Request, kit: HandedKit, device: Device = None) -> Response:
    """Come in, or see at the door why not."""
    form = await typed(request)
    kept = form.pop(KEPT, "")
    try:
        given = understood(SignInForm, form)
        admission = await sessions.sign_in(kit, given.credentials(), Place(source(request), device))
    except Refusal as refusal:
        return _door(request, {**form, KEPT: kept}, refusal)
    return await _let_in(
        request, kit, admission, given.next, resumed(request, kit, admission.member, kept, renewed=False)
    )


@routes.post("/sign-in/resume", PUBLIC)
async def resume(request: Request, kit: HandedKit, refresh: Refresh = None) -> Response:
    """Go on with a form whose session had ended; whoever cannot renew it is shown the door, and loses nothing."""
    kept = (await typed(request)).get(KEPT, "")
    try:
        renewed = await sessions.renew(kit, refresh)
    except Unauthenticated:
        return _door(request, {KEPT: kept})
    page = resumed(request, kit, renewed.member, kept, renewed=True)
    return await _stays(request, kit, renewed, page or RedirectResponse(landing(renewed.member.roles), 303))


@routes.get("/sign-in/refresh", PUBLIC)
async def renew_page(request: Request, kit: HandedKit, then: Then = "", refresh: Refresh = None) -> Response:
    """Renew the token and go on; whoever cannot is shown the door."""
    try:
        renewed = await sessions.renew(kit, refresh)
    except Unauthenticated:
        return RedirectResponse(f"/sign-in?next={quote(then, safe='')}", 303)
    return await _stays(request, kit, renewed, RedirectResponse(local_path(then) or landing(renewed.member.roles), 303))


@routes.post("/sign-in/refresh", PUBLIC)
async def renew_for_script(request: Request, kit: HandedKit, refresh: Refresh = None) -> Response:
    """Renew the token of a page that stays open, so that a form being filled in is not lost."""
    return await _stays(request, kit, await sessions.renew(kit, refresh), Response(status_code=204))


@routes.post("/sign-out", PUBLIC)
async def sign_out(kit: HandedKit, refresh: Refresh = None) -> Response:
    """Go out; the secret is worth nothing afterwards."""
    await sessions.sign_out(kit, refresh)
    response = RedirectResponse("/sign-in", 303)
    drop_cookie(response, kit.run, STAFF_COOKIE)
    for path in _REFRESH_PATHS:
        drop_cookie(response, kit.run, REFRESH_COOKIE, path)
    return response


@routes.post("/staff/sign-out-everywhere", Action.STAFF_READ)
async def sign_out_everywhere(kit: HandedKit, caller: CurrentCaller) -> Response:
    """Go out wherever one is signed in, here too."""
    await sessions.sign_out_everywhere(kit, caller)
    return RedirectResponse("/sign-in", 303)


@routes.get("/staff/password", Action.STAFF_READ)
async def password_page(request: Request, *, changed: bool = False) -> Response:
    """One's own password."""
    return pages.page(request, "password.html", changed=changed, faults={})


@routes.post("/staff/password", Action.STAFF_READ)
async def change_password(request: Request, kit: HandedKit, caller: CurrentCaller, device: Device = None) -> Response:
    """Replace it; this browser stays signed in, all others do not."""
    try:
        given = understood(PasswordForm, await typed(request))
        admission = await sessions.change_password(kit, caller, given.old, given.new, Place(source(request), device))
    except Refusal as refusal:
        return pages.page(request, "password.html", refusal.status, changed=False, faults=faults_in(refusal))
    return await _let_in(request, kit, admission, "/staff/password?changed=1")


def _door(request: Request, form: Typed, refusal: Refusal | None = None) -> Response:
    """The sign-in page. Passwords are typed again: no page ever carries one back."""
    new_due = "new_password" in form or (refusal is not None and refusal.code == "password_must_change")
    response = pages.page(
        request,
        "sign_in.html",
        refusal.status if refusal else 200,
        login=form.get("login", ""),
        next=form.get("next", ""),
        kept=form.get(KEPT, ""),
        new_due=new_due,
        refusal=refusal,
        faults=faults_in(refusal) if isinstance(refusal, Invalid) else {},
    )
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


async def _let_in(
    request: Request, kit: StaffKit, admission: Admission, then: str, page: Response | None = None
) -> Response:
    """Into the product: to `page` where a form goes on, else to where `then` leads."""
    onward = local_path(then) or landing(admission.member.roles)
    if admission.to_be_shown:
        onward = f"/staff/notices?next={quote(onward, safe='')}"
    response = page or RedirectResponse(onward, 303)
    seconds = int(REFRESH.total_seconds())
    for path in _REFRESH_PATHS:
        keep_cookie(response, kit.run, REFRESH_COOKIE, admission.refresh, seconds, path)
    keep_cookie(response, kit.run, sources.DEVICE_COOKIE, admission.device, int(DEVICE.total_seconds()))
    await tell_presence(kit, admission.member, source(request), admission.device)
    return _with_token(kit, admission.opened, response)


async def _stays(request: Request, kit: StaffKit, opened: Opened, response: Response) -> Response:
    """Whoever renews the token is still there."""
    await tell_presence(kit, opened.member, source(request), sources.device(request))
    return _with_token(kit, opened, response)


def _with_token(kit: StaffKit, opened: Opened, response: Response) -> Response:
    token = sessions.session_token(kit, opened.member, opened.session)
    keep_cookie(response, kit.run, STAFF_COOKIE, token, int(SESSION.total_seconds()))
    return response
