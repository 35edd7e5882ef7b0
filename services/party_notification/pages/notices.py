"""通知: the list, one notice whole, and what stands on a case's page about its notices."""

from typing import Annotated, Any
from urllib.parse import quote, urlencode
from uuid import UUID

from fastapi import Query, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from services.party_notification.pages.common import TheKit, letter_answer, pages, staff
from services.party_notification.pages.words import NOTICE_STATES
from services.party_notification.schemas import ReturnedForm
from services.party_notification.usecases import deciding, evidence, history, overview, paperwork, reissuing
from services.party_notification.usecases.facts import NotificationKit
from shared.errors import Invalid
from shared.http.forms import faults_in, typed, understood
from shared.http.routes import CurrentCaller
from shared.powers import Action


@staff.get("/notices", Action.NOTICES_READ)
async def notice_list(
    request: Request,
    kit: TheKit,
    state: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=60)] = "",
    cursor: Annotated[str, Query(max_length=100)] = "",
) -> HTMLResponse:
    """Fifty a page, newest first."""
    chosen = state if state in NOTICE_STATES else ""
    found = await overview.listed(kit, overview.Asked(chosen or None, q), cursor, overview.LIMIT)
    return pages.page(
        request,
        "notice_list.html",
        notices=found.items,
        counts=await overview.count_states(kit),
        state=chosen,
        q=q.strip(),
        first=link("/notices", state=chosen, q=q) if cursor else "",
        next=link("/notices", state=chosen, q=q, cursor=found.next) if found.next else "",
        link=link,
    )


def link(path: str, **chosen: str | None) -> str:
    """The path with the filters that are set."""
    query = {name: value for name, value in chosen.items() if value}
    return f"{path}?{urlencode(query)}" if query else path


@staff.get("/notices/cases/{case_id}", Action.NOTICES_READ)
async def notices_of_case(request: Request, case_id: UUID, kit: TheKit) -> HTMLResponse:
    """The notices of a case by recipient, for the case's page."""
    return pages.page(request, "_case_notices.html", of_case=await history.of_case(kit, case_id))


@staff.get("/notices/{notice_id}", Action.NOTICES_READ)
async def one_notice(request: Request, notice_id: UUID, kit: TheKit) -> HTMLResponse:
    """A notice with its history and legal effect."""
    return await _one_notice(request, kit, notice_id)


async def _one_notice(
    request: Request, kit: NotificationKit, notice_id: UUID, status: int = 200, **shown: Any
) -> HTMLResponse:
    given: dict[str, Any] = {"form": {}, "faults": {}, "faulty": None}
    view = await history.of_notice(kit, notice_id)
    return pages.page(request, "notice.html", status, notice=view.notice, steps=view.steps, **{**given, **shown})


@staff.post("/notices/{notice_id}/deliveries/{delivery_id}/returned", Action.NOTICES_DECIDE)
async def mail_returned(
    request: Request, notice_id: UUID, delivery_id: UUID, kit: TheKit, caller: CurrentCaller
) -> Response:
    """A mail did not arrive after all: its service is taken back, and its letters go on paper."""
    form = await typed(request)
    try:
        given = understood(ReturnedForm, form)
    except Invalid as refusal:
        shown = {"form": form, "faults": faults_in(refusal), "faulty": delivery_id}
        return await _one_notice(request, kit, notice_id, 422, **shown)
    await deciding.rule(kit, delivery_id, deciding.Ruling.ON_PAPER, given.remark, caller)
    return RedirectResponse(f"/notices/{notice_id}", 303)


@staff.post("/notices/{notice_id}/paper", Action.NOTICES_DECIDE)
async def post_anew(request: Request, notice_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """The letter goes on paper, too, on the party's request."""
    form = await typed(request)
    try:
        given = understood(ReturnedForm, form)
    except Invalid as refusal:
        return await _one_notice(request, kit, notice_id, 422, form=form, faults=faults_in(refusal), faulty=notice_id)
    await reissuing.post_anew(kit, notice_id, given.remark, caller)
    return RedirectResponse(f"/notices/{notice_id}", 303)


@staff.get("/notices/{notice_id}/letter", Action.NOTICES_READ)
async def letter(notice_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """The letter without its query code."""
    return letter_answer(await paperwork.letter(kit, notice_id, caller))


@staff.get("/notices/{notice_id}/evidence", Action.NOTICES_READ)
async def evidence_file(notice_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """The signed evidence as a file."""
    bundle = await evidence.bundle(kit, notice_id, caller)
    name = quote(f"送达证据{notice_id}.json")
    return JSONResponse(bundle, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{name}"})
