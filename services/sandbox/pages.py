"""The page of phones and mailboxes, with the panel that moves the clock and makes things go wrong."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from services.sandbox.domain.fault_words import CHOICES, changed, words_of
from services.sandbox.schemas import ClockInput, FaultForm, FindForm, HandedKit
from services.sandbox.usecases import clock, reading
from services.sandbox.usecases.world import SandboxKit, add_faults, faults_of
from shared.clock import SystemClock
from shared.errors import Fault, Invalid, Refusal
from shared.http.faults import faults_of as faults_in_words
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.routes import PUBLIC, Routes, Zone
from shared.web.pages import Pages

routes = Routes(Zone.PUBLIC, pages=True)
pages = Pages("services.sandbox")

_BIGGEST = 2**63 - 1
Number = Annotated[int | None, Query(ge=1, le=_BIGGEST)]
_PARTS = ("boxes", "screen", "clock", "faults")
_OFFERED = [(key, words_of(fault)) for key, fault in CHOICES.items()]
_BLANK: Typed = {"choice": "", "recipient": "", "count": "1", "seconds": "", "address": ""}


@dataclass(frozen=True)
class Place:
    """Where on the page somebody is: which box, which mail."""

    box: int | None = None
    mail: int | None = None

    @property
    def query(self) -> str:
        return urlencode({name: value for name, value in vars(self).items() if value})


@routes.get("/sandbox", PUBLIC)
async def world(request: Request, kit: HandedKit, box: Number = None, mail: Number = None) -> Response:
    """Phones and mailboxes."""
    return await _page(request, kit, Place(box, mail))


@routes.get("/sandbox/live", PUBLIC)
async def live(
    request: Request,
    kit: HandedKit,
    box: Number = None,
    mail: Number = None,
    seen: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """What has changed on the page since it was `seen`; 204 when nothing has."""
    place = Place(box, mail)
    parts = await _parts(request, kit, place)
    fresh = {name: html for name, html in parts.items() if _mark(html) not in seen.split(".")}
    if not fresh:
        return Response(status_code=204)
    return pages.page(request, "live.html", parts=fresh, poll=_poll(place, parts))


@routes.post("/sandbox/find", PUBLIC)
async def find(request: Request, kit: HandedKit) -> Response:
    """To the box of a number or an address; it is posted, so that no URL holds it."""
    form, place = await _form(request)
    try:
        box_id = await reading.find_box(kit, understood(FindForm, form).address)
    except Refusal as refusal:
        return await _page(request, kit, place, form, _beside("address", refusal), refusal.status)
    return _to(Place(box_id), "#screen")


@routes.post("/sandbox/panel/clock", PUBLIC)
async def move_clock(request: Request, kit: HandedKit) -> Response:
    """The clock's buttons."""
    form, place = await _form(request)
    wish = understood(ClockInput, form)
    await (clock.reset(kit) if wish.reset else clock.move_by(kit, wish.by))
    return _to(place, "#panel")


@routes.post("/sandbox/panel/faults", PUBLIC)
async def put_fault(request: Request, kit: HandedKit) -> Response:
    """One more fault."""
    form, place = await _form(request)
    try:
        wish = understood(FaultForm, form)
        add_faults(kit, [_chosen(wish)])
    except Refusal as refusal:
        return await _page(request, kit, place, form, faults_in(refusal), refusal.status)
    return _to(place, "#panel")


@routes.post("/sandbox/panel/faults/clear", PUBLIC)
async def clear_faults(request: Request, kit: HandedKit) -> Response:
    """All is well again."""
    _, place = await _form(request)
    faults_of(kit).clear()
    return _to(place, "#panel")


def _chosen(wish: FaultForm) -> Any:
    if wish.choice not in CHOICES:
        raise Invalid([Fault("choice", "请从列表中选择一种故障。")])
    try:
        return changed(CHOICES[wish.choice], wish.recipient, None if wish.forever else wish.count, wish.seconds)
    except ValidationError as error:
        raise Invalid(faults_in_words(error.errors())) from None


def _beside(field: str, refusal: Refusal) -> dict[str, str]:
    return faults_in(refusal) if isinstance(refusal, Invalid) else {field: refusal.detail}


async def _form(request: Request) -> tuple[Typed, Place]:
    form = await typed(request)
    here = [form.pop(name, "") for name in ("box", "mail")]
    box, mail = (int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None for text in here)
    return form, Place(box, mail)


def _to(place: Place, anchor: str) -> Response:
    return RedirectResponse(f"/sandbox?{place.query}{anchor}", 303)


async def _page(
    request: Request,
    kit: SandboxKit,
    place: Place,
    form: Typed | None = None,
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    parts = await _parts(request, kit, place)
    context = {"parts": parts, "poll": _poll(place, parts), "place": vars(place), "choices": _OFFERED}
    return pages.page(request, "sandbox.html", status, form=_BLANK | (form or {}), faults=faults or {}, **context)


async def _parts(request: Request, kit: SandboxKit, place: Place) -> dict[str, str]:
    context = await _shown(kit, place)
    return {name: pages.render(request, f"part_{name}.html", **context) for name in _PARTS}


async def _shown(kit: SandboxKit, place: Place) -> dict[str, Any]:
    boxes = await reading.boxes(kit)
    chosen = await reading.box(kit, place.box) if place.box else next(iter(boxes), None)
    messages = await reading.in_box(kit, chosen.box_id) if chosen else ()
    opened = next((message for message in messages if message.id == place.mail), messages[-1] if messages else None)
    instant = await clock.now(kit)
    return {
        "boxes": boxes,
        "chosen": chosen,
        "messages": messages,
        "opened": opened,
        "most": reading.SHOWN_MESSAGES,
        "instant": instant,
        "ahead": timedelta(minutes=round((instant - SystemClock().now()) / timedelta(minutes=1))),
        "standing": [(words_of(fault), fault.recipient, left) for fault, left in faults_of(kit).listed()],
        "place": vars(place),
    }


def _mark(html: str) -> str:
    return hashlib.sha256(html.encode()).hexdigest()[:12]


def _poll(place: Place, parts: dict[str, str]) -> str:
    seen = ".".join(map(_mark, parts.values()))
    return f"/sandbox/live?{place.query}&seen={seen}" if place.query else f"/sandbox/live?seen={seen}"
