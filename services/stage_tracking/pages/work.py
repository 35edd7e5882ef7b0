"""我的工作: my open tasks and clocks, late first, in groups; finishing one task, or several for one reason."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from pydantic import ValidationError
from starlette.responses import RedirectResponse, Response

from services.stage_tracking.domain.tasks import Rule
from services.stage_tracking.pages.common import EmptyIsNone, KitHere, pages, routes
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store.tasks import SORTING, Wanted
from services.stage_tracking.usecases.reading import work_view
from services.stage_tracking.usecases.tasks import TaskView, finish, finish_together, mine, task_page
from shared.errors import Fault, Invalid
from shared.http.auth import Caller
from shared.http.faults import faults_of
from shared.http.forms import faults_in, typed, understood
from shared.http.inputs import Input, Prose
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import Asked, Column, Filter, ListAddress, Listing, Place


class _Note(Input):
    note: Prose | None = None


class _Reason(Input):
    note: Prose


def _note(text: object) -> str | None:
    try:
        return _Note.model_validate({"note": text or None}).note
    except ValidationError as error:
        raise Invalid(faults_of(error.errors())) from None


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL. `stock`: cases carried over; `by`: how it is grouped."""

    state: Annotated[Literal["late", "soon", "undated"] | None, EmptyIsNone] = None
    rule: Annotated[str, Query(max_length=60)] = ""
    q: Annotated[str, Query(max_length=60)] = ""
    stock: Annotated[Literal["1"] | None, EmptyIsNone] = None
    by: Annotated[Literal["case"] | None, EmptyIsNone] = None


WORK = Listing[TaskView](
    path="/work",
    name="待办事项",
    unit="件",
    sorting=SORTING,
    columns=(
        Column("事项", lambda task: task.rule.label, "rule"),
        Column("标题", lambda task: task.title, filed=True),
        Column("案号", lambda task: task.case_number, "number"),
        Column("期限", lambda task: task.due_at, "due"),
        Column("负责人", lambda task: task.owner_name),
        Column("列入时间", lambda task: task.opened_at, filed=True),
        Column(""),
    ),
    filters=(
        Filter("q", "案号", hint="案号，或其中的数字"),
        Filter("state", "期限", {"late": "已超期", "soon": "七日内到期", "undated": "未设期限"}),
        Filter("rule", "事项", shown=False),
        Filter("stock", "案件", {"1": "存量迁移"}, shown=False),
        Filter("by", "归类", {"case": "按案件"}, shown=False),
    ),
)
PICKING = replace(WORK, columns=(Column("选择"), *WORK.columns[:-1]))
"""The same while several are chosen for one reason."""


@routes.get("/work", Action.STAGES_READ)
async def my_work(
    request: Request,
    kit: KitHere,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
    done: Annotated[int, Query(ge=0, le=1000)] = 0,
) -> Response:
    """The page that everybody begins with; with `export` its list as a file."""
    if place.export:
        rows_of = partial(task_page, kit, _wanted(kit, caller, chosen))
        return await export(kit, caller, _asked(WORK, place, chosen), rows_of)
    return await _page(request, kit, caller, chosen, place, done=done)


def _asked(listing: Listing[TaskView], place: Place, chosen: Chosen) -> Asked[TaskView]:
    """The list; a rule that there is not (any more) narrows nothing."""
    rule = Rule.read(chosen.rule)
    known = replace(chosen, rule=chosen.rule if rule else "")
    return listing.asked(place, known, {"rule": {chosen.rule: rule.label}} if rule else None)


def _wanted(kit: StageKit, caller: Caller, chosen: Chosen) -> Wanted:
    rule = Rule.read(chosen.rule)
    return mine(
        kit,
        caller,
        state=chosen.state,
        rule=chosen.rule if rule else None,
        number=chosen.q.strip(),
        stock=chosen.stock is not None,
    )


async def _page(
    request: Request,
    kit: StageKit,
    caller: Caller,
    chosen: Chosen,
    place: Place,
    refusal: Invalid | None = None,
    **shown: Any,
) -> Response:
    wanted, rule = _wanted(kit, caller, chosen), Rule.read(chosen.rule)
    picking = rule is not None and rule.kind.needs_note
    asked = _asked(PICKING if picking else WORK, place, chosen)
    return pages.page(
        request,
        "work.html",
        422 if refusal else 200,
        view=await work_view(kit, caller, wanted, chosen.by or "rule"),
        shown=await asked.shown(partial(task_page, kit, wanted)),
        at=asked.address,
        rule=rule,
        picking=picking,
        read_rule=Rule.read,
        faults=faults_in(refusal) if refusal else {},
        **{"form": {}, "done": 0, **shown},
    )


@routes.post("/work/done", Action.STAGES_READ)
async def tasks_done(request: Request, kit: KitHere, caller: CurrentCaller) -> Response:
    """Finish the chosen tasks of one rule for one reason, and go back to the list."""
    form = await typed(request, "task")
    chosen = Chosen(rule=str(form.get("rule", ""))[:60], stock="1" if form.get("stock") else None)
    try:
        note = understood(_Reason, {"note": form.get("note", "").strip()}).note
        done = await finish_together(kit, caller, _ids(form["task"]), note)
    except Invalid as refusal:
        return await _page(request, kit, caller, chosen, Place(), refusal, form=form)
    back = ListAddress("/work", {"stock": chosen.stock}, SORTING.default, SORTING.default)
    return RedirectResponse(back.link(done=done), 303)


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError:
        raise Invalid([Fault("task", "所选事项无效，请刷新页面后重新选择。")]) from None


@routes.post("/work/tasks/{task_id}/done", Action.STAGES_READ)
async def task_done(request: Request, task_id: UUID, kit: KitHere, caller: CurrentCaller) -> RedirectResponse:
    """Finish a task, and go back to where it was shown."""
    form = await typed(request)
    task = await finish(kit, caller, task_id, _note(form.get(f"note-{task_id}")))
    back = f"/cases/{task.case_id}" if form.get("back") == "case" else "/work"
    return RedirectResponse(back, 303)
