"""待核实发送: what lies before a person, with the evidence; what may have come twice; receipts that nobody can read."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.party_notification.pages import words
from services.party_notification.pages.common import TheKit, pages, staff
from services.party_notification.schemas import ReadingForm, RulingInput
from services.party_notification.store import troubles
from services.party_notification.store.troubles import Wanted
from services.party_notification.usecases import deciding, history, overview, readings, receipts
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.history import Trouble
from services.party_notification.usecases.receipts import FaultyReceipt
from services.party_notification.usecases.views import ReadingView, TwiceView
from shared.errors import Invalid
from shared.http.forms import faults_in, typed, understood
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import FIRST, Asked, Column, Filter, Listing, Place, Shown

_NUMBER = Filter("q", "案号", hint="案号，或其中的数字")
_CHANNEL = Filter("channel", "方式", {name: words.channel(name) for name in ("sms", "mail")})


@dataclass(frozen=True)
class OfCase:
    """A filter as it stands in the URL: a part of the case number."""

    q: Annotated[str, Query(max_length=60)] = ""

    def wanted(self) -> Wanted:
        """For the store."""
        return Wanted(self.q.strip())


@dataclass(frozen=True)
class OfChannel(OfCase):
    """And a channel."""

    channel: Annotated[str, Query(max_length=20)] = ""

    def wanted(self) -> Wanted:
        """For the store."""
        return Wanted(self.q.strip(), self.channel)


WAITING = Listing[Trouble](
    path="/unknown",
    name="待核实发送",
    sorting=troubles.WAITING,
    columns=(
        Column("案号", lambda trouble: trouble.delivery.case_number, "number"),
        Column("方式", lambda trouble: words.channel(trouble.delivery.channel), "channel"),
        Column("地址", lambda trouble: trouble.delivery.address),
        Column("通知", lambda trouble: "、".join(title for _, title in trouble.letters)),
        Column("原因", lambda trouble: trouble.delivery.reason),
        Column("列入发送时间", lambda trouble: trouble.delivery.planned_at, "planned"),
    ),
    filters=(_NUMBER, _CHANNEL),
)
READINGS = Listing[ReadingView](
    path="/unknown/readings",
    name="待核实的阅读",
    sorting=troubles.DOUBTFUL,
    columns=(
        Column("案号", lambda reading: reading.case_number, "number"),
        Column("通知", lambda reading: reading.title),
        Column("收件人", lambda reading: words.role(reading.recipient_role), "role"),
        Column("打开时间", lambda reading: reading.read_at, "read"),
        Column("疑点", lambda reading: reading.doubt),
        Column("在该处登录过的人员", lambda reading: "、".join(reading.signed_in_there)),
    ),
    filters=(_NUMBER,),
)
TWICE = Listing[TwiceView](
    path="/unknown/twice",
    name="可能重复的消息",
    sorting=troubles.TWICE,
    columns=(
        Column("案号", lambda message: message.case_number, "number"),
        Column("方式", lambda message: words.channel(message.channel), "channel"),
        Column("地址", lambda message: message.address),
        Column("时间", lambda message: message.created_at, "created"),
    ),
    filters=(_NUMBER, _CHANNEL),
)
RECEIPTS = Listing[FaultyReceipt](
    path="/unknown/receipts",
    name="无法识别的回执",
    sorting=troubles.FAULTY,
    columns=(
        Column("收到时间", lambda receipt: receipt.arrived_at, "arrived"),
        Column("问题", lambda receipt: receipt.fault, "fault"),
    ),
)
_FIRST_WAITING, _FIRST_READINGS = WAITING.asked(FIRST, OfChannel()), READINGS.asked(FIRST, OfCase())


@staff.get("/unknown", Action.NOTICES_READ)
async def unknown(
    request: Request,
    kit: TheKit,
    caller: CurrentCaller,
    chosen: Annotated[OfChannel, Depends()],
    place: Annotated[Place, Depends()],
    *,
    done: bool = False,
) -> Response:
    """Deliveries that wait for a decision, oldest first; with `export` all of them as a file."""
    asked, wanted = WAITING.asked(place, chosen), chosen.wanted()
    if place.export:
        return await export(kit, caller, asked, partial(history.waiting, kit, wanted))
    return await _waiting(request, kit, asked, wanted, done=done)


async def _waiting(
    request: Request,
    kit: NotificationKit,
    asked: Asked[Trouble] = _FIRST_WAITING,
    wanted: Wanted = troubles.EVERY,
    status: int = 200,
    **shown: Any,
) -> HTMLResponse:
    found = await asked.shown(partial(history.waiting, kit, wanted))
    return await _page(request, kit, "unknown.html", found, status, **shown)


@staff.get("/unknown/readings", Action.NOTICES_READ)
async def unknown_readings(
    request: Request,
    kit: TheKit,
    caller: CurrentCaller,
    chosen: Annotated[OfCase, Depends()],
    place: Annotated[Place, Depends()],
    *,
    done: bool = False,
) -> Response:
    """Readings that wait for a decision, oldest first; with `export` all of them as a file."""
    asked, wanted = READINGS.asked(place, chosen), chosen.wanted()
    if place.export:
        return await export(kit, caller, asked, partial(readings.doubtful, kit, wanted))
    return await _readings(request, kit, asked, wanted, done=done)


async def _readings(
    request: Request,
    kit: NotificationKit,
    asked: Asked[ReadingView] = _FIRST_READINGS,
    wanted: Wanted = troubles.EVERY,
    status: int = 200,
    **shown: Any,
) -> HTMLResponse:
    found = await asked.shown(partial(readings.doubtful, kit, wanted))
    return await _page(request, kit, "unknown_readings.html", found, status, **shown)


@staff.get("/unknown/twice", Action.NOTICES_READ)
async def perhaps_twice(
    request: Request,
    kit: TheKit,
    caller: CurrentCaller,
    chosen: Annotated[OfChannel, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """Messages that may have arrived more than once, newest first; with `export` all of them as a file."""
    asked, rows_of = TWICE.asked(place, chosen), partial(overview.twice, kit, chosen.wanted())
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return await _page(request, kit, "unknown_twice.html", await asked.shown(rows_of))


@staff.get("/unknown/receipts", Action.NOTICES_READ)
async def faulty_receipts(
    request: Request, kit: TheKit, caller: CurrentCaller, place: Annotated[Place, Depends()]
) -> Response:
    """Receipts that could not be read, newest first; with `export` all of them as a file."""
    asked, rows_of = RECEIPTS.asked(place), partial(receipts.faulty, kit)
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return await _page(request, kit, "unknown_receipts.html", await asked.shown(rows_of))


async def _page(
    request: Request, kit: NotificationKit, template: str, found: Shown[Any], status: int = 200, **shown: Any
) -> HTMLResponse:
    given = {"done": False, "form": {}, "faults": {}, "faulty": None, **shown}
    return pages.page(request, template, status, shown=found, counts=await history.counts(kit), **given)


@staff.post("/unknown/{delivery_id}", Action.NOTICES_DECIDE)
async def decide(request: Request, delivery_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Carry out the officer's decision."""
    form = await typed(request)
    named = {name: form.get(f"{name}-{delivery_id}", "") for name in RulingInput.model_fields}
    try:
        given = understood(RulingInput, named)
    except Invalid as refusal:
        faults = {f"{name}-{delivery_id}": reason for name, reason in faults_in(refusal).items()}
        return await _waiting(request, kit, status=422, form=form, faults=faults, faulty=delivery_id)
    await deciding.rule(kit, delivery_id, given.ruling, given.remark, caller)
    return RedirectResponse("/unknown?done=1", 303)


@staff.post("/unknown/readings/{reading_id}", Action.NOTICES_DECIDE)
async def judge_reading(request: Request, reading_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Whether a doubtful reading was the party's own."""
    form = await typed(request)
    named = {name: form.get(f"{name}-{reading_id}", "") for name in ReadingForm.model_fields}
    try:
        given = understood(ReadingForm, named)
    except Invalid as refusal:
        faults = {f"{name}-{reading_id}": reason for name, reason in faults_in(refusal).items()}
        return await _readings(request, kit, status=422, form=form, faults=faults, faulty=reading_id)
    await readings.decide(kit, reading_id, own=given.own == "yes", remark=given.remark, caller=caller)
    return RedirectResponse("/unknown/readings?done=1", 303)
