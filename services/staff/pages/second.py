"""The second step at the door: a code; or, for whose posts it is required, setting up what gives codes.

The same page asks for a code in the middle of a session, where something is done only with a fresh one.
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
    let_in,
    onward,
    pages,
    place_of,
    stays,
    waiting,
)
from services.staff.pages.offers import is_demo, shown
from services.staff.pages.resume import resumed
from services.staff.schemas import CodeForm, EnrolForm, HandedKit
from services.staff.usecases import enrolment, sessions, tickets
from services.staff.usecases.codes import CodeNeeded, FactorDue
from services.staff.usecases.enrolment import Setting
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.locks import Place
from services.staff.usecases.tickets import Offer, Passed
from shared.errors import Conflict, Invalid, Refusal, Unauthenticated
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.limits import DOOR
from shared.http.routes import PUBLIC, Routes, Zone

routes = Routes(Zone.STAFF, pages=True)


@routes.get("/sign-in/code", PUBLIC)
async def code_page(request: Request, kit: HandedKit, then: Then = "", refresh: Refresh = None) -> Response:
    """A session goes on with a fresh code; whoever has none is shown the door."""
    try:
        await sessions.renew(kit, refresh)
    except Unauthenticated:
        return RedirectResponse(f"/sign-in?next={quote(then, safe='')}", 303)
    return ask_for_code(request, kit, Carried(then))


@routes.post("/sign-in/code", PUBLIC, limit=DOOR)
async def give_code(request: Request, kit: HandedKit, refresh: Refresh = None, device: Device = None) -> Response:
    """The code, at the door or in a session. A form that waits for one comes without."""
    form = await typed(request)
    carried = Carried.of(form)
    if "code" not in form:
        return ask_for_code(request, kit, carried)
    try:
        code = understood(CodeForm, {"code": form["code"]}).code
        if not carried.passed:
            return await _step_up(request, kit, carried, refresh, code)
        passed = await tickets.passed_by(kit, carried.passed)
    except Refusal as refusal:
        return ask_for_code(request, kit, carried, refusal)
    return await second_step(request, kit, passed, code, place_of(request, device), carried)


@routes.post("/sign-in/enrol", PUBLIC, limit=DOOR)
async def enrol(request: Request, kit: HandedKit, device: Device = None) -> Response:
    """Set up the second factor and come in; recovery codes are shown, this once."""
    form = await typed(request)
    carried, sealed = Carried.of(form), str(form.get("offer", ""))
    try:
        passed = await tickets.passed_by(kit, carried.passed)
    except Unauthenticated as refusal:
        return ask_for_code(request, kit, carried, refusal)
    try:
        given = understood(EnrolForm, _named(form, "offer", "code", "granted"))
        setting = Setting(given.offer, given.code, given.granted)
        made = await enrolment.enrol_at_door(kit, passed, setting, place_of(request, device))
    except Refusal as refusal:
        return ask_to_enrol(request, kit, passed, carried, refusal, sealed)
    then = onward(made.admission, carried.next)
    page = pages.page(request, "recovery.html", recovery=made.recovery, next=then, kept=carried.kept)
    return await let_in(request, kit, made.admission, page)


async def second_step(
    request: Request, kit: StaffKit, passed: Passed, code: str | None, place: Place, carried: Carried
) -> Response:
    """In, by a session; or the page that says what is wanted yet."""
    carried = Carried(carried.next, carried.kept, tickets.ticket(kit, passed))
    try:
        admission = await sessions.enter(kit, passed, code, place)
    except FactorDue:
        return ask_to_enrol(request, kit, passed, carried)
    except Refusal as refusal:
        return ask_for_code(request, kit, carried, refusal)
    page = resumed(request, kit, admission.member, carried.kept, renewed=False)
    return await let_in(request, kit, admission, page or RedirectResponse(onward(admission, carried.next), 303))


def ask_for_code(request: Request, kit: StaffKit, carried: Carried, refusal: Refusal | None = None) -> Response:
    """The page that asks for a code; what lapsed meanwhile leads back to the door, and loses nothing."""
    page = pages.page(
        request,
        "code.html",
        200 if refusal is None or isinstance(refusal, CodeNeeded) else refusal.status,
        carried=carried,
        refusal=refusal,
        faults=faults_in(refusal) if isinstance(refusal, Invalid) else {},
        demo=is_demo(kit),
    )
    return waiting(page, refusal)


def ask_to_enrol(
    request: Request, kit: StaffKit, passed: Passed, carried: Carried, refusal: Refusal | None = None, sealed: str = ""
) -> Response:
    """The page that sets up a second factor; a code that was mistyped goes with the secret shown before."""
    page = pages.page(
        request,
        "enrol.html",
        refusal.status if refusal else 200,
        carried=carried,
        refusal=refusal,
        faults=faults_in(refusal) if isinstance(refusal, Invalid) else {},
        **shown(kit, _offer(kit, passed, sealed)),
    )
    return waiting(page, refusal)


def _offer(kit: StaffKit, passed: Passed, sealed: str) -> Offer:
    staff_id = passed.known.staff_id
    try:
        return tickets.same_offer(kit, staff_id, passed.login, sealed)
    except Conflict:
        return tickets.offer(kit, staff_id, passed.login)


async def _step_up(request: Request, kit: StaffKit, carried: Carried, refresh: str | None, code: str) -> Response:
    opened = await enrolment.step_up(kit, await sessions.renew(kit, refresh), code)
    page = resumed(request, kit, opened.member, carried.kept, renewed=True)
    return await stays(
        request, kit, opened, page or RedirectResponse(local_path(carried.next) or landing(opened.member.roles), 303)
    )


def _named(form: Typed, *names: str) -> Typed:
    return {name: form[name] for name in names if name in form}
