"""JSON routes: submit a tip, ask after it; look at who sent it."""

import hashlib
import time
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Header, Request

from services.asset_tips import usecases
from services.asset_tips.domain import SourceLimit
from services.asset_tips.schemas import LookInput, SenderView, StatusView, TipInput
from services.asset_tips.usecases import Receipt, TipKit
from shared.errors import TooMany
from shared.http.routes import PUBLIC, CurrentCaller, IdempotencyKey, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of

public = Routes(Zone.PUBLIC)
staff = Routes(Zone.STAFF)
TheKit = Annotated[TipKit, Depends(kit_of)]


def check_source(request: Request, kit: TheKit) -> None:
    """Hold back one source that sends too much; nobody else notices. Raises TooMany."""
    state = request.app.state
    if not hasattr(state, "tip_limit"):
        state.tip_limit = SourceLimit(kit.settings.per_source, kit.settings.per_seconds)
    host = request.client.host if request.client else ""
    source = hashlib.sha256(host.encode()).hexdigest()
    wait = state.tip_limit.wait(source, time.monotonic())
    if wait > 0:
        raise TooMany("too_many_tips", "提交过于频繁，请稍后再试；紧急情况请直接拨打24小时值班电话。", int(wait) + 1)


@public.post("/api/tips", PUBLIC, status_code=201)
async def submit_tip(
    body: TipInput, kit: TheKit, _source: Annotated[None, Depends(check_source)], key: IdempotencyKey = None
) -> Receipt:
    """Submit a tip and get its receipt, which is shown only once."""
    return await usecases.submit(kit, body.tip(), "web", key)


@public.get("/api/tips/status", PUBLIC)
async def tip_status(
    kit: TheKit, receipt: Annotated[str, Header(alias="X-Receipt", min_length=1, max_length=64)]
) -> StatusView:
    """Where the tip stands whose receipt is in the header (never in the URL, which logs keep)."""
    return StatusView.of(await usecases.status(kit, receipt))


@staff.post("/api/tips/{tip_id}/sender", Action.DESK_WORK)
async def look_at_sender(tip_id: UUID, body: LookInput, kit: TheKit, caller: CurrentCaller) -> SenderView:
    """Who sent a tip; the look is kept with its reason."""
    return SenderView(contact=await usecases.look_at_sender(kit, tip_id, body.reason, caller))
