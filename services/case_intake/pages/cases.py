"""The list of cases, the one page of a case, and the forms that change it."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain import cursors
from services.case_intake.domain.filing import CASE_FIELDS, party_texts
from services.case_intake.settings import IntakeKit
from services.case_intake.store.cases import Wanted
from services.case_intake.usecases import assignment, filing, parties, reading
from services.case_intake.usecases.assignment import Appointment
from services.case_intake.usecases.reading import CaseView
from shared.contracts.cases import PartyRole
from shared.errors import Conflict, Fault, Invalid, NotFound
from shared.http.forms import Typed, faults_in, typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]

STATES = {"incomplete": "信息不全", "unassigned": "待分案", "assigned": "已分案"}
TABS = {
    "timeline": ("进程", "/stages/cases/{}/timeline", Action.STAGES_READ),
    "tasks": ("待办", "/stages/cases/{}/tasks", Action.STAGES_READ),
    "notices": ("通知", "/notices/cases/{}", Action.NOTICES_READ),
    "log": ("执行日志", "/stages/cases/{}/log", Action.LOG_READ),
}
DONE = {
    "filed": "案件已登记",
    "corrected": "案件信息已更正",
    "added": "当事人已添加",
    "changed": "当事人信息已更正",
    "assigned": "已分案",
}


@routes.get("/cases", Action.CASES_READ)
async def case_list(
    request: Request,
    kit: AnyKit,
    q: Annotated[str, Query(max_length=60)] = "",
    state: Annotated[str, Query(max_length=20)] = "",
    cursor: Annotated[str, Query(max_length=200)] = "",
) -> HTMLResponse:
    """Cases, newest filing first."""
    chosen = state if state in STATES else ""
    views, more = await reading.list_cases(kit, Wanted(q.strip(), chosen, cursors.read(cursor)))
    return pages.page(
        request,
        "cases.html",
        cases=views,
        counts=await reading.count_states(kit),
        states=STATES,
        query={"q": q.strip(), "state": chosen},
        first=not cursor,
        next=cursors.write(views[-1].filed_on, views[-1].id) if more else "",
        roles=PartyRole,
    )


def here(reference: str) -> UUID | str:
    """A case's id when it reads as one, else its number."""
    try:
        return UUID(reference)
    except ValueError:
        return reference.strip()


@routes.get("/cases/{reference}", Action.CASES_READ)
async def case_page(
    request: Request, reference: str, kit: AnyKit, caller: CurrentCaller, tab: str = "timeline", done: str = ""
) -> HTMLResponse:
    """A case whole."""
    view = await reading.read_case(kit, here(reference))
    return await _case_page(request, kit, view, tab=_tab(caller, tab), done=DONE.get(done, ""))


async def _case_page(
    request: Request, kit: IntakeKit, view: CaseView, refusal: Invalid | None = None, **shown: Any
) -> HTMLResponse:
    given = {
        "tab": "timeline",
        "done": "",
        "wish": {"judge_id": "", "panel": "", "clerk_name": view.clerk_name or ""},
        "tabs": TABS,
        "judges": await reading.list_judges(kit),
        "faults": faults_in(refusal) if refusal else {},
    }
    return pages.page(request, "case.html", 422 if refusal else 200, case=view, **{**given, **shown})


def _tab(caller: CurrentCaller, tab: str) -> str:
    return tab if tab in TABS and caller.can(TABS[tab][2]) else "timeline"


@routes.post("/cases/{case_id}/assignment", Action.CASES_ASSIGN)
async def assign(request: Request, case_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Give the case to a judge."""
    form = await typed(request)
    try:
        await assignment.assign_by_hand(kit, case_id, _appointment(form), caller.staff_id)
    except Invalid as refusal:
        view = await reading.read_case(kit, case_id)
        wish = {name: form.get(name, "") for name in ("judge_id", "panel", "clerk_name")}
        return await _case_page(request, kit, view, refusal, wish=wish)
    return _to(case_id, "assigned")


def _appointment(form: Typed) -> Appointment:
    panel, clerk = form.get("panel", "").strip(), form.get("clerk_name", "").strip()
    faults = [Fault(name, "内容太长，最多100个字。") for name, text in (("panel", panel), ("clerk_name", clerk)) if text[100:]]
    try:
        judge_id = UUID(form.get("judge_id", ""))
    except ValueError:
        raise Invalid([Fault("judge_id", "请从名单中选择承办法官。"), *faults]) from None
    if faults:
        raise Invalid(faults)
    return Appointment(judge_id, panel or None, clerk or None)


@routes.get("/cases/{case_id}/edit", Action.CASES_CORRECT)
async def edit_case(request: Request, case_id: UUID, kit: AnyKit) -> HTMLResponse:
    """The case's facts, to be completed or corrected."""
    view = await reading.read_case(kit, case_id)
    values = {name: getattr(view, name) for name in CASE_FIELDS}
    return _edit_page(request, view, {name: "" if value is None else str(value) for name, value in values.items()})


@routes.post("/cases/{case_id}/edit", Action.CASES_CORRECT)
async def correct_case(request: Request, case_id: UUID, kit: AnyKit) -> Response:
    """Keep the corrections."""
    form = await typed(request)
    changes = {name: form[name] for name in CASE_FIELDS if name in form and name != "filed_on"}
    try:
        await filing.correct_case(kit, case_id, changes)
    except Invalid as refusal:
        return _edit_page(request, await reading.read_case(kit, case_id), changes, refusal)
    return _to(case_id, "corrected")


def _edit_page(request: Request, view: CaseView, form: Typed, refusal: Invalid | None = None) -> HTMLResponse:
    faults = faults_in(refusal) if refusal else {}
    return pages.page(request, "case_edit.html", 422 if refusal else 200, case=view, form=form, faults=faults)


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
async def edit_party(request: Request, case_id: UUID, party_id: UUID, kit: AnyKit) -> HTMLResponse:
    """A party's particulars, to be corrected."""
    view = await reading.read_case(kit, case_id)
    for party in view.parties:
        if party.id == party_id:
            return _party_page(request, view, party_texts(party.entry), party_id=party_id)
    raise NotFound("party_not_found", "本案没有这名当事人，请从案件页面重新选择。")


@routes.post("/cases/{case_id}/parties/{party_id}/edit", Action.CASES_CORRECT)
async def change_party(request: Request, case_id: UUID, party_id: UUID, kit: AnyKit) -> Response:
    """Keep the corrections; the role stays."""
    form = await typed(request)
    changes = {name: text for name, text in form.items() if name != "role"}
    try:
        await parties.change_party(kit, case_id, party_id, changes)
    except (Invalid, Conflict) as refusal:
        return _party_page(request, await reading.read_case(kit, case_id), form, refusal, party_id)
    return _to(case_id, "changed")


def _party_page(
    request: Request,
    view: CaseView,
    form: Typed,
    refusal: Invalid | Conflict | None = None,
    party_id: UUID | None = None,
) -> HTMLResponse:
    named = Invalid([Fault("id_number", refusal.detail)]) if isinstance(refusal, Conflict) else refusal
    faults = faults_in(named) if named else {}
    status = named.status if named else 200
    return pages.page(request, "party.html", status, case=view, form=form, faults=faults, party_id=party_id)


def _to(case_id: UUID, done: str) -> RedirectResponse:
    return RedirectResponse(f"/cases/{case_id}?done={done}", 303)
