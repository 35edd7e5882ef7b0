"""Pages of a file that is not filed yet: what it would do, its cells mended, confirmed or thrown away."""

from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.mending import HiddenRows
from services.case_intake.domain.words import COLUMNS, line_words
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases import drafts
from services.case_intake.usecases.drafts import DraftView
from shared.contracts.cases import PartyRole
from shared.errors import Conflict
from shared.http.forms import typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD, Edit, Stale
from shared.powers import Action
from shared.runtime.service import kit_of
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]
FIRST, REST = 20, 100
"""How many rows of a part stand on the preview, and how many come at a time on demand."""

Part = Literal["faults", "changes", "late", "notes"]
PARTS: dict[Part, str] = {
    "faults": "需要处理的内容",
    "changes": "与已登记内容的差别",
    "late": "立案时已过期限的案件",
    "notes": "无需处理的说明",
}
ROLES = {PartyRole.APPLICANT: "申请执行人", PartyRole.RESPONDENT: "被执行人"}


@routes.get("/cases/import/drafts/{draft_id}", Action.CASES_FILE)
async def draft_page(request: Request, draft_id: UUID, kit: AnyKit) -> HTMLResponse:
    """What the file would do."""
    return await _draft_page(request, kit, draft_id)


async def _draft_page(
    request: Request, kit: IntakeKit, draft_id: UUID, warning: str = "", stale: Stale | None = None
) -> HTMLResponse:
    view = await drafts.preview_draft(kit, draft_id)
    shown = _with_mine(view, stale) if stale else view
    return pages.page(
        request,
        "import_preview.html",
        409 if warning or stale else 200,
        view=shown,
        stale=stale,
        labels={each.field: _cell(each.field) for each in stale.differences} if stale else {},
        seen=view.seen.preview,
        parts_of={part: _slice(shown, part, 0, FIRST) for part in PARTS},
        columns=COLUMNS,
        warning=warning,
        hidden=line_words(view.hidden),
        roles=ROLES,
    )


def _with_mine(view: DraftView, stale: Stale) -> DraftView:
    """The cells as they were typed, not as another has mended them meanwhile."""
    mine = {each.field: each.mine for each in stale.differences}
    return replace(view, faults=[replace(each, value=mine.get(each.place, each.value)) for each in view.faults])


def _cell(place: str) -> str:
    line, _, field = place.partition(".")
    return f"第{line}行{COLUMNS[field]}"


@dataclass(frozen=True)
class _Slice:
    """Some rows of a part; `next` is where it goes on."""

    part: Part
    word: str
    rows: list[Any]
    all: int
    first: int
    next: int | None
    rule: str = ""


def _slice(view: DraftView, part: Part, first: int, size: int, rule: str = "") -> _Slice:
    seen = view.seen.preview
    whole: dict[Part, list[Any]] = {
        "faults": view.faults,
        "changes": seen.changes,
        "late": [case for case in seen.late if not rule or rule in {limit.rule for limit in case.limits}],
        "notes": view.notes,
    }
    rows = whole[part]
    after = first + size
    return _Slice(part, PARTS[part], rows[first:after], len(rows), first, after if after < len(rows) else None, rule)


@routes.get("/cases/import/drafts/{draft_id}/{part}", Action.CASES_FILE)
async def draft_part(
    request: Request,
    draft_id: UUID,
    part: Part,
    kit: AnyKit,
    cursor: Annotated[int, Query(ge=0, le=10**6)] = 0,
    rule: Annotated[str, Query(max_length=60)] = "",
) -> HTMLResponse:
    """More rows of one part: for htmx the rows alone, else a page of its own."""
    view = await drafts.preview_draft(kit, draft_id)
    name = "_import_rows.html" if "hx-request" in request.headers else "import_part.html"
    shown = _slice(view, part, cursor, REST, rule)
    return pages.page(request, name, view=view, part=shown, columns=COLUMNS, seen=view.seen.preview)


@routes.edit("/cases/import/drafts/{draft_id}/mend", Action.CASES_FILE)
async def mend(request: Request, draft_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Take the corrected cells, and look anew."""
    form = await typed(request)
    try:
        await drafts.mend_draft(kit, draft_id, form, Edit(caller.staff_id, form[FIELD]))
    except Stale as refusal:
        return await _draft_page(request, kit, draft_id, stale=refusal)
    except Conflict as refusal:
        return await _draft_page(request, kit, draft_id, refusal.detail)
    return RedirectResponse(f"/cases/import/drafts/{draft_id}", 303)


@routes.post("/cases/import/drafts/{draft_id}/numbers", Action.CASES_FILE)
async def confirm_numbers(request: Request, draft_id: UUID, kit: AnyKit) -> Response:
    """The case numbers that lie far beyond their series are right."""
    try:
        await drafts.confirm_numbers(kit, draft_id)
    except Conflict as refusal:
        return await _draft_page(request, kit, draft_id, refusal.detail)
    return RedirectResponse(f"/cases/import/drafts/{draft_id}", 303)


@routes.post("/cases/import/drafts/{draft_id}/hidden", Action.CASES_FILE)
async def decide_hidden(request: Request, draft_id: UUID, kit: AnyKit) -> Response:
    """What becomes of the rows that the file hides."""
    wish = (await typed(request)).get("hidden_rows")
    try:
        await drafts.decide_hidden(kit, draft_id, HiddenRows.INCLUDE if wish == "include" else HiddenRows.LEAVE)
    except Conflict as refusal:
        return await _draft_page(request, kit, draft_id, refusal.detail)
    return RedirectResponse(f"/cases/import/drafts/{draft_id}", 303)


@routes.post("/cases/import/drafts/{draft_id}/confirm", Action.CASES_FILE)
async def confirm(request: Request, draft_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """File it as it was shown."""
    form = await typed(request)
    try:
        if await drafts.confirm_draft(kit, draft_id, str(form.get("mark", "")), caller):
            return RedirectResponse(f"/cases/imports/{draft_id}", 303)
    except Conflict as refusal:
        return await _draft_page(request, kit, draft_id, refusal.detail)
    warning = "预览之后，表格或已登记的案件又有变化，尚未立案。请核对下面的最新内容后再确认。"
    return await _draft_page(request, kit, draft_id, warning)


@routes.post("/cases/import/drafts/{draft_id}/drop", Action.CASES_FILE)
async def drop(draft_id: UUID, kit: AnyKit) -> Response:
    """Throw the file away."""
    await drafts.drop_draft(kit, draft_id)
    return RedirectResponse("/cases/import", 303)
