"""我的工作: my open tasks and clocks, late first, in groups; finishing one task, or several for one reason."""

from dataclasses import asdict, dataclass
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
from shared.http import exports
from shared.http.auth import Caller
from shared.http.faults import faults_of
from shared.http.forms import faults_in, typed, understood
from shared.http.inputs import Input, Prose
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.web.lists import ListAddress


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


@dataclass(frozen=True)
class Place:
    """Order and place of the list."""

    sort: Annotated[str, Query(max_length=20)] = ""
    cursor: Annotated[str | None, Query(max_length=2000)] = None
    done: Annotated[int, Query(ge=0, le=1000)] = 0


@routes.get("/work", Action.STAGES_READ)
async def my_work(
    request: Request,
    kit: KitHere,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
    export: exports.Kind | None = None,
) -> Response:
    """The page that everybody begins with; with `export` its list as a file."""
    if export:
        rows = exports.all_rows(partial(_portion, kit, _wanted(kit, caller, chosen, place.sort)))
        return await exports.export(export, "我的工作", _HEADS, (_line(task) async for task in rows))
    return await _page(request, kit, caller, chosen, place)


def _wanted(kit: StageKit, caller: Caller, chosen: Chosen, sort: str) -> Wanted:
    rule = Rule.read(chosen.rule)
    return mine(
        kit,
        caller,
        state=chosen.state,
        rule=chosen.rule if rule else None,
        number=chosen.q.strip(),
        stock=chosen.stock is not None,
        sort=SORTING.chosen(sort),
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
    wanted = _wanted(kit, caller, chosen, place.sort)
    view = await work_view(kit, caller, wanted, chosen.by or "rule", place.cursor)
    return pages.page(
        request,
        "work.html",
        422 if refusal else 200,
        view=view,
        at=ListAddress("/work", asdict(chosen), wanted.sort, SORTING.default, place.cursor),
        rule=Rule.read(chosen.rule),
        read_rule=Rule.read,
        done=place.done,
        faults=faults_in(refusal) if refusal else {},
        **{"form": {}, **shown},
    )


_HEADS = ("案号", "事项", "标题", "期限", "负责人", "列入时间")


async def _portion(kit: StageKit, wanted: Wanted, cursor: str | None) -> tuple[list[TaskView], str | None]:
    return await task_page(kit, wanted, cursor, exports.PORTION)


def _line(task: TaskView) -> exports.Line:
    return (task.case_number, task.rule.label, task.title, task.due_at, task.owner_name, task.opened_at)


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
