"""查看记录: who looked at personal data, when and why; filters and cursor stand in the URL."""

from dataclasses import asdict
from typing import Annotated

from fastapi import Depends, Query, Request
from starlette.responses import HTMLResponse

from services.stage_tracking.pages.common import KitHere, link, pages, routes
from services.stage_tracking.schemas import LooksAsked
from services.stage_tracking.usecases.looks import SEEN, look_page
from shared.powers import Action


@routes.get("/looks", Action.LOOKS_READ)
async def looks(
    request: Request,
    kit: KitHere,
    chosen: Annotated[LooksAsked, Depends()],
    cursor: Annotated[str | None, Query(max_length=200)] = None,
) -> HTMLResponse:
    """Fifty looks a page, newest first."""
    found, after = await look_page(kit, chosen.wanted(), cursor, 50)
    return pages.page(
        request,
        "looks.html",
        looks=found,
        kinds=list(SEEN.items()),
        chosen=chosen,
        filtered=any(asdict(chosen).values()),
        first=link("/looks", asdict(chosen)) if cursor else "",
        next="" if after is None else link("/looks", asdict(chosen), cursor=after),
    )
