"""Pages of the import: upload, progress, report, earlier imports."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, UploadFile
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.words import COLUMNS
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases import imports, reading
from services.case_intake.usecases.filing import Act, Assign
from services.case_intake.usecases.imports import Upload
from shared.errors import Fault, Invalid
from shared.http.forms import faults_in
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]
_EARLIER = 20
_SHOWN_FAULTS = 1000


@routes.get("/cases/import", Action.CASES_FILE)
async def import_page(request: Request, kit: AnyKit, cursor: UUID | None = None) -> HTMLResponse:
    """The upload form and the earlier imports."""
    return await _upload_page(request, kit, cursor=cursor)


async def _upload_page(
    request: Request,
    kit: IntakeKit,
    refusal: Invalid | None = None,
    cursor: UUID | None = None,
    *,
    silent: bool = False,
) -> HTMLResponse:
    earlier, more = await reading.list_imports(kit, cursor, _EARLIER)
    return pages.page(
        request,
        "import.html",
        422 if refusal else 200,
        earlier=earlier,
        next=str(earlier[-1].id) if more else "",
        faults=faults_in(refusal) if refusal else {},
        silent=silent,
        limit=kit.settings.import_max_rows,
    )


@routes.post("/cases/import", Action.CASES_FILE)
async def upload(request: Request, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Keep the file, then show how it goes on."""
    async with request.form() as form:
        file, silent = form.get("file"), form.get("silent") == "1"
        assign = Assign.BY_HAND if form.get("assign") == Assign.BY_HAND else Assign.AUTO
        try:
            received = await imports.receive(kit, await _file(file), Act(caller.staff_id, assign, silent))
        except Invalid as refusal:
            return await _upload_page(request, kit, refusal, silent=silent)
    return RedirectResponse(f"/cases/imports/{received}", 303)


async def _file(file: object) -> Upload:
    named = getattr(file, "filename", "")
    if isinstance(file, str) or not named:
        raise Invalid([Fault("file", "请选择要导入的CSV表格。")])
    taken: UploadFile = file  # type: ignore[assignment]
    return Upload(named, await taken.read())


@routes.get("/cases/import/template", Action.CASES_FILE)
async def template() -> Response:
    """An empty table with the columns that an import needs; the mark makes spreadsheets read it as UTF-8."""
    content = "\ufeff" + ",".join(COLUMNS.values()) + "\r\n"
    headers = {"Content-Disposition": 'attachment; filename="cases.csv"'}
    return Response(content.encode(), headers=headers, media_type="text/csv; charset=utf-8")


@routes.get("/cases/imports/{import_id}", Action.CASES_FILE)
async def report(request: Request, import_id: UUID, kit: AnyKit) -> HTMLResponse:
    """How far it is; at the end the report."""
    view, faults = await reading.read_import(kit, import_id)
    shown = faults[:_SHOWN_FAULTS]
    return pages.page(request, "import_report.html", view=view, faults=shown, all_faults=len(faults))


@routes.get("/cases/imports/{import_id}/progress", Action.CASES_FILE)
async def progress(request: Request, import_id: UUID, kit: AnyKit) -> HTMLResponse:
    """The bar alone, polled; at the end the whole page is loaded again."""
    view, faults = await reading.read_import(kit, import_id)
    answer = pages.page(request, "_import_progress.html", view=view, all_faults=len(faults))
    if view.done_at is not None:
        answer.headers["HX-Refresh"] = "true"
    return answer
