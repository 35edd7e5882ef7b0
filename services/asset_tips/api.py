"""JSON routes: submit a tip, ask after it; look at who sent it."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Query, Request

from services.asset_tips import usecases
from services.asset_tips.schemas import HandedKit, LookInput, Looks, SenderView, StatusView, TipInput
from services.asset_tips.usecases import Origin, Receipt
from shared.db.lists import Part
from shared.http.limits import source
from shared.http.routes import PUBLIC, CurrentCaller, IdempotencyKey, Routes, Zone
from shared.powers import Action

public = Routes(Zone.PUBLIC)
staff = Routes(Zone.STAFF)


@public.post("/api/tips", PUBLIC, status_code=201)
async def submit_tip(request: Request, body: TipInput, kit: HandedKit, key: IdempotencyKey = None) -> Receipt:
    """Submit a tip and get its receipt, which is shown only once."""
    origin = Origin("web", source(request))
    return await usecases.submit(kit, body.tip(), origin, key)


@public.get("/api/tips/status", PUBLIC)
async def tip_status(
    kit: HandedKit, receipt: Annotated[str, Header(alias="X-Receipt", min_length=1, max_length=64)]
) -> StatusView:
    """Where the tip stands whose receipt is in the header (never in the URL, which logs keep)."""
    return StatusView.of(await usecases.status(kit, receipt))


@staff.post("/api/tip-senders/{tip_id}", Action.TIP_SENDERS_LOOK)
async def look_at_sender(tip_id: UUID, body: LookInput, kit: HandedKit, caller: CurrentCaller) -> SenderView:
    """Who sent a tip; the look is kept with its reason."""
    return SenderView(contact=await usecases.look_at_sender(kit, tip_id, body.reason, caller))


@staff.get("/api/tip-senders", Action.TIP_LOOKS_READ)
async def list_looks(
    kit: HandedKit,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Looks:
    """Who looked at senders, when and why, newest first: for those who supervise the desk."""
    items, following = await usecases.list_looks(kit, "", Part(cursor=cursor, limit=limit))
    return Looks(items=items, next=following)
