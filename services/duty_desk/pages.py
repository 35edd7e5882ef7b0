"""The desk's pages: the list by time left to act, the wall, one item with its forms, what was done lately."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from sse_starlette import EventSourceResponse
from starlette.responses import RedirectResponse, Response

from services.duty_desk.domain import PROGRESS
from services.duty_desk.schemas import (
    AcceptInput,
    ClosedItem,
    DeedForm,
    DeskItemWhole,
    DismissInput,
    HandedKit,
    Queue,
    ToldDeedForm,
    streamed,
)
from services.duty_desk.settings import DeskKit
from services.duty_desk.store import CLOSED, Closed
from services.duty_desk.usecases import acts, queue
from services.duty_desk.usecases.queue import Sight
from shared.db.lists import Part
from shared.errors import Conflict, Invalid
from shared.http.auth import Caller
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import Column, Filter, Listing, Place
from shared.web.pages import Pages

staff = Routes(Zone.STAFF, pages=True)
pages = Pages("services.duty_desk")

View = Literal["desk", "wall"]
Act = Literal["take", "accept", "act", "dismiss"]
_SHOWN: dict[View, int] = {"desk": 100, "wall": 12}
_DONE: dict[str, str] = {
    "take": "已由您接手，请核查。",
    "accept": "证据已采信，行动期限开始计算。",
    "act": "已登记，期限停止计算。",
    "dismiss": "已登记为不予采信，该事项办结。",
}


@staff.get("/desk", Action.DESK_READ)
async def desk(request: Request, kit: HandedKit) -> Response:
    """The list by time left to act, kept up to date by the stream."""
    return pages.page(request, "desk.html", **_shown(kit, await queue.look(kit), "desk"))


@staff.get("/desk/wall", Action.DESK_READ)
async def wall(request: Request, kit: HandedKit) -> Response:
    """The same for a screen at 4 m: nothing to click."""
    return pages.page(request, "wall.html", **_shown(kit, await queue.look(kit), "wall"))


def _shown(kit: DeskKit, sight: Sight, view: View) -> dict[str, Any]:
    whole = Queue.of(kit, sight)
    return {"view": view, "queue": whole, "items": whole.items[: _SHOWN[view]], "counts": _counts(sight)}


def _counts(sight: Sight) -> dict[str, int]:
    """How many of all open items stand before which step, and how many are late; one without a clock stands out."""
    words = {"triage": "待接手", "check": "待核查", "deed": "待行动"}
    counts = dict.fromkeys(words.values(), 0) | {words.get(row.clock, "没有期限"): row.open for row in sight.counts}
    return counts | {"已超期": sum(row.late for row in sight.counts)}


@staff.get("/desk/stream", Action.DESK_READ)
async def stream(request: Request, kit: HandedKit, view: View = "desk") -> EventSourceResponse:
    """Server-sent events: `queue` with the rows as HTML on every change, `tick` with the server's instant."""
    return streamed(kit, request, lambda sight: pages.render(request, "_queue.html", **_shown(kit, sight, view)))


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    q: Annotated[str, Query(max_length=60)] = ""
    source: Annotated[str, Query(max_length=20)] = ""
    ending: Annotated[str, Query(max_length=20)] = ""


ENDINGS = {"in_time": "已行动，按时", "late": "已行动，超期", "dismissed": "不予采信"}
DONE = Listing[ClosedItem](
    path="/desk/done",
    name="已办结事项",
    unit="件",
    sorting=CLOSED,
    columns=(
        Column("办结时间", lambda item: item.closed_at, "at"),
        Column("事项", lambda item: item.title),
        Column("线索编号", lambda item: item.number, filed=True),
        Column("案件", lambda item: item.case_number, "number"),
        Column("收到时间", lambda item: item.arrived_at, filed=True),
        Column("结果", lambda item: ENDINGS[item.ending]),
        Column("办理人", lambda item: item.closed_by, "by"),
    ),
    filters=(
        Filter("q", "案号", hint="案号，或其中的数字"),
        Filter("source", "来源", {"tip": "线索", "trouble": "系统故障"}),
        Filter("ending", "结果", ENDINGS),
    ),
)


