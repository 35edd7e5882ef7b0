"""我的工作: my open tasks and clocks, late first; finishing a task."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request
from pydantic import ValidationError
from starlette.responses import HTMLResponse, RedirectResponse

from services.stage_tracking.domain.cursor import read_cursor
from services.stage_tracking.pages.common import KitHere, link, pages, routes
from services.stage_tracking.usecases.reading import work_view
from services.stage_tracking.usecases.tasks import finish
from shared.errors import Invalid
from shared.http.faults import faults_of
from shared.http.forms import typed
from shared.http.inputs import Input, Prose
from shared.http.routes import CurrentCaller
from shared.powers import Action


class _Note(Input):
    note: Prose | None = None


def _note(text: object) -> str | None:
    try:
        return _Note.model_validate({"note": text or None}).note
    except ValidationError as error:
        raise Invalid(faults_of(error.errors())) from None


@routes.get("/work", Action.STAGES_READ)
async def my_work(
    request: Request, kit: KitHere, caller: CurrentCaller, cursor: Annotated[str | None, Query(max_length=200)] = None
) -> HTMLResponse:
    """The page that everybody begins with."""
    view = await work_view(kit, caller, read_cursor(cursor))
    following = None if view.next is None else link("/work", {}, cursor=view.next)
    return pages.page(request, "work.html", view=view, next=following)


@routes.post("/work/tasks/{task_id}/done", Action.STAGES_READ)
async def task_done(request: Request, task_id: UUID, kit: KitHere, caller: CurrentCaller) -> RedirectResponse:
    """Finish a task, and go back to where it was shown."""
    form = await typed(request)
    task = await finish(kit, caller, task_id, _note(form.get(f"note-{task_id}")))
    back = f"/cases/{task.case_id}" if form.get("back") == "case" else "/work"
    return RedirectResponse(back, 303)
