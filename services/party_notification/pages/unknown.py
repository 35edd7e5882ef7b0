"""待核实发送: deliveries whose fate nobody knows, with the evidence; and what may have arrived twice."""

from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.party_notification.pages.common import TheKit, pages, staff
from services.party_notification.schemas import ReadingForm, RulingInput
from services.party_notification.usecases import deciding, history, readings, receipts
from services.party_notification.usecases.facts import NotificationKit
from shared.errors import Invalid
from shared.http.forms import faults_in, typed, understood
from shared.http.routes import CurrentCaller
from shared.powers import Action

_SHOWN = 30


@staff.get("/unknown", Action.NOTICES_READ)
async def unknown(request: Request, kit: TheKit, *, done: bool = False) -> HTMLResponse:
    """What waits for a decision, oldest first."""
    return await _unknown(request, kit, done=done)


async def _unknown(request: Request, kit: NotificationKit, status: int = 200, **shown: Any) -> HTMLResponse:
    given = {"done": False, "form": {}, "faults": {}, "faulty": None}
    troubles = await history.troubles(kit, _SHOWN)
    return pages.page(
        request,
        "unknown.html",
        status,
        troubles=troubles,
        faulty_receipts=await receipts.faulty(kit),
        **{**given, **shown},
    )


@staff.post("/unknown/{delivery_id}", Action.NOTICES_DECIDE)
async def decide(request: Request, delivery_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Carry out the officer's decision."""
    form = await typed(request)
    named = {name: form.get(f"{name}-{delivery_id}", "") for name in RulingInput.model_fields}
    try:
        given = understood(RulingInput, named)
    except Invalid as refusal:
        faults = {f"{name}-{delivery_id}": reason for name, reason in faults_in(refusal).items()}
        return await _unknown(request, kit, 422, form=form, faults=faults, faulty=delivery_id)
    await deciding.rule(kit, delivery_id, given.ruling, given.remark, caller)
    return RedirectResponse("/unknown?done=1", 303)


@staff.post("/unknown/readings/{reading_id}", Action.NOTICES_DECIDE)
async def judge_reading(request: Request, reading_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Whether a doubtful reading was the party's own."""
    form = await typed(request)
    named = {name: form.get(f"{name}-{reading_id}", "") for name in ReadingForm.model_fields}
    try:
        given = understood(ReadingForm, named)
    except Invalid as refusal:
        faults = {f"{name}-{reading_id}": reason for name, reason in faults_in(refusal).items()}
        return await _unknown(request, kit, 422, form=form, faults=faults, faulty=reading_id)
    await readings.decide(kit, reading_id, own=given.own == "yes", remark=given.remark, caller=caller)
    return RedirectResponse("/unknown?done=1", 303)
