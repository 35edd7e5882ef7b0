"""Signing in and out, and one's own password.

Pages whose token ran out go through `/sign-in/refresh`, scripts too.
"""

from urllib.parse import quote

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain.people import landing, local_path
from services.staff.pages.entrance import (
    Carried,
    Device,
    Refresh,
    Then,
    go_out,
    let_in,
    onward,
    pages,
    place_of,
    stays,
    waiting,
)
from services.staff.pages.resume import resumed
from services.staff.pages.second import second_step
from services.staff.schemas import HandedKit, PasswordForm, SignInForm
from services.staff.usecases import sessions
from shared.errors import Invalid, Refusal, Unauthenticated
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.limits import DOOR
from shared.http.routes import PUBLIC, CurrentCaller, Routes, Zone
from shared.powers import Action

routes = Routes(Zone.STAFF, pages=True)


@routes.get("/sign-in", PUBLIC)
async def sign_in_page(request: Request, then: Then = "") -> Response:
    """The door."""
    return _door(request, {"next": then})


@routes.post("/sign-in", PUBLIC, limit=DOOR)
async def sign_in(request: Request, kit: HandedKit, device: Device = None) -> Response:
    """Come in, or be asked for the second factor, or see at the door why not."""
    form = await typed(request)
    place = place_of(request, device)
    try:
        given = understood(SignInForm, {name: value for name, value in form.items() if name != "kept"})
        passed = await sessions.pass_password(kit, given.credentials(), place)
    except Refusal as refusal:
        return _door(request, form, refusal)
    return await second_step(request, kit, passed, given.code, place, Carried.of(form))


@routes.post("/sign-in/resume", PUBLIC)
async def resume(request: Request, kit: HandedKit, refresh: Refresh = None) -> Response:
    """Go on with a form whose session had ended; whoever cannot renew it is shown the door, and loses nothing."""
    carried = Carried.of(await typed(request))
    try:
        renewed = await sessions.renew(kit, refresh)
    except Unauthenticated:
        return _door(request, {"kept": carried.kept, "next": carried.next})
    page = resumed(request, kit, renewed.member, carried.kept, renewed=True)
    return await stays(request, kit, renewed, page or RedirectResponse(landing(renewed.member.roles), 303))


@routes.get("/sign-in/refresh", PUBLIC)
async def renew_page(request: Request, kit: HandedKit, then: Then = "", refresh: Refresh = None) -> Response:
    """Renew the token and go on; whoever cannot is shown the door."""
    try:
        renewed = await sessions.renew(kit, refresh)
    except Unauthenticated:
        return RedirectResponse(f"/sign-in?next={quote(then, safe='')}", 303)
    return await stays(request, kit, renewed, RedirectResponse(local_path(then) or landing(renewed.member.roles), 303))


@routes.post("/sign-in/refresh", PUBLIC)
async def renew_for_script(request: Request, kit: HandedKit, refresh: Refresh = None) -> Response:
    """Renew the token of a page that stays open, so that a form being filled in is not lost."""
    return await stays(request, kit, await sessions.renew(kit, refresh), Response(status_code=204))


@routes.post("/sign-out", PUBLIC)
async def sign_out(kit: HandedKit, refresh: Refresh = None) -> Response:
    """Go out; the secret is worth nothing afterwards."""
    await sessions.sign_out(kit, refresh)
    return go_out(kit, RedirectResponse("/sign-in", 303))


@routes.post("/staff/sign-out-everywhere", Action.STAFF_OWN)
async def sign_out_everywhere(kit: HandedKit, caller: CurrentCaller) -> Response:
    """Go out wherever one is signed in, here too."""
    await sessions.sign_out_everywhere(kit, caller)
    return RedirectResponse("/sign-in", 303)


@routes.get("/staff/password", Action.STAFF_OWN)
async def password_page(request: Request, *, changed: bool = False) -> Response:
    """One's own password."""
    return pages.page(request, "password.html", changed=changed, faults={})


@routes.post("/staff/password", Action.STAFF_OWN)
async def change_password(request: Request, kit: HandedKit, caller: CurrentCaller, device: Device = None) -> Response:
    """Replace it; this browser stays signed in, all others do not."""
    try:
        given = understood(PasswordForm, await typed(request))
        admission = await sessions.change_password(kit, caller, given.old, given.new, place_of(request, device))
    except Refusal as refusal:
        return pages.page(request, "password.html", refusal.status, changed=False, faults=faults_in(refusal))
    page = RedirectResponse(onward(admission, "/staff/password?changed=1"), 303)
    return await let_in(request, kit, admission, page)


def _door(request: Request, form: Typed, refusal: Refusal | None = None) -> Response:
    """The sign-in page. Passwords are typed again: no page ever carries one back."""
    new_due = "new_password" in form or (refusal is not None and refusal.code == "password_must_change")
    page = pages.page(
        request,
        "sign_in.html",
        refusal.status if refusal else 200,
        login=form.get("login", ""),
        carried=Carried.of(form),
        new_due=new_due,
        refusal=refusal,
        faults=faults_in(refusal) if isinstance(refusal, Invalid) else {},
    )
    return waiting(page, refusal)
