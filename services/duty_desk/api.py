"""JSON routes of the desk, and its live stream."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from services.duty_desk import store, usecases
from services.duty_desk.schemas import AcceptInput, ActInput, DeskItem, DeskItemWhole, DismissInput, Queue
from services.duty_desk.usecases import DESK_SIGNAL, DeskKit
from shared.errors import NotFound
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of

staff = Routes(Zone.STAFF)
TheKit = Annotated[DeskKit, Depends(kit_of)]
MOST = 500


async def read_queue(kit: DeskKit) -> Queue:
    """The queue as it is now."""
    now = kit.clock.now()
    async with kit.db.read() as conn:
        return Queue(now=now, items=[DeskItem.of(row, now) for row in await store.queue(conn, MOST)])


@staff.get("/api/desk/queue", Action.DESK_READ)
async def get_queue(kit: TheKit) -> Queue:
    """Open items, sorted by time left to act."""
    return await read_queue(kit)


async def changes(kit: DeskKit, request: Request) -> AsyncIterator[Queue | None]:
    """The queue at once and after every change; None about every second in between, as a sign of life."""
    last: object = None
    while not await request.is_disconnected():
        async with kit.db.read() as conn:
            mark = await store.mark(conn)
        yield await read_queue(kit) if mark != last else None
        last = mark
        await kit.signals.wait(DESK_SIGNAL, 1.0)
        await asyncio.sleep(0)


@staff.get("/api/desk/stream", Action.DESK_READ, response_class=EventSourceResponse)
async def stream(kit: TheKit, request: Request) -> EventSourceResponse:
    """Server-sent events: `queue` with the whole queue on every change, `tick` with the server's instant."""

    async def events() -> AsyncIterator[ServerSentEvent]:
        async for queue in changes(kit, request):
            if queue is not None:
                yield ServerSentEvent(queue.model_dump_json(), event="queue")
            yield ServerSentEvent(kit.clock.now().isoformat(), event="tick")

    return EventSourceResponse(events())


async def whole(kit: DeskKit, item_id: UUID) -> DeskItemWhole:
    """One item with what was said. Raises NotFound."""
    async with kit.db.read() as conn:
        row = await store.get_item(conn, item_id)
    if row is None:
        raise NotFound("no_such_item", "值班台没有这个事项，请刷新后查看。")
    return DeskItemWhole.opened(kit, row)


@staff.get("/api/desk/items/{item_id}", Action.DESK_READ)
async def get_item(item_id: UUID, kit: TheKit) -> DeskItemWhole:
    """One item with what was said."""
    return await whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/take", Action.DESK_WORK)
async def take(item_id: UUID, kit: TheKit, caller: CurrentCaller) -> DeskItemWhole:
    """Take an item: the triage clock stops."""
    await usecases.take(kit, item_id, caller)
    return await whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/accept-evidence", Action.DESK_WORK)
async def accept_evidence(
    item_id: UUID, kit: TheKit, caller: CurrentCaller, body: AcceptInput | None = None
) -> DeskItemWhole:
    """Accept the evidence: the clock to the deed starts."""
    await usecases.accept_evidence(kit, item_id, body.case_number if body else None, caller)
    return await whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/act", Action.DESK_WORK)
async def act(item_id: UUID, body: ActInput, kit: TheKit, caller: CurrentCaller) -> DeskItemWhole:
    """Record the deed: only this stops the clock."""
    await usecases.act(kit, item_id, body.deed, body.progress, caller)
    return await whole(kit, item_id)


@staff.post("/api/desk/items/{item_id}/dismiss", Action.DESK_WORK)
async def dismiss(item_id: UUID, body: DismissInput, kit: TheKit, caller: CurrentCaller) -> DeskItemWhole:
    """Record that the evidence is not accepted."""
    await usecases.dismiss(kit, item_id, body.reason, caller)
    return await whole(kit, item_id)
