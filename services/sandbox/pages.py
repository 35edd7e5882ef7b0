"""The page of phones and mailboxes, with the panel that moves the clock and makes things go wrong."""

import hashlib
from datetime import timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlencode

from fastapi import Query, Request
from pydantic import BaseModel, Field, ValidationError
from starlette.responses import RedirectResponse, Response

from services.sandbox.domain.fault_words import CHOICES, changed, words_of
from services.sandbox.schemas import ClockInput, FaultForm, FindForm, HandedKit
from services.sandbox.usecases import clock, reading
from services.sandbox.usecases.world import SandboxKit, add_faults, faults_of
from shared.clock import SystemClock
from shared.errors import Fault, Invalid, Refusal
from shared.http.bodies import UPLOAD
from shared.http.faults import faults_of as faults_in_words
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.limits import OUTSIDE
from shared.http.routes import PUBLIC, Routes, Zone
from shared.web.pages import Pages

routes = Routes(Zone.PUBLIC, pages=True, limit=OUTSIDE, most=UPLOAD)
pages = Pages("services.sandbox")

_BIGGEST = 2**63 - 1
_PARTS = ("boxes", "screen", "clock", "faults")
_OFFERED = [(key, words_of(fault)) for key, fault in CHOICES.items()]
_BLANK: Typed = {"choice": "", "recipient": "", "count": "1", "seconds": "", "address": ""}


class Place(BaseModel):
    """Where on the page somebody is: which box, which mail, which channel's list."""

    box: int | None = Field(None, ge=1, le=_BIGGEST)
    mail: int | None = Field(None, ge=1, le=_BIGGEST)
    only: Literal["sms", "mail"] | None = None

    @property
    def fields(self) -> dict[str, Any]:
        return self.model_dump(exclude_none=True)

    @classmethod
    def out_of(cls, form: Typed) -> Self:
        """The place that a form was sent from; its fields are taken out of the form."""
        fields = {name: form.pop(name) for name in cls.model_fields if name in form}
        return understood(cls, fields)


Here = Annotated[Place, Query()]


@routes.get("/sandbox", PUBLIC)
async def world(request: Request, kit: HandedKit, place: Here) -> Response:
    """Phones and mailboxes."""
    return await _page(request, kit, place)


class Seen(Place):
    """A place, and the marks of what is shown there."""

    seen: str = Field("", max_length=100)


@routes.get("/sandbox/live", PUBLIC)
async def live(request: Request, kit: HandedKit, seen: Annotated[Seen, Query()]) -> Response:
    """What has changed on the page since it was `seen`; 204 when nothing has."""
    place, parts = await _parts(request, kit, Place(**seen.model_dump(exclude={"seen"})))
    fresh = {name: html for name, html in parts.items() if _mark(html) not in seen.seen.split(".")}
    if not fresh:
        return Response(status_code=204)
    return pages.page(request, "live.html", parts=fresh, poll=_poll(place, parts))


@routes.post("/sandbox/find", PUBLIC)
async def find(request: Request, kit: HandedKit) -> Response:
    """To the box of a number or an address; it is posted, so that no URL holds it."""
    form = await typed(request)
    place = Place.out_of(form)
    try:
        box_id = await reading.find_box(kit, understood(FindForm, form).address)
    except Refusal as refusal:
        return await _page(request, kit, place, form, _beside("address", refusal), refusal.status)
    return _to(Place(box=box_id, only=place.only), "#screen")


@routes.post("/sandbox/panel/clock", PUBLIC)
async def move_clock(request: Request, kit: HandedKit) -> Response:
    """The clock's buttons."""
    form = await typed(request)
    place = Place.out_of(form)
    wish = understood(ClockInput, form)
    await (clock.reset(kit) if wish.reset else clock.move_by(kit, wish.by))
    return _to(place, "#panel")


@routes.post("/sandbox/panel/faults", PUBLIC)
async def put_fault(request: Request, kit: HandedKit) -> Response:
    """One more fault."""
    form = await typed(request)
    place = Place.out_of(form)
    try:
        wish = understood(FaultForm, form)
        add_faults(kit, [_chosen(wish)])
    except Refusal as refusal:
        return await _page(request, kit, place, form, faults_in(refusal), refusal.status)
    return _to(place, "#panel")


@routes.post("/sandbox/panel/faults/clear", PUBLIC)
async def clear_faults(request: Request, kit: HandedKit) -> Response:
    """All is well again."""
    place = Place.out_of(await typed(request))
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


def _to(place: Place, anchor: str) -> Response:
    return RedirectResponse(f"/sandbox?{urlencode(place.fields)}{anchor}", 303)


async def _page(
    request: Request,
    kit: SandboxKit,
    place: Place,
    form: Typed | None = None,
    faults: dict[str, str] | None = None,
    status: int = 200,
) -> Response:
    place, parts = await _parts(request, kit, place)
    context = {"parts": parts, "poll": _poll(place, parts), "place": place.fields, "choices": _OFFERED}
    return pages.page(request, "sandbox.html", status, form=_BLANK | (form or {}), faults=faults or {}, **context)


async def _parts(request: Request, kit: SandboxKit, place: Place) -> tuple[Place, dict[str, str]]:
    """The page's parts, and the place with the box that was chosen for whoever has chosen none."""
    boxes = await reading.boxes(kit, place.only)
    chosen = await reading.box(kit, place.box) if place.box else next(iter(boxes), None)
    context: dict[str, Any] = {"boxes": boxes, "chosen": chosen, "standing": _standing(kit), **await _time(kit)}
    if chosen is not None:
        context["boxes"] = boxes if chosen in boxes else [chosen, *boxes]
        place = place.model_copy(update={"box": chosen.box_id})
        context |= await _opened(kit, chosen.box_id, place.mail)
    context["place"] = place.fields
    return place, {name: pages.render(request, f"part_{name}.html", **context) for name in _PARTS}


async def _opened(kit: SandboxKit, box_id: int, mail: int | None) -> dict[str, Any]:
    messages = await reading.in_box(kit, box_id)
    opened = next((message for message in messages if message.id == mail), messages[-1])
    return {"messages": messages, "opened": opened, "most": reading.SHOWN_MESSAGES}


async def _time(kit: SandboxKit) -> dict[str, Any]:
    instant = await clock.now(kit)
    ahead = timedelta(minutes=round((instant - SystemClock().now()) / timedelta(minutes=1)))
    return {"instant": instant, "ahead": ahead}


def _standing(kit: SandboxKit) -> list[tuple[str, str | None, int | None]]:
    return [(words_of(fault), fault.recipient, left) for fault, left in faults_of(kit).listed()]


def _mark(html: str) -> str:
    return hashlib.sha256(html.encode()).hexdigest()[:12]


def _poll(place: Place, parts: dict[str, str]) -> str:
    seen = ".".join(map(_mark, parts.values()))
    return f"/sandbox/live?{urlencode({**place.fields, 'seen': seen})}"
