"""纸质送达: what is to be printed, posted, and came back signed or returned."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from services.party_notification.pages.common import PRINT_CSP, TheKit, pages, staff
from services.party_notification.pages.notices import link
from services.party_notification.pages.words import PAPER_STATES
from services.party_notification.schemas import PaperInput
from services.party_notification.usecases import deciding, paperwork
from services.party_notification.usecases.facts import NotificationKit
from shared.errors import Invalid
from shared.http.auth import caller_of
from shared.http.forms import Typed, faults_in, typed, understood
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.web.pages import asset

_DONE = {"posted": "已登记寄出。", "served": "已登记签收，送达效力随之记录。", "returned": "已登记退回。"}


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[str, Query(max_length=20)] = ""
    q: Annotated[str, Query(max_length=60)] = ""
    cursor: Annotated[str, Query(max_length=100)] = ""


@staff.get("/paper", Action.PAPER_WORK)
async def worklist(
    request: Request,
    kit: TheKit,
    chosen: Annotated[Chosen, Depends()],
    done: Annotated[str, Query(max_length=20)] = "",
) -> HTMLResponse:
    """The entries of one state, oldest first."""
    return await _worklist(request, kit, chosen, done=_DONE.get(done, ""))


async def _worklist(
    request: Request, kit: NotificationKit, wanted: Chosen, status: int = 200, **shown: Any
) -> HTMLResponse:
    chosen, q = wanted.state if wanted.state in PAPER_STATES else "to_print", wanted.q
    found = await paperwork.worklist(kit, await caller_of(request), chosen, q, wanted.cursor)
    given: dict[str, Any] = {"done": "", "form": {}, "faults": {}, "faulty": None}
    return pages.page(
        request,
        "paper.html",
        status,
        found=found,
        state=chosen,
        q=q.strip(),
        first=link("/paper", state=chosen, q=q) if wanted.cursor else "",
        next=link("/paper", state=chosen, q=q, cursor=found.next) if found.next else "",
        **{**given, **shown},
    )


@staff.post("/paper/{paper_id}", Action.PAPER_WORK)
async def record(request: Request, paper_id: UUID, kit: TheKit, caller: CurrentCaller) -> Response:
    """Record posting, signature or return; then the list that it was done from."""
    form = await typed(request)
    chosen = Chosen(str(form.get("state", "")), str(form.get("q", "")))
    try:
        given = understood(PaperInput, _fields(form, paper_id))
        await deciding.record_paper(kit, paper_id, given.act, given.on, given.tracking, caller)
    except Invalid as refusal:
        faults = {f"{name}-{paper_id}" if name else "": reason for name, reason in faults_in(refusal).items()}
        return await _worklist(request, kit, chosen, 422, form=form, faults=faults, faulty=(paper_id, form.get("act")))
    return RedirectResponse(link("/paper", state=chosen.state, q=chosen.q, done=given.act.value), 303)


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
