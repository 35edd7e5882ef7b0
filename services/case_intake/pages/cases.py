"""The list of cases and the one page of a case, with the assignment."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from sqlalchemy import Row
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.case_intake.domain.texts import Reader, line
from services.case_intake.settings import IntakeKit
from services.case_intake.store.cases import SORTING, Wanted
from services.case_intake.usecases import assignment, looking, reading
from services.case_intake.usecases.assignment import Appointment
from services.case_intake.usecases.reading import CaseView
from shared.contracts.cases import PartyRole
from shared.errors import Fault, Invalid
from shared.http import exports
from shared.http.auth import caller_of
from shared.http.forms import Typed, faults_in, refused, typed
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD, Difference, Stale
from shared.powers import Action
from shared.runtime.service import kit_of
from shared.web.lists import ListAddress
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
class Asked:
    """A list's filters, order and place as they stand in the URL."""

    q: Annotated[str, Query(max_length=60)] = ""
    state: Annotated[str, Query(max_length=20)] = ""
    sort: Annotated[str, Query(max_length=20)] = ""
    cursor: Annotated[str, Query(max_length=2000)] = ""


@routes.get("/cases", Action.CASES_READ)
async def case_list(
    request: Request,
    kit: AnyKit,
    asked: Annotated[Asked, Depends()],
    export: exports.Kind | None = None,
) -> Response:
    """Cases, newest filing first unless sorted otherwise; with `export` the same list as a file."""
    wanted = Wanted(asked.q.strip(), asked.state if asked.state in STATES else "", SORTING.chosen(asked.sort))
    if export:
        return await _case_file(kit, wanted, export)
    views, after = await reading.list_cases(kit, replace(wanted, cursor=asked.cursor or None))
    chosen = {"q": wanted.number, "state": wanted.state}
    return pages.page(
        request,
        "cases.html",
        cases=views,
        counts=await reading.count_states(kit),
        states=STATES,
        at=ListAddress("/cases", chosen, wanted.sort, SORTING.default, asked.cursor),
        next=after,
        roles=PartyRole,
    )


async def _case_file(kit: IntakeKit, wanted: Wanted, kind: exports.Kind) -> Response:
    portions = partial(_portion, kit, replace(wanted, limit=exports.PORTION))
    return await exports.export(kind, "案件", _HEADS, (_line(view) async for view in exports.all_rows(portions)))


async def _portion(kit: IntakeKit, wanted: Wanted, cursor: str | None) -> tuple[list[CaseView], str | None]:
    return await reading.list_cases(kit, replace(wanted, cursor=cursor))


_HEADS = (
    "案号",
    "立案日期",
    "案由",
    "申请执行人",
    "被执行人",
    "执行标的（元）",
    "承办法官",
    "合议庭",
    "书记员",
    "状态",
)


def _line(case: CaseView) -> exports.Line:
    applicants, respondents = ("、".join(case.names(role)) for role in PartyRole)
    judge = case.judge.name if case.judge else None
    states = "、".join(STATES[state] for state in case.states)
    facts = (case.case_number, case.filed_on, case.cause, applicants, respondents, case.claim_amount)
    return (*facts, judge, case.panel, case.clerk_name, states)


@routes.get("/cases/{reference}", Action.CASES_READ)
async def case_page(
    request: Request, reference: str, kit: AnyKit, caller: CurrentCaller, tab: str = "timeline", done: str = ""
) -> HTMLResponse:
    """A case whole, its parties masked."""
    view = await reading.read_case(kit, reference)
    return await _case_page(request, kit, view, tab=_tab(caller, tab), done=DONE.get(done, ""))


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
        "tabs": TABS,
        "judges": await reading.list_judges(kit),
        **refused(refusal),
    }
    if isinstance(refusal, Stale):
        given["stale"] = _named(refusal, given["judges"])
    status = shown.pop("status", refusal.status if refusal else 200)
    return pages.page(request, "case.html", status, case=view, labels=LABELS, **{**given, **shown})


def _named(stale: Stale, judges: Sequence[Row[Any]]) -> Stale:
    """With the judges' names in place of their ids."""
    names = {str(judge.staff_id): judge.name for judge in judges}
    named = (
        Difference(each.field, names.get(each.mine, each.mine), names.get(each.theirs, each.theirs))
        for each in stale.differences
    )
    return Stale(stale.version, tuple(named))


def _tab(caller: CurrentCaller, tab: str) -> str:
    return tab if tab in TABS and caller.can(TABS[tab][2]) else "timeline"


@routes.edit("/cases/{case_id}/assignment", Action.CASES_ASSIGN)
async def assign(request: Request, case_id: UUID, kit: AnyKit, caller: CurrentCaller) -> Response:
    """Give the case to a judge."""
    form = await typed(request)
    try:
        await assignment.assign_by_hand(kit, case_id, _appointment(form), caller.staff_id, form[FIELD])
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
