"""The public form, the receipt, and where a tip stands; for the desk, the look at who sent it."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from fastapi.responses import HTMLResponse
from starlette.responses import Response

from services.asset_tips import store, usecases
from services.asset_tips.domain import GROUND_WORDS
from services.asset_tips.schemas import HandedKit, LookInput, StatusView, TipForm
from services.asset_tips.usecases import Look
from shared.db.answers import fingerprint
from shared.db.transaction import new_id
from shared.errors import Invalid, NotFound, TooMany
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.limits import source
from shared.http.routes import PUBLIC, CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import Column, Filter, Listing, Place
from shared.web.pages import Pages

public = Routes(Zone.PUBLIC, pages=True)
staff = Routes(Zone.STAFF, pages=True)
pages = Pages("services.asset_tips")

_BLANK: Typed = {"ground": "", "text": "", "case_number": "", "contact": ""}


@public.get("/tips", PUBLIC)
async def form(request: Request) -> HTMLResponse:
    """The empty form."""
    return _form(request, _BLANK | {"once": str(new_id())})


def _form(request: Request, form: Typed, refusal: Invalid | TooMany | None = None) -> HTMLResponse:
    shown: dict[str, Any] = {"form": form, "grounds": list(GROUND_WORDS.items())}
    status = refusal.status if refusal else 200
    page = pages.page(request, "tip_form.html", status, faults=faults_in(refusal) if refusal else {}, **shown)
    if isinstance(refusal, TooMany):
        page.headers["Retry-After"] = str(refusal.retry_after)
    return page


@public.post("/tips", PUBLIC)
async def submit(request: Request, kit: HandedKit) -> HTMLResponse:
    """The receipt; or the form again with every fault beside its field and all that was typed.

    The same form sent twice, by a double click or a reload, is one tip with one receipt.
    """
    form = _BLANK | {"once": ""} | await typed(request)
    try:
        body = understood(TipForm, {name: text.strip() for name, text in form.items() if name != "once"})
        key = f"{form['once'][:64]}/{fingerprint(body)}" if form["once"] else None
        origin = usecases.Origin("web", source(request))
        receipt = await usecases.submit(kit, body.tip(), origin, key)
    except (Invalid, TooMany) as refusal:
        return _form(request, form, refusal)
    return pages.page(request, "tip_receipt.html", 201, receipt=receipt)


@public.get("/tips/status", PUBLIC)
async def ask(request: Request) -> HTMLResponse:
    """Where to type the receipt."""
    return pages.page(request, "tip_status.html", tip=None, receipt="", faults={})


@public.post("/tips/status", PUBLIC)
async def answer(request: Request, kit: HandedKit) -> HTMLResponse:
    """Where the tip stands."""
    receipt = str((await typed(request)).get("receipt", ""))
    try:
        tip = StatusView.of(await usecases.status(kit, receipt))
    except NotFound as refusal:
        reason = refusal.detail if receipt.strip() else "请填写回执号。"
        status = 404 if receipt.strip() else 422
        return pages.page(request, "tip_status.html", status, tip=None, receipt=receipt, faults={"receipt": reason})
    return pages.page(request, "tip_status.html", tip=tip, receipt="", faults={})


@dataclass(frozen=True)
class Chosen:
    """The filter as it stands in the URL."""

    q: Annotated[str, Query(max_length=60)] = ""


LOOKS = Listing[Look](
    path="/tip-senders",
    name="举报人身份查看记录",
    sorting=store.LOOKS,
    columns=(
        Column("查看时间", lambda look: look.looked_at, "at"),
        Column("线索编号", lambda look: look.tip_number, "number"),
        Column("查看人", lambda look: look.staff_name, "by"),
        Column("理由", lambda look: look.reason),
    ),
    filters=(Filter("q", "线索编号"),),
)


@staff.get("/tip-senders", Action.TIP_LOOKS_READ)
async def looks(
    request: Request,
    kit: HandedKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """Who looked at senders, when and why; with `export` all of it as a file."""
    asked, rows_of = LOOKS.asked(place, chosen), partial(usecases.list_looks, kit, chosen.q)
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return pages.page(request, "tip_looks.html", shown=await asked.shown(rows_of))


@staff.get("/tip-senders/{tip_id}", Action.TIP_SENDERS_LOOK)
async def ask_for_sender(request: Request, tip_id: UUID, kit: HandedKit) -> HTMLResponse:
    """Why somebody needs to know who sent a tip."""
    return await _sender(request, kit, tip_id)


@staff.post("/tip-senders/{tip_id}", Action.TIP_SENDERS_LOOK)
async def show_sender(request: Request, tip_id: UUID, kit: HandedKit, caller: CurrentCaller) -> HTMLResponse:
    """The contact that the sender left; the look is kept with its reason."""
    form = await typed(request)
    try:
        contact = await usecases.look_at_sender(kit, tip_id, understood(LookInput, form).reason, caller)
    except Invalid as refusal:
        return await _sender(request, kit, tip_id, refusal, reason=form.get("reason", ""))
    return await _sender(request, kit, tip_id, contact=contact)


async def _sender(
    request: Request, kit: HandedKit, tip_id: UUID, refusal: Invalid | None = None, **shown: str
) -> HTMLResponse:
    number = await usecases.tip_number(kit, tip_id)
    context = {"reason": "", "contact": "", **shown, "tip_id": tip_id, "number": number}
    faults = faults_in(refusal) if refusal else {}
    return pages.page(request, "tip_sender.html", refusal.status if refusal else 200, faults=faults, **context)
