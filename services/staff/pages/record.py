"""登录记录: what others did to somebody's sign-in, for its owner, for the integrity office, for who watches."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain.doors import DoorEvent, DoorKind
from services.staff.domain.people import landing, local_path
from services.staff.pages.entrance import Device, place_of
from services.staff.schemas import HandedKit
from services.staff.store.record import SORTING, Wanted
from services.staff.usecases import record
from services.staff.usecases.locks import digest
from shared.http.auth import in_doubt
from shared.http.forms import typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.formats import cn_time
from shared.web.lists import Column, Filter, Listing, Place
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.staff")

EventId = Annotated[int, Query(ge=1, le=2**53)]


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    kind: Annotated[str, Query(max_length=40)] = ""
    review: Annotated[str, Query(max_length=20)] = ""

    def wanted(self) -> Wanted:
        """For the store."""
        return Wanted(self.kind, None if not self.review else self.review == "done")


def _reviewed(event: DoorEvent) -> str:
    if event.reviewed_at:
        return f"{'不予确认，' if event.refused else ''}{event.looked_into_by}，{cn_time(event.reviewed_at)}"
    return "待确认" if event.held else "待核对" if event.kind.is_reviewed else "无须核对"


def _owner_knows(event: DoorEvent) -> str:
    if event.owner_saw_at:
        return "已知悉"
    return "待下次登录告知" if event.kind.is_shown else "无须告知"


RECORD = Listing[DoorEvent](
    path="/staff/record",
    name="登录记录",
    sorting=SORTING,
    columns=(
        Column("时间", lambda event: event.at, "at"),
        Column("事项", lambda event: event.kind.words + (f"：{event.note}" if event.note else ""), "kind"),
        Column("本人", lambda event: event.owner, "owner"),
        Column("经办", lambda event: event.by, "doer"),
        Column("本人知悉", _owner_knows),
        Column("监察核对", _reviewed),
    ),
    filters=(
        Filter("kind", "事项", {kind.value: kind.words for kind in DoorKind}),
        Filter("review", "监察核对", {"waiting": "待核对", "done": "已核对"}),
    ),
)


@routes.get("/staff/record", Action.STAFF_WATCH)
async def record_page(
    request: Request,
    kit: HandedKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
    *,
    done: bool = False,
) -> Response:
    """All of it, and how much waits for the integrity office; with `export` as a file."""
    asked = RECORD.asked(place, chosen)
    rows_of = partial(record.look, kit, chosen.wanted())
    if place.export:
        return await export(kit, caller, asked, rows_of)
    waiting = await record.waiting(kit)
    alone = caller.can(Action.STAFF_REVIEW) and await record.is_alone(kit, caller)
    shown = await asked.shown(rows_of)
    return pages.page(request, "record.html", shown=shown, waiting=waiting, alone=alone, done=done)


@routes.post("/staff/record/{event_id}/review", Action.STAFF_REVIEW)
async def review(event_id: int, kit: HandedKit, caller: CurrentCaller) -> Response:
    """The integrity office has looked into it."""
    await record.review(kit, caller, min(max(event_id, 0), 2**53))
    return RedirectResponse("/staff/record?done=1", 303)


@routes.post("/staff/record/{event_id}/refuse", Action.STAFF_REVIEW)
async def refuse(event_id: int, kit: HandedKit, caller: CurrentCaller) -> Response:
    """The integrity office does not confirm the posts that wait for it."""
    await record.review(kit, caller, min(max(event_id, 0), 2**53), refused=True)
    return RedirectResponse("/staff/record?done=1", 303)


@routes.get("/staff/notices", Action.STAFF_OWN)
async def notices_page(
    request: Request,
    kit: HandedKit,
    caller: CurrentCaller,
    then: Annotated[str, Query(alias="next")] = "",
    device: Device = None,
) -> Response:
    """What was done to one's own sign-in since the last time, and every reset of late with where it was seen."""
    events = await record.to_show(kit, caller)
    if not events:
        return RedirectResponse(local_path(then) or landing(sorted(caller.roles)), 303)
    seen = {event.id: record.seen_from(kit, event) for event in events}
    here = digest(device) if device else None
    return pages.page(request, "notices.html", events=events, seen=seen, here=here, next=then, doubt=in_doubt().detail)


@routes.post("/staff/notices", Action.STAFF_OWN)
async def answer_notices(request: Request, kit: HandedKit, caller: CurrentCaller, device: Device = None) -> Response:
    """Seen; or not asked for, which the integrity office is told."""
    form = await typed(request)
    await record.seen(kit, caller, place_of(request, device), disowned=form.get("answer") == "disowned")
    return RedirectResponse(local_path(str(form.get("next", ""))) or landing(sorted(caller.roles)), 303)
