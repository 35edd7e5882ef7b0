"""两步验证: one's own second factor, set up, moved to another telephone, switched off."""

from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.staff.pages.entrance import Device, let_in, pages, place_of, waiting
from services.staff.pages.offers import shown
from services.staff.schemas import ConfirmForm, HandedKit, ProofForm
from services.staff.usecases import enrolment, tickets
from services.staff.usecases.enrolment import Setting
from services.staff.usecases.kit import StaffKit
from services.staff.usecases.tickets import Offer
from shared.errors import Conflict, Refusal
from shared.http.auth import Caller
from shared.http.forms import faults_in, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action

routes = Routes(Zone.STAFF, pages=True)

_HERE = "/staff/factor"


@routes.get(_HERE, Action.STAFF_OWN)
async def factor_page(request: Request, kit: HandedKit, caller: CurrentCaller, *, off: bool = False) -> Response:
    """How it stands; for who has none, the secret to set one up."""
    return await _page(request, kit, caller, off=off)


@routes.post(_HERE, Action.STAFF_OWN)
async def confirm(request: Request, kit: HandedKit, caller: CurrentCaller, device: Device = None) -> Response:
    """Set one up, or put another in its place; recovery codes are shown, this once."""
    form = await typed(request)
    sealed = str(form.get("offer", ""))
    try:
        given = understood(ConfirmForm, form)
        setting = Setting(given.offer, given.code)
        made = await enrolment.enrol(kit, caller, setting, place_of(request, device))
    except Refusal as refusal:
        return await _page(request, kit, caller, refusal, offer=_same(kit, caller, sealed))
    page = pages.page(request, "recovery.html", recovery=made.recovery, next=_HERE, kept="")
    return await let_in(request, kit, made.admission, page)


@routes.post(f"{_HERE}/instead", Action.STAFF_OWN)
async def offer_instead(request: Request, kit: HandedKit, caller: CurrentCaller) -> Response:
    """A secret for another telephone; the one that holds goes on until its code has come."""
    try:
        given = understood(ProofForm, await typed(request))
        offer = await enrolment.offer_instead(kit, caller, given.password, given.code)
    except Refusal as refusal:
        return await _page(request, kit, caller, refusal, asked="instead")
    return await _page(request, kit, caller, offer=offer)


@routes.post(f"{_HERE}/off", Action.STAFF_OWN)
async def switch_off(request: Request, kit: HandedKit, caller: CurrentCaller, device: Device = None) -> Response:
    """Go without."""
    try:
        given = understood(ProofForm, await typed(request))
        place = place_of(request, device)
        admission = await enrolment.switch_off(kit, caller, given.password, given.code, place)
    except Refusal as refusal:
        return await _page(request, kit, caller, refusal, asked="off")
    return await let_in(request, kit, admission, RedirectResponse(f"{_HERE}?off=1", 303))


def _same(kit: StaffKit, caller: Caller, sealed: str) -> Offer | None:
    try:
        return tickets.same_offer(kit, caller.staff_id, caller.login, sealed)
    except Conflict:
        return None


async def _page(
    request: Request, kit: StaffKit, caller: Caller, refusal: Refusal | None = None, **more: Any
) -> Response:
    standing = await enrolment.standing(kit, caller)
    offer = more.pop("offer", None)
    if offer is None and standing.enrolled_at is None and not standing.at_door:
        offer = tickets.offer(kit, caller.staff_id, caller.login)
    context = {
        "off": False,
        "asked": "",
        **more,
        "standing": standing,
        "at_door": enrolment.AT_DOOR if standing.at_door else "",
        "faults": faults_in(refusal) if refusal else {},
        **shown(kit, offer),
    }
    return waiting(pages.page(request, "factor.html", refusal.status if refusal else 200, **context), refusal)
