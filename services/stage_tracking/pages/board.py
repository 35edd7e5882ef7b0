"""进程: the board of all cases by urgency; filters and cursor stand in the URL."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse

from services.stage_tracking.domain.cursor import read_cursor
from services.stage_tracking.pages.common import EmptyIsNone, KitHere, link, pages, routes
from services.stage_tracking.usecases.reading import board_head, board_page, wanted
from shared.contracts.stages import Period
from shared.powers import Action


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[Literal["late", "soon", "unassigned"] | None, EmptyIsNone] = None
    period: Annotated[Period | None, EmptyIsNone] = None
    judge: Annotated[UUID | None, EmptyIsNone] = None
    q: Annotated[str, Query(max_length=60)] = ""


@routes.get("/stages", Action.STAGES_READ)
async def stage_board(
    request: Request,
    kit: KitHere,
    chosen: Annotated[Chosen, Depends()],
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> HTMLResponse:
    """Fifty cases a page, those whose clock ends first on top."""
    filtered = wanted(kit, chosen.state, chosen.period, chosen.judge, chosen.q or None)
    rows, after = await board_page(kit, filtered, read_cursor(cursor), 50)
    return pages.page(
        request,
        "board.html",
        rows=rows,
        head=await board_head(kit, chosen.judge),
        chosen=chosen,
        first=link("/stages", asdict(chosen)) if cursor else None,
        next=None if after is None else link("/stages", asdict(chosen), cursor=after),
        only=lambda name: link("/stages", {"judge": chosen.judge, "state": name}),
    )