@staff.get("/desk/done", Action.DESK_READ)
async def lately(
    request: Request,
    kit: HandedKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """What was done lately, newest first unless sorted otherwise; with `export` all of it as a file."""
    asked = DONE.asked(place, chosen)
    rows_of = partial(_closed, kit, Closed(chosen.source, chosen.ending, chosen.q.strip()))
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return pages.page(request, "done.html", shown=await asked.shown(rows_of))


async def _closed(kit: DeskKit, wanted: Closed, part: Part) -> tuple[list[ClosedItem], str | None]:
    rows, following = await queue.read_closed(kit, wanted, part)
    return [ClosedItem.of(row) for row in rows], following


@staff.get("/desk/items/{item_id}", Action.DESK_READ)
async def one(request: Request, item_id: UUID, kit: HandedKit, done: str = "") -> Response:
    """One item with what was said and what can be done: a page, or the panel beside the list."""
    return await _item(request, kit, item_id, done=_DONE.get(done, ""))


@staff.post("/desk/items/{item_id}/{act}", Action.DESK_WORK)
async def do(request: Request, item_id: UUID, act: Act, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Take the item, accept its evidence, record the deed, or dismiss it; what was typed is kept on any refusal."""
    form = await typed(request)
    try:
        await _DO[act](kit, item_id, form, caller)
    except (Invalid, Conflict) as refusal:
        return await _item(request, kit, item_id, refusal, form)
    if _beside_the_list(request):
        return await _item(request, kit, item_id, done=_DONE[act])
    return RedirectResponse(f"/desk/items/{item_id}?done={act}", 303)


async def _take(kit: DeskKit, item_id: UUID, _form: Typed, caller: Caller) -> None:
    await acts.take(kit, item_id, caller)


async def _accept(kit: DeskKit, item_id: UUID, form: Typed, caller: Caller) -> None:
    await acts.accept_evidence(kit, item_id, understood(AcceptInput, form).case_number, caller)


async def _act(kit: DeskKit, item_id: UUID, form: Typed, caller: Caller) -> None:
    if "tell" in form:
        told = understood(ToldDeedForm, form)
        await acts.act(kit, item_id, told.deed, told.progress, caller)
    else:
        quiet = understood(DeedForm, {"deed": form.get("deed", "")})
        await acts.act(kit, item_id, quiet.deed, None, caller)


async def _dismiss(kit: DeskKit, item_id: UUID, form: Typed, caller: Caller) -> None:
    await acts.dismiss(kit, item_id, understood(DismissInput, form).reason, caller)


_DO: dict[Act, Callable[[DeskKit, UUID, Typed, Caller], Awaitable[None]]] = {
    "take": _take,
    "accept": _accept,
    "act": _act,
    "dismiss": _dismiss,
}


def _beside_the_list(request: Request) -> bool:
    return "hx-request" in request.headers


async def _item(
    request: Request,
    kit: DeskKit,
    item_id: UUID,
    refusal: Invalid | Conflict | None = None,
    form: Typed | None = None,
    done: str = "",
) -> Response:
    row, known = await queue.read_item(kit, item_id)
    item = DeskItemWhole.opened(kit, row, known=known)
    beside = _beside_the_list(request)
    context = {
        "item": item,
        "done": done,
        "form": _filled(item, form),
        "faults": faults_in(refusal) if isinstance(refusal, Invalid) else {},
        "conflict": refusal.detail if isinstance(refusal, Conflict) else "",
        "lost": _texts(form or {}) if isinstance(refusal, Conflict) else [],
    }
    # htmx shows refused forms only under 422
    status = 200 if refusal is None else 422 if beside else refusal.status
    return pages.page(request, "_item.html" if beside else "item.html", status, **context)


def _filled(item: DeskItemWhole, form: Typed | None) -> Typed:
    claimed = item.claimed_case_number if item.claimed_case_known else ""
    blank = {"case_number": claimed, "deed": "", "reason": "", "progress": PROGRESS, "tell": True}
    return blank if form is None else {**blank, **form, "tell": "tell" in form}


def _texts(form: Typed) -> list[str]:
    return [form[name] for name in ("case_number", "deed", "reason") if form.get(name, "").strip()]
