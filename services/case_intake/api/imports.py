"""Imports as JSON."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, File, Form, Query, Response, UploadFile

from services.case_intake.domain.holds import MAX_MINUTES
from services.case_intake.domain.mending import HiddenRows
from services.case_intake.schemas.imports import (
    FaultAnswer,
    ImportAnswer,
    ImportList,
    PreviewAnswer,
    import_line,
    preview_answer,
)
from services.case_intake.settings import IntakeKit
from services.case_intake.store.imports import Wanted
from services.case_intake.usecases import drafts, holds, imports, reading
from services.case_intake.usecases.filing import Act, Assign, Doubt, Once
from services.case_intake.usecases.imports import Upload
from shared.db.lists import Part
from shared.http.bodies import UPLOAD
from shared.http.routes import CurrentCaller, IdempotencyKey, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of

routes = Routes(Zone.STAFF)
AnyKit = Annotated[IntakeKit, Depends(kit_of)]


@dataclass(frozen=True)
class Terms:
    """How a file is filed."""

    silent: Annotated[bool, Form(description="存量迁移：期限照常计算，不发送任何通知")] = False
    assign: Annotated[Assign, Form()] = Assign.AUTO
    confirmed: Annotated[
        Literal["", "serial_far"], Form(description="serial_far：序号远大于已登记序号的案号已核对无误")
    ] = ""
    hidden_rows: Annotated[
        HiddenRows, Form(description="表格中隐藏的行：leave（不办理，在结果中列出）或 include（一并办理）")
    ] = HiddenRows.LEAVE
    hold_minutes: Annotated[int, Form(ge=0, le=MAX_MINUTES, description="通知暂缓发送的分钟数，其间可撤回")] = 0
    key: IdempotencyKey = None


@routes.post("/api/cases/import", Action.CASES_FILE, most=UPLOAD, name="import cases")
async def import_cases(
    kit: AnyKit,
    caller: CurrentCaller,
    response: Response,
    file: Annotated[UploadFile, File(description="XLSX，或CSV（UTF-8或GB18030），每名当事人一行")],
    terms: Annotated[Terms, Depends()],
    dry_run: Annotated[bool, Query(description="只预览，不立案")] = False,  # noqa: FBT002 - a query parameter
) -> ImportAnswer | PreviewAnswer:
    """Keep the file and work through it; 200 with the whole report, or 202 while the work goes on."""
    upload = Upload(file.filename or "", await file.read())
    if dry_run:
        return preview_answer(await drafts.preview_file(kit, upload.content, terms.hidden_rows, silent=terms.silent))
    confirmed = frozenset({Doubt(terms.confirmed)} if terms.confirmed else ())
    act = Act(caller.staff_id, terms.assign, terms.silent, confirmed=confirmed, by_name=caller.name)
    import_id = await imports.receive(kit, upload, act, terms.hold_minutes, _once(upload, terms), terms.hidden_rows)
    ended = await reading.import_ended(kit, import_id, kit.settings.import_wait_seconds)
    response.status_code = 200 if ended else 202
    return await _answer(kit, import_id)


def _once(upload: Upload, terms: Terms) -> Once | None:
    mark = hashlib.sha256(upload.content + repr((upload.name, terms)).encode()).hexdigest()
    return Once(terms.key, mark) if terms.key else None


@routes.get("/api/cases/imports", Action.CASES_FILE, name="list imports")
async def list_imports(
    kit: AnyKit,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> ImportList:
    """Imports, newest first."""
    views, following = await reading.list_imports(kit, Wanted(), Part(cursor=cursor, limit=limit))
    return ImportList(items=list(map(import_line, views)), next=following)


@routes.get("/api/cases/imports/{import_id}", Action.CASES_FILE, name="read an import")
async def read_import(import_id: UUID, kit: AnyKit) -> ImportAnswer:
    """An import's progress, its counts and the faults found."""
    return await _answer(kit, import_id)


@routes.post("/api/cases/imports/{import_id}/recall", Action.CASES_FILE, name="recall an import's notices")
async def recall(import_id: UUID, kit: AnyKit, caller: CurrentCaller) -> ImportAnswer:
    """Nobody of its cases is told until they are released; possible until the hold is over."""
    await holds.recall(kit, import_id, caller.staff_id)
    return await _answer(kit, import_id)


@routes.post("/api/cases/imports/{import_id}/release", Action.CASES_FILE, name="release an import's notices")
async def release(import_id: UUID, kit: AnyKit, caller: CurrentCaller) -> ImportAnswer:
    """What was held or recalled may leave at once."""
    await holds.release(kit, import_id, caller.staff_id)
    return await _answer(kit, import_id)


async def _answer(kit: IntakeKit, import_id: UUID) -> ImportAnswer:
    view, faults = await reading.read_import(kit, import_id)
    found = [FaultAnswer.model_validate(fault) for fault in faults]
    return ImportAnswer(**import_line(view).model_dump(), faults=found)
