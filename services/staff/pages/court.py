"""The court's account and telephones: what holds, what waits for a second person, and everything that was changed."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain.court import CourtChange
from services.staff.schemas import CourtDataInput, HandedKit
from services.staff.store.court import SORTING
from services.staff.usecases import court
from services.staff.usecases.kit import StaffKit
from shared.contracts.staff import ChangeState, CourtData
from shared.errors import Refusal
from shared.http.forms import refused, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD, Edit
from shared.powers import Action
from shared.runtime.lists import export
from shared.settings import COURT_WORDS
from shared.web.lists import FIRST, Column, Filter, Listing, Place
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


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[str, Query(max_length=20)] = ""


def _fields(change: CourtChange, data: CourtData | None) -> str:
    """The names of what would change, or what it is in `data`, one a line."""
    words = {name: COURT_WORDS[name] for name in change.fields}
    return "\n".join(words.values() if data is None else (str(getattr(data, name)) for name in words))


_ALL = Chosen()
CHANGES = Listing[CourtChange](
    path="/staff/court",
    name="本院设置变更记录",
    unit="项",
    sorting=SORTING,
    columns=(
        Column("状态", lambda change: _STATES[change.state][1], "state"),
        Column("项目", lambda change: _fields(change, None)),
        Column("原来", lambda change: _fields(change, change.before)),
        Column("变更为", lambda change: _fields(change, change.proposed)),
        Column("提出", lambda change: change.proposer, "by"),
        Column("提出时间", lambda change: change.proposed_at, "at"),
        Column("处理", lambda change: change.decider),
        Column("处理时间", lambda change: change.decided_at, filed=True),
        Column("理由", lambda change: change.reason),
    ),
    filters=(Filter("state", "状态", {state.value: word for state, (_, word) in _STATES.items()}),),
)


@routes.get("/staff/court", Action.COURT_READ)
async def court_page(
    request: Request,
    kit: HandedKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
    done: str = "",
) -> Response:
    """What holds, what waits, what was changed; with `export` what was changed as a file."""
    if place.export:
        return await export(kit, caller, CHANGES.asked(place, chosen), partial(court.history, kit, chosen.state))
    return await _page(request, kit, caller, chosen=chosen, place=place, done=_DONE.get(done, ""))


@routes.edit("/staff/court", Action.COURT_PROPOSE)
async def propose(request: Request, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Ask for a change."""
    form = await typed(request)
    try:
        await court.propose(kit, caller, understood(CourtDataInput, form).proposal(Edit(caller.staff_id, form[FIELD])))
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
    chosen: Chosen = _ALL,
    place: Place = FIRST,
    **shown: Any,
) -> Response:
    view = await court.look(kit)
    context = {
        "view": view,
        "shown": await CHANGES.asked(place, chosen).shown(partial(court.history, kit, chosen.state)),
        "words": COURT_WORDS,
        "states": _STATES,
        "own": view.pending is not None and view.pending.proposed_by == caller.staff_id,
        "done": "",
        "form": {**view.data.model_dump(), "reason": ""} | shown.pop("form", {}),
        **refused(refusal),
        **shown,
    }
    return pages.page(request, "court.html", refusal.status if refusal else 200, **context)
