"""待核实发送: what lies before a person, with the evidence; what may have come twice; receipts that nobody can read.

A disowned contact is one of these: it stays silent until somebody has verified it.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.party_notification.pages import words
from services.party_notification.pages.common import TheKit, pages, staff
from services.party_notification.schemas import ReadingForm, RulingInput
from services.party_notification.store import troubles
from services.party_notification.store.troubles import Wanted
from services.party_notification.usecases import confirming, deciding, history, overview, readings, receipts
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.history import Trouble
from services.party_notification.usecases.receipts import FaultyReceipt
from services.party_notification.usecases.views import DisownedView, ReadingView, TwiceView
from shared.db.lists import Part
from shared.errors import Invalid
from shared.http.auth import Caller
from shared.http.forms import faults_in, typed, understood
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import FIRST, Column, Filter, Listing, Place

R = TypeVar("R")
_NUMBER = Filter("q", "案号", hint="案号，或其中的数字")
_CHANNEL = Filter("channel", "方式", {name: words.channel(name) for name in ("sms", "mail")})


@dataclass(frozen=True)
class OfAny:
    """No filter stands in the URL."""

    def wanted(self) -> Wanted:
        """For the store."""
        return troubles.EVERY


@dataclass(frozen=True)
class OfCase(OfAny):
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
DISOWNED = Listing[DisownedView](
    path="/unknown/contacts",
    name="被否认的联系方式",
    sorting=troubles.DISOWNED,
    columns=(
        Column("案号", lambda contact: contact.case_number, "number"),
        Column("方式", lambda contact: words.contact(contact.channel), "channel"),
        Column("地址", lambda contact: contact.address),
        Column("当事人", lambda contact: words.role(contact.recipient_role)),
        Column("被否认的时间", lambda contact: contact.disowned_at, "since"),
        Column("现状", lambda contact: contact.held or words.SUPPRESSED),
    ),
    filters=(_NUMBER, _CHANNEL),
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


@dataclass(frozen=True)
class Tab(Generic[R]):
    """One tab: its list, its name, which count it shows, its template, its rows, and its filters in the URL."""

    listing: Listing[R]
    word: str
    count: str
    template: str
    rows: Callable[[NotificationKit, Wanted, Part], Awaitable[tuple[Sequence[R], str | None]]]
    chosen: type[OfAny]


async def _faulty(kit: NotificationKit, _wanted: Wanted, part: Part) -> tuple[list[FaultyReceipt], str | None]:
    return await receipts.faulty(kit, part)


WAITS = Tab(WAITING, "待核实的发送", "waiting", "unknown.html", history.waiting, OfChannel)
DOUBTED = Tab(READINGS, "待核实的阅读", "readings", "unknown_readings.html", readings.doubtful, OfCase)
CONTACTS = Tab(DISOWNED, "被否认的联系方式", "disowned", "unknown_contacts.html", overview.disowned, OfChannel)
TABS: tuple[Tab[Any], ...] = (
    WAITS,
    DOUBTED,
    CONTACTS,
    Tab(TWICE, "可能重复", "twice", "unknown_twice.html", overview.twice, OfChannel),
    Tab(RECEIPTS, "无法识别的回执", "receipts", "unknown_receipts.html", _faulty, OfAny),
)


def _declare(tab: Tab[Any]) -> None:
    @staff.get(tab.listing.path, Action.NOTICES_READ)
    async def look(
        request: Request,
        kit: TheKit,
        caller: CurrentCaller,
        chosen: Annotated[OfAny, Depends(tab.chosen)],
        place: Annotated[Place, Depends()],
        *,
        done: bool = False,
    ) -> Response:
        """What the tab lists; with `export` all of it as a file."""
        if place.export:
            rows_of = partial(tab.rows, kit, _within(chosen, caller))
            return await export(kit, caller, tab.listing.asked(place, chosen), rows_of)
        return await _page(request, kit, caller, tab, (place, chosen), done=done)


def _within(chosen: OfAny, caller: Caller) -> Wanted:
    return replace(chosen.wanted(), reach=caller.reach(Action.NOTICES_READ))


for each in TABS:
    _declare(each)


async def _page(
    request: Request,
    kit: NotificationKit,
    caller: Caller,
    tab: Tab[Any],
    at: tuple[Place, OfAny] | None = None,
    status: int = 200,
    **shown: Any,
) -> HTMLResponse:
    place, chosen = at or (FIRST, tab.chosen())
    found = await tab.listing.asked(place, chosen).shown(partial(tab.rows, kit, _within(chosen, caller)))
    given = {"done": False, "form": {}, "faults": {}, "faulty": None, **shown}
    counts = await history.counts(kit, caller)
    tabs = [(each.listing.path, each.word, each.listing.path, getattr(counts, each.count)) for each in TABS]
    return pages.page(request, tab.template, status, shown=found, tabs=tabs, **given)


@staff.post("/unknown/{delivery_id}", Action.NOTICES_DECIDE)
async def decide(request: Request, delivery_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Carry out the officer's decision."""
    form = await typed(request)
    named = {name: form.get(f"{name}-{delivery_id}", "") for name in RulingInput.model_fields}
    try:
        given = understood(RulingInput, named)
    except Invalid as refusal:
        faults = {f"{name}-{delivery_id}": reason for name, reason in faults_in(refusal).items()}
        return await _page(request, kit, caller, WAITS, status=422, form=form, faults=faults, faulty=delivery_id)
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
        return await _page(request, kit, caller, DOUBTED, status=422, form=form, faults=faults, faulty=reading_id)
    await readings.decide(kit, reading_id, own=given.own == "yes", remark=given.remark, caller=caller)
    return RedirectResponse("/unknown/readings?done=1", 303)


@staff.post("/unknown/contacts/{doubt_id}", Action.NOTICES_DECIDE)
async def judge_contact(request: Request, doubt_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Whether a disowned contact is the party's own."""
    form = await typed(request)
    named = {name: form.get(f"{name}-{doubt_id}", "") for name in ReadingForm.model_fields}
    try:
        given = understood(ReadingForm, named)
    except Invalid as refusal:
        faults = {f"{name}-{doubt_id}": reason for name, reason in faults_in(refusal).items()}
        return await _page(request, kit, caller, CONTACTS, status=422, form=form, faults=faults, faulty=doubt_id)
    await confirming.decide(kit, doubt_id, own=given.own == "yes", remark=given.remark, caller=caller)
    return RedirectResponse("/unknown/contacts?done=1", 303)
