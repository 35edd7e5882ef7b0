"""查看记录: who looked at personal data, when and why."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import Response

from services.stage_tracking.pages.common import EmptyIsNone, KitHere, pages, routes
from services.stage_tracking.store.looks import SORTING, Wanted
from services.stage_tracking.usecases.looks import SEEN, Look, look_page, people
from shared.contracts.looks import Seen
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import Column, Filter, Listing, Place


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL. `by`: who looked; `foreign`: only in cases of others."""

    q: Annotated[str, Query(max_length=60)] = ""
    by: Annotated[UUID | None, EmptyIsNone] = None
    seen: Annotated[Seen | None, EmptyIsNone] = None
    foreign: Annotated[Literal["1"] | None, EmptyIsNone] = None

    def wanted(self) -> Wanted:
        """For the store."""
        return Wanted(self.q.strip(), by=self.by, seen=self.seen, foreign=self.foreign is not None)


LOOKS = Listing[Look](
    path="/looks",
    name="查看记录",
    sorting=SORTING,
    columns=(
        Column("查看时间", lambda look: look.looked_at, "at"),
        Column("查看人", lambda look: look.by_name, "by"),
        Column("查看内容", lambda look: look.title, "seen"),
        Column("案号", lambda look: look.case_number, "number"),
        Column("理由", lambda look: look.reason or ("本人承办的案件" if look.own else None)),
    ),
    filters=(
        Filter("q", "案号", hint="如（2026）渝05执，或其中的数字"),
        Filter("by", "查看人", {}),
        Filter("seen", "查看内容", {seen.value: word for seen, word in SEEN.items()}),
        Filter("foreign", "范围", {"1": "只看非承办案件"}),
    ),
)


@routes.get("/looks", Action.LOOKS_READ)
async def looks(
    request: Request,
    kit: KitHere,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """Fifty looks a page, newest first unless sorted otherwise; with `export` all of them as a file."""
    asked = LOOKS.asked(place, chosen, {"by": await people(kit)})
    rows_of = partial(look_page, kit, chosen.wanted())
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return pages.page(request, "looks.html", shown=await asked.shown(rows_of))
