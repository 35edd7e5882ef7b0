"""Pages of the import: upload, progress, report, earlier imports; the notices recalled and released."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request, UploadFile
from starlette.datastructures import FormData
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.holds import DEFAULT_MINUTES, MAX_MINUTES
from services.case_intake.domain.template import workbook_template
from services.case_intake.domain.words import COLUMNS
from services.case_intake.settings import IntakeKit
from services.case_intake.store.imports import FAULTS, SORTING, Wanted, WantedFaults
from services.case_intake.usecases import drafts, faults, holds, imports, reading
from services.case_intake.usecases.faults import FaultView
from services.case_intake.usecases.filing import Act, Assign
from services.case_intake.usecases.imports import Upload
from services.case_intake.usecases.reading import ImportView
from shared.errors import Conflict, Fault, Invalid
from shared.http.bodies import UPLOAD
from shared.http.forms import faults_in
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.lists import export
from shared.runtime.service import kit_of
from shared.web.lists import FIRST, Asked, Column, Filter, Listing, Place, Rows
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]
_SHOWN_FAULTS = 200
Way = Literal["preview", "stock", "stock_now"]
WAYS: tuple[Way, ...] = ("preview", "stock", "stock_now")
HOLDS = {"0": "不暂缓，立即发送", "10": "暂缓10分钟", "30": "暂缓30分钟", "60": "暂缓60分钟"}
DONE = {"recalled": "通知已撤回", "released": "通知已放行"}
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


STATES = {"queued": "等待中", "running": "正在导入", "done": "已完成", "unreadable": "无法读取"}


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[str, Query(max_length=20)] = ""
    way: Annotated[str, Query(max_length=20)] = ""


IMPORTS = Listing[ImportView](
    path="/cases/import",
    name="导入记录",
    unit="次",
    sorting=SORTING,
    columns=(
        Column("时间", lambda one: one.received_at, "at"),
        Column("文件", lambda one: one.file_name),
        Column("上传人", lambda one: one.received_by, "by"),
        Column("行数", lambda one: one.rows, "rows", "num"),
        Column("新立案", lambda one: one.filed, kind="num"),
        Column("补充当事人", lambda one: one.completed, kind="num"),
        Column("状态", lambda one: STATES[one.state]),
        Column("存量迁移", lambda one: one.silent, filed=True),
    ),
    filters=(
        Filter("state", "状态", {"open": "尚未完成", "done": "已完成"}),
        Filter("way", "办理方式", {"new": "新收案件", "stock": "存量迁移"}),
    ),
)


_FIRST = IMPORTS.asked(FIRST, Chosen())


@routes.get("/cases/import", Action.CASES_FILE)
async def import_page(
    request: Request,
    kit: AnyKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """The upload form and the earlier imports; with `export` those as a file."""
    asked = IMPORTS.asked(place, chosen)
    if place.export:
        return await export(kit, caller, asked, _rows_of(kit, asked))
    return await _upload_page(request, kit, asked=asked)


def _rows_of(kit: IntakeKit, asked: Asked[ImportView]) -> Rows[ImportView]:
    return partial(reading.list_imports, kit, Wanted(asked.chosen["state"], asked.chosen["way"]))


async def _upload_page(
    request: Request,
    kit: IntakeKit,
    refusal: Invalid | None = None,
    asked: Asked[ImportView] = _FIRST,
    *,
    way: Way = "preview",
    hold: int = DEFAULT_MINUTES,
) -> HTMLResponse:
    return pages.page(
        request,
        "import.html",
        422 if refusal else 200,
        drafts=await drafts.list_drafts(kit),
        shown=await asked.shown(_rows_of(kit, asked)),
        faults=faults_in(refusal) if refusal else {},
        way=way,
        holds=HOLDS,
        hold=hold,
        limit=kit.settings.import_max_rows,
    )


@routes.post("/cases/import", Action.CASES_FILE, most=UPLOAD)
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


@dataclass(frozen=True)
class ChosenFaults:
    """The filters of an import's faults as they stand in the URL."""

    q: Annotated[str, Query(max_length=60)] = ""
    work: Annotated[str, Query(max_length=20)] = ""


OF_IMPORT = Listing[FaultView](
    path="/cases/imports/{import_id}/faults",
    name="导入中的问题",
    unit="处",
    sorting=FAULTS,
    columns=(
        Column("行", lambda fault: fault.line, "line", "num"),
        Column("当事人", lambda fault: fault.party),
        Column("列", lambda fault: fault.column or "整行", "column"),
        Column("原因与处理", lambda fault: fault.reason),
        Column("案号", lambda fault: fault.case_number, "number"),
    ),
    filters=(
        Filter("q", "案号", hint="案号，或其中的数字"),
        Filter("work", "处理", {"needed": "需要处理", "none": "无需处理"}),
    ),
)


@routes.get("/cases/imports/{import_id}/faults", Action.CASES_FILE)
async def import_faults(
    request: Request,
    import_id: UUID,
    kit: AnyKit,
    caller: CurrentCaller,
    chosen: Annotated[ChosenFaults, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """What an import found, in the order of its lines unless sorted otherwise; with `export` as a file."""
    view, _ = await reading.read_import(kit, import_id)
    asked = OF_IMPORT.asked(place, chosen, path=OF_IMPORT.path.format(import_id=import_id))
    note = None if not chosen.work else chosen.work == "none"
    rows_of = partial(faults.list_faults, kit, WantedFaults(import_id, chosen.q.strip(), note))
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return pages.page(request, "import_faults.html", view=view, shown=await asked.shown(rows_of))


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
