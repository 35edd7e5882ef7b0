"""The forms that change a case: its facts, its parties."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.filing import CASE_FIELDS, case_text, tells_somebody
from services.case_intake.domain.words import COLUMNS
from services.case_intake.pages.filing import shown_for
from services.case_intake.settings import IntakeKit
from services.case_intake.usecases import filing, looking, parties, reading
from services.case_intake.usecases.reading import CaseView
from shared.errors import Conflict, Fault, Invalid
from shared.http.forms import Typed, refused, typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD, Edit, Stale
from shared.powers import Action
from shared.runtime.service import kit_of
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]
LABELS = {**COLUMNS, "received_on": "收到申请的日期", "secured_on": "提供担保的日期"}


@routes.get("/cases/{case_id}/edit", Action.CASES_CORRECT)
async def edit_case(request: Request, case_id: UUID, kit: AnyKit) -> HTMLResponse:
    """The case's facts, to be completed or corrected."""
    view = await reading.read_case(kit, case_id)
    return _edit_page(request, view, {name: case_text(getattr(view, name)) for name in CASE_FIELDS})


@routes.edit("/cases/{case_id}/edit", Action.CASES_CORRECT)
async def correct_case(request: Request, case_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Keep the corrections."""
    form = await typed(request)
    changes = {name: form[name] for name in CASE_FIELDS if name in form and name != "filed_on"}
    try:
        await filing.correct_case(kit, case_id, changes, Edit(caller.staff_id, form[FIELD]))
    except (Invalid, Stale) as refusal:
        return _edit_page(request, await reading.read_case(kit, case_id), changes, refusal)
    return _to(case_id, "corrected")


def _edit_page(request: Request, view: CaseView, form: Typed, refusal: Invalid | Stale | None = None) -> HTMLResponse:
    about = {"case": view, "form": {**dict.fromkeys(CASE_FIELDS, ""), **form}, **refused(refusal), "labels": LABELS}
    about |= shown_for(view.kind)
    return pages.page(request, "case_edit.html", refusal.status if refusal else 200, **about)


@routes.get("/cases/{case_id}/parties/new", Action.CASES_FILE)
async def new_party(request: Request, case_id: UUID, kit: AnyKit) -> HTMLResponse:
    """The form of a further party."""
    view = await reading.read_case(kit, case_id)
    missing = {"applicant": "申请执行人", "respondent": "被执行人"}.get(next(iter(view.lacks), ""), "")
    return _party_page(request, view, {"role": missing})


@routes.post("/cases/{case_id}/parties/new", Action.CASES_FILE)
async def add_party(request: Request, case_id: UUID, kit: AnyKit) -> Response:
    """Register the party."""
    form = await typed(request)
    try:
        await parties.add_party(kit, case_id, form)
    except (Invalid, Conflict) as refusal:
        return _party_page(request, await reading.read_case(kit, case_id), form, refusal)
    return _to(case_id, "added")


@routes.get("/cases/{case_id}/parties/{party_id}/edit", Action.CASES_CORRECT)
async def edit_party(
    request: Request, case_id: UUID, party_id: UUID, kit: AnyKit, caller: CurrentCaller
) -> HTMLResponse:
    """A party's particulars, to be corrected: a look that is told of."""
    view, texts, version = await looking.open_form(kit, case_id, party_id, caller)
    return _party_page(request, view, {**texts, FIELD: version}, party_id=party_id)


@routes.edit("/cases/{case_id}/parties/{party_id}/edit", Action.CASES_CORRECT)
async def change_party(request: Request, case_id: UUID, party_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Keep the corrections; the role stays."""
    form = await typed(request)
    changes = {name: text for name, text in form.items() if name not in ("role", FIELD)}
    try:
        await parties.change_party(kit, case_id, party_id, changes, Edit(caller.staff_id, form[FIELD]))
    except (Invalid, Conflict) as refusal:
        return _party_page(request, await reading.read_case(kit, case_id), form, refusal, party_id)
    return _to(case_id, "changed")


@routes.post("/cases/{case_id}/parties/{party_id}/misfiled", Action.CASES_CORRECT)
async def mark_misfiled(case_id: UUID, party_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """The party was registered by mistake and counts no more."""
    await parties.mark_misfiled(kit, case_id, party_id, caller.staff_id)
    return _to(case_id, "misfiled")


def _party_page(
    request: Request,
    view: CaseView,
    form: Typed,
    refusal: Invalid | Conflict | None = None,
    party_id: UUID | None = None,
) -> HTMLResponse:
    repeated = isinstance(refusal, Conflict) and not isinstance(refusal, Stale)
    named = Invalid([Fault("id_number", refusal.detail)]) if refusal and repeated else refusal
    about = {"case": view, "form": {"role": "", FIELD: "", **form}, **refused(named), "party_id": party_id}
    about["told"] = tells_somebody(view.kind)
    return pages.page(request, "party.html", named.status if named else 200, **about, labels=LABELS)


def _to(case_id: UUID, done: str) -> RedirectResponse:
    return RedirectResponse(f"/cases/{case_id}?done={done}", 303)
