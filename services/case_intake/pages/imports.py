"""Pages of the import: upload, progress, report, earlier imports; the notices recalled and released."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Request, UploadFile
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.holds import DEFAULT_MINUTES, MAX_MINUTES
from services.case_intake.domain.template import workbook_template
from services.case_intake.domain.words import COLUMNS
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases import drafts, faults, holds, imports, reading
from services.case_intake.usecases.filing import Act, Assign
from services.case_intake.usecases.imports import Upload
from shared.errors import Conflict, Fault, Invalid
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
Way = Literal["preview", "stock", "stock_now"]
WAYS: tuple[Way, ...] = ("preview", "stock", "stock_now")
HOLDS = {"0": "不暂缓，立即发送", "10": "暂缓10分钟", "30": "暂缓30分钟", "60": "暂缓60分钟"}
DONE = {"recalled": "通知已撤回", "released": "通知已放行"}
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


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
    way: Way = "preview",
    hold: int = DEFAULT_MINUTES,
) -> HTMLResponse:
    earlier, more = await reading.list_imports(kit, cursor, _EARLIER)
    return pages.page(
        request,
        "import.html",
        422 if refusal else 200,
        drafts=await drafts.list_drafts(kit),
        earlier=earlier,
        next=str(earlier[-1].id) if more else "",
        faults=faults_in(refusal) if refusal else {},
        way=way,
        holds=HOLDS,
        hold=hold,
        limit=kit.settings.import_max_rows,
    )


@routes.post("/cases/import", Action.CASES_FILE)
async def upload(request: Request, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Show what the file would do; an old stock, of which nobody is told, may also begin at once."""
    async with request.form() as form:
        way, hold = _way(form), _minutes(form)
        assign = Assign.BY_HAND if form.get("assign") == Assign.BY_HAND else Assign.AUTO
        act = Act(caller.staff_id, assign, silent=way != "preview", by_name=caller.name)
        try:
            file = await _file(form.get("file"))
            if way == "stock_now":
                return RedirectResponse(f"/cases/imports/{await imports.receive(kit, file, act)}", 303)
            draft_id = await drafts.keep_draft(kit, file, act, hold)
        except Invalid as refusal:
            return await _upload_page(request, kit, refusal, way=way, hold=hold)
    return RedirectResponse(f"/cases/import/drafts/{draft_id}", 303)


def _way(form: FormData) -> Way:
    """What is to be done with the file; only an old stock, of which nobody is told, may go in unseen."""
    return next((way for way in WAYS if way == form.get("way")), "preview")


def _minutes(form: FormData) -> int:
    typed = str(form.get("hold_minutes", ""))
    known = typed.isascii() and typed.isdecimal() and len(typed) < 4 and int(typed) <= MAX_MINUTES
    return int(typed) if known else DEFAULT_MINUTES


async def _file(file: object) -> Upload:
    named = getattr(file, "filename", "")
    if isinstance(file, str) or not named:
        raise Invalid([Fault("file", "请选择要导入的Excel或CSV表格。")])
    taken: UploadFile = file  # type: ignore[assignment]
    return Upload(named, await taken.read())


@routes.get("/cases/import/template", Action.CASES_FILE)
async def template(kind: Literal["csv", "xlsx"] = "csv") -> Response:
    """An empty table with the columns that an import needs; the mark makes spreadsheets read a CSV as UTF-8."""
    text = "\ufeff" + ",".join(COLUMNS.values()) + "\r\n"
    content, media_type = (
        (workbook_template(), WORKBOOK) if kind == "xlsx" else (text.encode(), "text/csv; charset=utf-8")
    )
    headers = {"Content-Disposition": f'attachment; filename="cases.{kind}"'}
    return Response(content, headers=headers, media_type=media_type)


@routes.get("/cases/imports/{import_id}", Action.CASES_FILE)
async def report(request: Request, import_id: UUID, kit: AnyKit, done: str = "") -> HTMLResponse:
    """How far it is; at the end the report."""
    return await _report(request, kit, import_id, done=DONE.get(done, ""))


async def _report(
    request: Request, kit: IntakeKit, import_id: UUID, refusal: Conflict | None = None, done: str = ""
) -> HTMLResponse:
    view, found = await reading.read_import(kit, import_id)
    status = refusal.status if refusal else 200
    work = [fault for fault in found if not fault.note]
    notes = [fault for fault in found if fault.note]
    about = {
        "view": view,
        "faults": await faults.faults_with_parties(kit, import_id, work[:_SHOWN_FAULTS]),
        "all_faults": len(work),
        "notes": await faults.faults_with_parties(kit, import_id, notes[:_SHOWN_FAULTS]),
        "all_notes": len(notes),
        "done": done,
    }
    return pages.page(request, "import_report.html", status, **about, refusal=refusal.detail if refusal else "")


@routes.post("/cases/imports/{import_id}/recall", Action.CASES_FILE)
async def recall(request: Request, import_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Nobody of its cases is told until they are released."""
    try:
        await holds.recall(kit, import_id, caller.staff_id)
    except Conflict as refusal:
        return await _report(request, kit, import_id, refusal)
    return RedirectResponse(f"/cases/imports/{import_id}?done=recalled", 303)


@routes.post("/cases/imports/{import_id}/release", Action.CASES_FILE)
async def release(request: Request, import_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """What was held or recalled may leave at once."""
    try:
        await holds.release(kit, import_id, caller.staff_id)
    except Conflict as refusal:
        return await _report(request, kit, import_id, refusal)
    return RedirectResponse(f"/cases/imports/{import_id}?done=released", 303)


@routes.get("/cases/imports/{import_id}/progress", Action.CASES_FILE)
async def progress(request: Request, import_id: UUID, kit: AnyKit) -> HTMLResponse:
    """The bar alone, polled; at the end the whole page is loaded again."""
    view, found = await reading.read_import(kit, import_id)
    left = sum(not fault.note for fault in found)
    answer = pages.page(request, "_import_progress.html", view=view, all_faults=left)
    if view.done_at is not None:
        answer.headers["HX-Refresh"] = "true"
    return answer
