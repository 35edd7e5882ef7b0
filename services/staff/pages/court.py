"""The court's account and telephones: what holds, what waits for a second person, and everything that was changed."""

from typing import Any, Literal
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.staff.schemas import CourtDataInput, HandedKit
from services.staff.usecases import court
from services.staff.usecases.kit import StaffKit
from shared.contracts.staff import ChangeState
from shared.errors import Refusal
from shared.http.forms import refused, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD
from shared.powers import Action
from shared.settings import COURT_WORDS
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.staff")

_DONE = {
    "proposed": "已提出变更，等待另一人确认；确认前仍按原来的设置办理",
    "confirmed": "变更已确认，此后的文书和页面按新的设置",
    "rejected": "变更已退回，设置没有改变",
    "withdrawn": "变更已撤销，设置没有改变",
}
_STATES = {
    ChangeState.PROPOSED: ("soon", "待确认"),
    ChangeState.CONFIRMED: ("ok", "已确认"),
    ChangeState.REJECTED: ("off", "已退回"),
    ChangeState.WITHDRAWN: ("off", "已撤销"),
}


@routes.get("/staff/court", Action.COURT_READ)
async def court_page(
    request: Request, kit: HandedKit, caller: CurrentCaller, done: str = "", cursor: UUID | None = None
) -> Response:
    """What holds, what waits, what was changed."""
    return await _page(request, kit, caller, done=_DONE.get(done, ""), cursor=cursor)


@routes.edit("/staff/court", Action.COURT_PROPOSE)
async def propose(request: Request, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Ask for a change."""
    form = await typed(request)
    try:
        await court.propose(kit, caller, understood(CourtDataInput, form).proposal(form[FIELD]))
    except Refusal as refusal:
        return await _page(request, kit, caller, refusal, form=form)
    return RedirectResponse("/staff/court?done=proposed", 303)


@routes.post("/staff/court/changes/{change_id}/withdraw", Action.COURT_PROPOSE)
async def withdraw(change_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Take one's own proposal back."""
    await court.decide(kit, caller, change_id, ChangeState.WITHDRAWN)
    return RedirectResponse("/staff/court?done=withdrawn", 303)


@routes.post("/staff/court/changes/{change_id}/{outcome}", Action.COURT_CONFIRM)
async def decide(
    change_id: UUID, outcome: Literal["confirm", "reject"], kit: HandedKit, caller: CurrentCaller
) -> Response:
    """Confirm or reject what another has proposed."""
    state = {"confirm": ChangeState.CONFIRMED, "reject": ChangeState.REJECTED}[outcome]
    await court.decide(kit, caller, change_id, state)
    return RedirectResponse(f"/staff/court?done={state.value}", 303)


async def _page(
    request: Request,
    kit: StaffKit,
    caller: CurrentCaller,
    refusal: Refusal | None = None,
    cursor: UUID | None = None,
    **shown: Any,
) -> Response:
    view = await court.look(kit)
    changes, following = await court.history(kit, cursor)
    context = {
        "view": view,
        "changes": changes,
        "next": following,
        "first": cursor is None,
        "words": COURT_WORDS,
        "states": _STATES,
        "own": view.pending is not None and view.pending.proposed_by == caller.staff_id,
        "done": "",
        "form": {**view.data.model_dump(), "reason": ""} | shown.pop("form", {}),
        **refused(refusal),
        **shown,
    }
    return pages.page(request, "court.html", refusal.status if refusal else 200, **context)
