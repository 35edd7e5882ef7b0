"""The list of cases and the one page of a case, with the assignment."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.texts import Reader, line
from services.case_intake.settings import IntakeKit
from services.case_intake.store.cases import SORTING, Wanted
from services.case_intake.store.judges import Judge
from services.case_intake.usecases import assignment, looking, reading
from services.case_intake.usecases.assignment import Appointment
from services.case_intake.usecases.reading import CaseView
from shared.contracts.cases import PartyRole
from shared.errors import Fault, Invalid
from shared.http.auth import Caller, caller_of
from shared.http.exports import Cell
from shared.http.forms import Typed, faults_in, refused, typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD, Difference, Edit, Stale
from shared.powers import Action
from shared.runtime.lists import export
from shared.runtime.service import kit_of
from shared.web.lists import Column, Filter, Listing, Place
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]

STATES = {
    "incomplete": "信息不全",
    "unassigned": "待分案",
    "assigned": "已分案",
    "closed": "已结案",
    "archived": "已归档",
}
_STATE_WORDS = STATES | {"unreadable": "内容无法读取"}
TABS = {
    "timeline": ("进程", "/stages/cases/{}/timeline", Action.STAGES_READ),
    "tasks": ("待办", "/stages/cases/{}/tasks", Action.STAGES_READ),
    "notices": ("通知", "/notices/cases/{}", Action.NOTICES_READ),
    "log": ("执行日志", "/stages/cases/{}/log", Action.LOG_READ),
}
LABELS = {"judge_id": "承办法官", "panel": "合议庭", "clerk_name": "书记员"}
DONE = {
    "filed": "案件已登记",
    "corrected": "案件信息已更正",
    "added": "当事人已添加",
    "changed": "当事人信息已更正",
    "assigned": "已分案",
    "misfiled": "当事人已标记为误录，已发出的通知随即更正",
}


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    q: Annotated[str, Query(max_length=60)] = ""
    state: Annotated[str, Query(max_length=20)] = ""


def _names(role: PartyRole) -> Callable[[CaseView], Cell]:
    return lambda case: "、".join(case.names(role))


CASES = Listing[CaseView](
    path="/cases",
    name="案件",
    unit="件",
    sorting=SORTING,
    columns=(
        Column("案号", lambda case: case.case_number, "number"),
        Column("立案日期", lambda case: case.filed_on, "filed"),
        Column("案由", lambda case: case.cause, "cause"),
        Column("申请执行人", _names(PartyRole.APPLICANT)),
        Column("被执行人", _names(PartyRole.RESPONDENT)),
        Column("执行标的", sort="amount", kind="num"),
        Column("执行标的（元）", lambda case: case.claim_amount, filed=True),
        Column("承办法官", lambda case: case.judge.name if case.judge else None, "judge"),
        Column("合议庭", lambda case: case.panel, filed=True),
        Column("书记员", lambda case: case.clerk_name, filed=True),
        Column("状态", lambda case: "、".join(_STATE_WORDS[state] for state in case.states)),
    ),
    filters=(Filter("q", "案号", hint="如（2026）渝05执，或其中的数字"), Filter("state", "状态", STATES)),
)


@routes.get("/cases", Action.CASES_READ)
async def case_list(
    request: Request,
    kit: AnyKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """Cases, newest filing first unless sorted otherwise; with `export` the same list as a file."""
    asked = CASES.asked(place, chosen)
    rows_of = partial(reading.list_cases, kit, Wanted(chosen.q.strip(), chosen.state))
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return pages.page(
        request,
        "cases.html",
        shown=await asked.shown(rows_of),
        counts=await reading.count_states(kit),
        roles=PartyRole,
    )


@routes.get("/cases/{reference}", Action.CASES_READ)
async def case_page(
    request: Request, reference: str, kit: AnyKit, tab: str = "timeline", done: str = ""
) -> HTMLResponse:
    """A case whole, its parties masked."""
    view = await reading.read_case(kit, reference)
    return await _case_page(request, kit, view, tab=tab, done=DONE.get(done, ""))


@routes.post("/cases/{case_id}/looks", Action.CASES_LOOK)
async def look(request: Request, case_id: UUID, kit: AnyKit, caller: CurrentCaller) -> HTMLResponse:
    """The same with the parties' full particulars; the look is kept."""
    reason = (await typed(request)).get("reason", "")
    try:
        view = await looking.look(kit, case_id, caller, reason)
    except Invalid as refusal:
        view = await reading.read_case(kit, case_id)
        return await _case_page(request, kit, view, look_faults=faults_in(refusal), reason=reason, status=422)
    return await _case_page(request, kit, view, looked=True)


async def _case_page(
    request: Request, kit: IntakeKit, view: CaseView, refusal: Invalid | Stale | None = None, **shown: Any
) -> HTMLResponse:
    caller = await caller_of(request)
    given: dict[str, Any] = {
        "own": await looking.is_own(kit, view, caller),
        "looked": False,
        "look_faults": {},
        "reason": "",
        "tab": "timeline",
        "done": "",
        "wish": {"judge_id": "", "panel": "", "clerk_name": view.clerk_name or ""},
        "tabs": await _tabs(kit, view, caller),
        "judges": await assignment.eligible(kit, view.kind, view.main_case),
        **refused(refusal),
    }
    if isinstance(refusal, Stale):
        given["stale"] = _named(refusal, given["judges"])
    given = {**given, **shown}
    given["tab"] = given["tab"] if given["tab"] in given["tabs"] else "timeline"
    status = given.pop("status", refusal.status if refusal else 200)
    return pages.page(request, "case.html", status, case=view, labels=LABELS, **given)


def _named(stale: Stale, judges: Sequence[Judge]) -> Stale:
    """With the judges' names in place of their ids."""
    names = {str(judge.staff_id): judge.name for judge in judges}
    return stale.showing(
        Difference(each.field, names.get(each.mine, each.mine), names.get(each.theirs, each.theirs))
        for each in stale.differences
    )


async def _tabs(kit: IntakeKit, view: CaseView, caller: Caller) -> dict[str, tuple[str, str, Action]]:
    """What more there is of the case for the caller."""
    there = {key: tab for key, tab in TABS.items() if caller.can(tab[2])}
    return {key: tab for key, tab in there.items() if await looking.is_within(kit, view, caller.reach(tab[2]))}


@routes.edit("/cases/{case_id}/assignment", Action.CASES_ASSIGN)
async def assign(request: Request, case_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Give the case to a judge."""
    form = await typed(request)
    try:
        await assignment.assign_by_hand(kit, case_id, _appointment(form), Edit(caller.staff_id, form[FIELD]))
    except (Invalid, Stale) as refusal:
        view = await reading.read_case(kit, case_id)
        wish = {name: form.get(name, "") for name in ("judge_id", "panel", "clerk_name")}
        return await _case_page(request, kit, view, refusal, wish=wish)
    return RedirectResponse(f"/cases/{case_id}?done=assigned", 303)


def _appointment(form: Typed) -> Appointment:
    reader = Reader(form)
    panel, clerk_name = reader.may("panel", line), reader.may("clerk_name", line)
    try:
        judge_id = UUID(form.get("judge_id", ""))
    except ValueError:
        raise Invalid([Fault("judge_id", "请从名单中选择承办法官。"), *reader.faults]) from None
    if reader.faults:
        raise Invalid(reader.faults)
    return Appointment(judge_id, panel, clerk_name)
