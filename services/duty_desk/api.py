"""JSON routes of the desk, and its live stream."""

from uuid import UUID

from fastapi import Request
from sse_starlette import EventSourceResponse

from services.duty_desk.schemas import (
    AcceptInput,
    ActInput,
    DeskItemWhole,
    DismissInput,
    HandedKit,
    Queue,
    streamed,
)
from services.duty_desk.settings import DeskKit
from services.duty_desk.usecases import acts, queue
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action

staff = Routes(Zone.STAFF)


@staff.get("/api/desk/queue", Action.DESK_READ)
async def get_queue(kit: HandedKit) -> Queue:
    """Open items, sorted by time left to act."""
    return Queue.of(kit, await queue.look(kit))


@staff.get("/api/desk/stream", Action.DESK_READ, response_class=EventSourceResponse)
async def stream(request: Request, kit: HandedKit) -> EventSourceResponse:
    """Server-sent events: `queue` with the whole queue on every change, `tick` with the server's instant."""
    return streamed(kit, request, lambda sight: Queue.of(kit, sight).model_dump_json())


async def _whole(kit: DeskKit, item_id: UUID) -> DeskItemWhole:
    row, known = await queue.read_item(kit, item_id)
    return DeskItemWhole.opened(kit, row, known=known)


@staff.get("/api/desk/items/{item_id}", Action.DESK_READ)
async def get_item(item_id: UUID, kit: HandedKit) -> DeskItemWhole:
    """One item with what was said."""
    return await _whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/take", Action.DESK_WORK)
async def take(item_id: UUID, kit: HandedKit, caller: CurrentCaller) -> DeskItemWhole:
    """Take an item: the triage clock gives way to that of the check."""
    await acts.take(kit, item_id, caller)
    return await _whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/accept-evidence", Action.DESK_WORK)
async def accept_evidence(
    item_id: UUID, kit: HandedKit, caller: CurrentCaller, body: AcceptInput | None = None
) -> DeskItemWhole:
    """Accept the evidence: the clock to the deed starts."""
    await acts.accept_evidence(kit, item_id, body.case_number if body else None, caller)
    return await _whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/act", Action.DESK_WORK)
async def act(item_id: UUID, body: ActInput, kit: HandedKit, caller: CurrentCaller) -> DeskItemWhole:
    """Record the deed: only this stops the clock."""
    await acts.act(kit, item_id, body.deed, body.progress, caller)
    return await _whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/dismiss", Action.DESK_WORK)
async def dismiss(item_id: UUID, body: DismissInput, kit: HandedKit, caller: CurrentCaller) -> DeskItemWhole:
    """Record that the evidence is not accepted."""
    await acts.dismiss(kit, item_id, body.reason, caller)
    return await _whole(kit, item_id)
