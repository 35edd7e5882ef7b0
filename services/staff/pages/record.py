"""登录记录: what others did to somebody's sign-in, for its owner, for the integrity office, for who watches."""

from typing import Annotated

from fastapi import Query, Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain import landing, local_path
from services.staff.schemas import HandedKit
from services.staff.usecases import record
from shared.http.forms import typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.staff")

Cursor = Annotated[int | None, Query(ge=1, le=2**53)]
EventId = Annotated[int, Query(ge=1, le=2**53)]


@routes.get("/staff/record", Action.STAFF_WATCH)
async def record_page(request: Request, kit: HandedKit, cursor: Cursor = None, *, done: bool = False) -> Response:
    """What waits for the integrity office, and all of it."""
    shown = await record.look(kit, cursor)
    return pages.page(request, "record.html", record=shown, first=cursor is None, done=done)


@routes.post("/staff/record/{event_id}/review", Action.STAFF_REVIEW)
async def review(event_id: int, kit: HandedKit, caller: CurrentCaller) -> Response:
    """The integrity office has looked into it."""
    await record.review(kit, caller, min(max(event_id, 0), 2**53))
    return RedirectResponse("/staff/record?done=1", 303)


@routes.get("/staff/notices", Action.STAFF_READ)
async def notices_page(
    request: Request, kit: HandedKit, caller: CurrentCaller, then: Annotated[str, Query(alias="next")] = ""
) -> Response:
    """What was done to one's own sign-in since the last time."""
    events = await record.unseen(kit, caller)
    if not events:
        return RedirectResponse(local_path(then) or landing(sorted(caller.roles)), 303)
    return pages.page(request, "notices.html", events=events, next=then)


@routes.post("/staff/notices", Action.STAFF_READ)
async def answer_notices(request: Request, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Seen; or not asked for, which the integrity office is told."""
    form = await typed(request)
    await record.seen(kit, caller, disowned=form.get("answer") == "disowned")
    return RedirectResponse(local_path(str(form.get("next", ""))) or landing(sorted(caller.roles)), 303)
