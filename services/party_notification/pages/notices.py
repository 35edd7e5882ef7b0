"""通知: the list, one notice whole, and what stands on a case's page about its notices."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from services.party_notification.domain.notices import Kind
from services.party_notification.pages import words
from services.party_notification.pages.common import TheKit, letter_answer, pages, staff
from services.party_notification.schemas import ReturnedForm
from services.party_notification.store.notices import SORTING
from services.party_notification.usecases import deciding, evidence, history, overview, paperwork, reissuing
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.views import NoticeView
from shared.crypto.codes import grouped
from shared.errors import Invalid
from shared.http.auth import Caller
from shared.http.forms import faults_in, once, typed, understood
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import Column, Filter, Listing, Place


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[str, Query(max_length=20)] = ""
    kind: Annotated[str, Query(max_length=40)] = ""
    q: Annotated[str, Query(max_length=60)] = ""


def _standing(notice: NoticeView) -> str:
    waits = f"：{words.waits(notice)}" if notice.state == "waiting" else ""
    return words.standing(notice)[1] + ("，可能重复" if words.possibly_twice(notice) else "") + waits


NOTICES = Listing[NoticeView](
    path="/notices",
    name="通知",
    unit="份",
    sorting=SORTING,
    columns=(
        Column("案号", lambda notice: notice.case_number, "number"),
        Column("通知", lambda notice: notice.title, "kind"),
        Column("编号", lambda notice: grouped(notice.number), filed=True),
        Column("收件人", lambda notice: words.role(notice.recipient_role), "role"),
        Column("状态", _standing),
        Column("送达方式", lambda notice: words.way(notice.way)),
        Column("制作时间", lambda notice: notice.issued_at, "issued"),
        Column("送达日期", lambda notice: notice.legal_effect.served_on, "served"),
        Column("送达依据", lambda notice: words.served_by(notice.legal_effect.served_by), filed=True),
    ),
    filters=(
        Filter("q", "案号", hint="如（2026）渝05执，或其中的数字"),
        Filter("kind", "通知", {kind.value: kind.label for kind in Kind}),
        Filter("state", "状态", words.NOTICE_STATES, shown=False),
    ),
)


@staff.get("/notices", Action.NOTICES_READ)
async def notice_list(
    request: Request,
    kit: TheKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """Fifty a page, newest first unless sorted otherwise; with `export` all of them as a file."""
    asked = NOTICES.asked(place, chosen)
    wanted = overview.Asked(chosen.state or None, chosen.q.strip(), kind=chosen.kind)
    rows_of = partial(overview.listed, kit, caller, wanted)
    if place.export:
        return await export(kit, caller, asked, rows_of)
    counts = await overview.count_states(kit, caller)
    return pages.page(request, "notice_list.html", shown=await asked.shown(rows_of), counts=counts)


@staff.get("/notices/cases/{case_id}", Action.NOTICES_READ)
async def notices_of_case(request: Request, case_id: UUID, kit: TheKit, caller: CurrentCaller) -> HTMLResponse:
    """The notices of a case by recipient, for the case's page."""
    return pages.page(request, "_case_notices.html", of_case=await history.of_case(kit, case_id, caller))


@staff.get("/notices/{notice_id}", Action.NOTICES_READ)
async def one_notice(request: Request, notice_id: UUID, kit: TheKit, caller: CurrentCaller) -> HTMLResponse:
    """A notice with its history and legal effect."""
    return await _one_notice(request, kit, caller, notice_id)


async def _one_notice(
    request: Request, kit: NotificationKit, caller: Caller, notice_id: UUID, status: int = 200, **shown: Any
) -> HTMLResponse:
    given: dict[str, Any] = {"form": {}, "faults": {}, "faulty": None}
    view = await history.of_notice(kit, notice_id, caller)
    return pages.page(
        request,
        "notice.html",
        status,
        notice=view.notice,
        steps=view.steps,
        misfiled=view.misfiled,
        **{**given, **shown},
    )


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
        return await _one_notice(request, kit, caller, notice_id, 422, **shown)
    await deciding.rule(kit, delivery_id, deciding.Ruling.ON_PAPER, given.remark, caller)
    return RedirectResponse(f"/notices/{notice_id}", 303)


@staff.post("/notices/{notice_id}/paper", Action.NOTICES_DECIDE)
async def post_anew(request: Request, notice_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """The letter goes on paper, too, on the party's request."""
    form = await typed(request)
    try:
        given = understood(ReturnedForm, form)
    except Invalid as refusal:
        shown = {"form": form, "faults": faults_in(refusal), "faulty": notice_id}
        return await _one_notice(request, kit, caller, notice_id, 422, **shown)
    await reissuing.post_anew(kit, notice_id, given.remark, caller, await once(request))
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
