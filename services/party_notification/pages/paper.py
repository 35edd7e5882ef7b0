"""纸质送达: what is to be printed, posted, and came back signed or returned."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.party_notification.pages import words
from services.party_notification.pages.common import PRINT_CSP, TheKit, pages, staff
from services.party_notification.schemas import PaperInput
from services.party_notification.store.paper import SORTING
from services.party_notification.usecases import deciding, paperwork
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.paperwork import Entry
from shared.errors import Invalid
from shared.http.auth import Caller, caller_of
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.formats import cn_time
from shared.web.lists import FIRST, Asked, Column, Filter, Listing, Place, Rows
from shared.web.pages import asset

_DONE = {"posted": "已登记寄出。", "served": "已登记签收，送达效力随之记录。", "returned": "已登记退回。"}


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[str, Query(max_length=20)] = ""
    q: Annotated[str, Query(max_length=60)] = ""

    def wanted(self) -> "Chosen":
        """The same; what is to be printed where no state is named."""
        return replace(self, state=self.state or "to_print", q=self.q.strip())


def _printed(entry: Entry) -> str:
    return "、".join(f"{each.by}（{cn_time(each.at)}）" for each in entry.printings)


PAPER = Listing[Entry](
    path="/paper",
    name="纸质送达",
    unit="份",
    sorting=SORTING,
    columns=(
        Column("案号", lambda entry: entry.paper.case_number, "number"),
        Column("收件人", lambda entry: entry.addressee),
        Column("当事人地位", lambda entry: words.role(entry.paper.recipient_role), "role"),
        Column("地址", lambda entry: entry.address),
        Column("电话", lambda entry: entry.phone),
        Column("文书", lambda entry: "、".join(sheet.title for sheet in entry.sheets)),
        Column("原因", lambda entry: entry.paper.reason),
        Column("状态", lambda entry: words.PAPER_STATES[entry.paper.state]),
        Column("列入时间", lambda entry: entry.paper.created_at, "created"),
        Column("打印", _printed),
        Column("寄出时间", lambda entry: entry.posted_at, "posted"),
        Column("邮件编号", lambda entry: entry.paper.tracking),
        Column("签收日期", lambda entry: entry.paper.served_on, "served"),
    ),
    filters=(
        Filter("q", "案号或邮件编号"),
        Filter("state", "状态", words.PAPER_STATES, shown=False),
    ),
)


@staff.get("/paper", Action.PAPER_WORK)
async def worklist(
    request: Request,
    kit: TheKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
    done: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    """The entries of one state, oldest first unless sorted otherwise; with `export` all of them as a file."""
    asked = PAPER.asked(place, chosen.wanted())
    if place.export:
        return await export(kit, caller, asked, _rows_of(kit, caller, asked))
    return await _worklist(request, kit, asked, done=_DONE.get(done, ""))


def _rows_of(kit: NotificationKit, caller: Caller, asked: Asked[Entry]) -> Rows[Entry]:
    return partial(paperwork.worklist, kit, caller, asked.chosen["state"], asked.chosen["q"])


async def _worklist(
    request: Request, kit: NotificationKit, asked: Asked[Entry], status: int = 200, **shown: Any
) -> HTMLResponse:
    rows_of = _rows_of(kit, await caller_of(request), asked)
    given: dict[str, Any] = {"done": "", "form": {}, "faults": {}, "faulty": None}
    return pages.page(
        request,
        "paper.html",
        status,
        shown=await asked.shown(rows_of),
        counts=await paperwork.counts(kit),
        state=asked.chosen["state"],
        q=asked.chosen["q"],
        **{**given, **shown},
    )


@staff.post("/paper/{paper_id}", Action.PAPER_WORK)
async def record(request: Request, paper_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Record posting, signature or return; then the list that it was done from."""
    form = await typed(request)
    asked = PAPER.asked(FIRST, Chosen(str(form.get("state", "")), str(form.get("q", ""))).wanted())
    try:
        given = understood(PaperInput, _fields(form, paper_id))
        await deciding.record_paper(kit, paper_id, given.act, given.on, given.tracking, caller)
    except Invalid as refusal:
        faults = {f"{name}-{paper_id}" if name else "": reason for name, reason in faults_in(refusal).items()}
        return await _worklist(request, kit, asked, 422, form=form, faults=faults, faulty=(paper_id, form.get("act")))
    return RedirectResponse(asked.address.link(done=given.act.value), 303)


def _fields(form: Typed, paper_id: UUID) -> Typed:
    """The body of this entry's form: its names carry the entry's id, since the page holds many such forms."""
    named = {name.removesuffix(f"-{paper_id}"): value for name, value in form.items()}
    return {name: named[name] for name in PaperInput.model_fields if name in named}


@staff.post("/paper/{paper_id}/look", Action.PAPER_WORK)
async def look(request: Request, paper_id: UUID, kit: TheKit, caller: CurrentCaller) -> HTMLResponse:
    """Address and telephone of an entry's addressee in full; the look is kept."""
    found = await paperwork.addressee(kit, paper_id, caller)
    return pages.page(request, "addressee.html", found=found, paper_id=paper_id)


@staff.post("/paper/{paper_id}/print", Action.PAPER_WORK)
async def print_all(paper_id: UUID, kit: TheKit, caller: CurrentCaller) -> HTMLResponse:
    """All letters of an entry as one document with their query codes, and the printer's dialog: a recorded act."""
    script = f'<script src="{asset("print-now.js")}" defer></script></head>'
    document = (await paperwork.print_document(kit, paper_id, caller)).replace("</head>", script, 1)
    return HTMLResponse(document, headers={"Content-Security-Policy": PRINT_CSP, "Cache-Control": "no-store"})
