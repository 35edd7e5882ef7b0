"""What the page of a case shows of its stages, as fragments for htmx; and the page of the act forms without it."""

from collections.abc import Awaitable
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.stage_tracking.pages.common import KitHere, link, pages, routes
from services.stage_tracking.pages.forms import LISTS, act_of
from services.stage_tracking.settings import StageKit
from services.stage_tracking.usecases.acts import act, may_act
from services.stage_tracking.usecases.reading import case_view, done_work, log_page, refuse_beyond
from shared.errors import Invalid, NotFound
from shared.http.auth import Caller
from shared.http.forms import once, typed
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.web.pages import faults_by_field


async def _fragment(request: Request, name: str, reading: Awaitable[dict[str, Any]]) -> HTMLResponse:
    """What was read of a case; while its filing is still on the way, a fragment that asks again."""
    try:
        return pages.page(request, name, **await reading)
    except NotFound:
        return pages.page(request, "_waiting.html", 202)


async def _view(kit: StageKit, case_id: UUID) -> dict[str, Any]:
    return {"view": await case_view(kit, str(case_id))}


@routes.get("/stages/cases/{case_id}/clocks", Action.STAGES_READ)
async def clocks(request: Request, case_id: UUID, kit: KitHere) -> HTMLResponse:
    """The line of periods and every clock."""
    return await _fragment(request, "_clocks.html", _view(kit, case_id))


@routes.get("/stages/cases/{case_id}/timeline", Action.STAGES_READ)
async def timeline(request: Request, case_id: UUID, kit: KitHere, caller: CurrentCaller) -> HTMLResponse:
    """Milestones, what was done, and the judge's forms."""
    return await _fragment(request, "_timeline.html", _timeline(kit, caller, case_id))


async def _timeline(kit: StageKit, caller: Caller, case_id: UUID, **form: Any) -> dict[str, Any]:
    view = await case_view(kit, str(case_id))
    work = await done_work(kit, caller, case_id)
    acting = caller.can(Action.STAGES_ACT) and may_act(caller, view.case)
    return {"view": view, "work": work, "acting": acting, "form": {}, "faults": {}, **form}


@routes.get("/stages/cases/{case_id}/tasks", Action.STAGES_READ)
async def case_tasks(request: Request, case_id: UUID, kit: KitHere) -> HTMLResponse:
    """The open tasks with their owners."""
    return await _fragment(request, "_tasks.html", _view(kit, case_id))


@routes.get("/stages/cases/{case_id}/log", Action.LOG_READ)
async def case_log(
    request: Request,
    case_id: UUID,
    kit: KitHere,
    caller: CurrentCaller,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
) -> HTMLResponse:
    """The enforcement log and whether its chain holds."""
    return await _fragment(request, "_log.html", _log(kit, caller, case_id, cursor))


async def _log(kit: StageKit, caller: Caller, case_id: UUID, cursor: int) -> dict[str, Any]:
    await refuse_beyond(kit, caller, str(case_id))
    page = await log_page(kit, str(case_id), cursor, 100)
    here = f"/stages/cases/{case_id}/log"
    more = None if page.next is None else link(here, {}, cursor=page.next)
    return {"page": page, "more": more}


@routes.get("/stages/cases/{case_id}/acts", Action.STAGES_ACT)
async def act_page(request: Request, case_id: UUID, kit: KitHere, caller: CurrentCaller) -> HTMLResponse:
    """The forms on a page of their own."""
    return pages.page(request, "acts.html", **await _timeline(kit, caller, case_id))


@routes.post("/stages/cases/{case_id}/acts", Action.STAGES_ACT)
async def post_act(request: Request, case_id: UUID, kit: KitHere, caller: CurrentCaller) -> Response:
    """Record an act; by htmx the timeline comes back, else the case's page."""
    values = await typed(request, *LISTS)
    partial = "hx-request" in request.headers
    try:
        await act(kit, caller, str(case_id), act_of(values), await once(request))
    except Invalid as refusal:
        if partial:
            raise
        again = await _timeline(kit, caller, case_id, form=values, faults=faults_by_field(refusal.faults))
        return pages.page(request, "acts.html", 422, **again)
    if not partial:
        return RedirectResponse(f"/cases/{case_id}", 303)
    response = pages.page(request, "_timeline.html", saved=True, **await _timeline(kit, caller, case_id))
    response.headers["HX-Trigger"] = "stages-changed"
    return response
