"""The public form, the receipt, and where a tip stands."""

from typing import Annotated

from fastapi import Depends, Form, Request
from fastapi.responses import HTMLResponse
from pydantic import ValidationError

from services.asset_tips import usecases
from services.asset_tips.api import TheKit, check_source
from services.asset_tips.domain import GROUND_WORDS
from services.asset_tips.schemas import StatusView, TipInput
from shared.errors import NotFound
from shared.http.faults import faults_of
from shared.http.routes import PUBLIC, Routes, Zone
from shared.web.pages import Pages

public = Routes(Zone.PUBLIC, pages=True)
pages = Pages("services.asset_tips")

Field = Annotated[str, Form(max_length=20_000)]


@public.get("/tips", PUBLIC)
async def form(request: Request) -> HTMLResponse:
    """The empty form."""
    return pages.page(request, "tip_form.html", form={}, faults={}, grounds=list(GROUND_WORDS.items()))


@public.post("/tips", PUBLIC)
async def submit(
    request: Request,
    kit: TheKit,
    _source: Annotated[None, Depends(check_source)],
    ground: Field = "",
    text: Field = "",
    case_number: Field = "",
    contact: Field = "",
) -> HTMLResponse:
    """The receipt; or the form again with every fault beside its field and all that was typed."""
    typed = {"ground": ground, "text": text, "case_number": case_number, "contact": contact}
    try:
        tip = TipInput.model_validate({name: value for name, value in typed.items() if value.strip()}).tip()
    except ValidationError as error:
        faults = {fault.field: fault.reason for fault in faults_of(error.errors())}
        grounds = list(GROUND_WORDS.items())
        return pages.page(request, "tip_form.html", 422, form=typed, faults=faults, grounds=grounds)
    receipt = await usecases.submit(kit, tip, "web", None)
    return pages.page(request, "tip_receipt.html", 201, receipt=receipt)


@public.get("/tips/status", PUBLIC)
async def ask(request: Request) -> HTMLResponse:
    """Where to type the receipt."""
    return pages.page(request, "tip_status.html", tip=None, receipt="", faults={})


@public.post("/tips/status", PUBLIC)
async def answer(request: Request, kit: TheKit, receipt: Field = "") -> HTMLResponse:
    """Where the tip stands."""
    try:
        tip = StatusView.of(await usecases.status(kit, receipt))
    except NotFound as refusal:
        faults = {"receipt": refusal.detail}
        return pages.page(request, "tip_status.html", 404, tip=None, receipt=receipt, faults=faults)
    return pages.page(request, "tip_status.html", tip=tip, receipt=receipt, faults={})
