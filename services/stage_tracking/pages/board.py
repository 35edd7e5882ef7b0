"""进程: the board of all cases by urgency; filters and cursor stand in the URL."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import Response

from services.stage_tracking.domain.stages import MILESTONE_TITLES, PERIOD_TITLES
from services.stage_tracking.pages.common import EmptyIsNone, KitHere, link, pages, routes
from services.stage_tracking.store.board import SORTING
from services.stage_tracking.usecases.reading import BoardRow, board_head, board_page, wanted
from shared.clock import court_date
from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.stages import Period
from shared.http.exports import Cell
from shared.http.routes import CurrentCaller
from shared.powers import Action
from shared.runtime.lists import export
from shared.web.lists import Column, Filter, Listing, Place


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[Literal["late", "soon", "unassigned"] | None, EmptyIsNone] = None
    period: Annotated[Period | None, EmptyIsNone] = None
    judge: Annotated[UUID | None, EmptyIsNone] = None
    q: Annotated[str, Query(max_length=60)] = ""


def _period(row: BoardRow) -> Cell:
    return PERIOD_TITLES[row.case.period] if row.case.period else None


def _reached(row: BoardRow) -> Cell:
    return "、".join(MILESTONE_TITLES[each.milestone] for each in row.milestones if each.actual_on)


def _clock(row: BoardRow) -> Cell:
    return DeadlineKind(row.case.next_kind).label if row.case.next_kind else None


def _due_on(row: BoardRow) -> Cell:
    return court_date(row.case.next_due_at) if row.case.next_due_at else None


BOARD = Listing[BoardRow](
    path="/stages",
    name="案件进程",
    unit="件",
    sorting=SORTING,
    columns=(
        Column("案号", lambda row: row.case.number, "number"),
        Column("案由", lambda row: row.case.cause, filed=True),
        Column("立案日期", lambda row: row.case.filed_on, filed=True),
        Column("阶段", _period, "period"),
        Column("节点"),
        Column("已完成节点", _reached, filed=True),
        Column("承办法官", lambda row: row.case.judge_name, "judge"),
        Column("合议庭", lambda row: row.case.panel, filed=True),
        Column("最近期限", _clock),
        Column("剩余时间", sort="due"),
        Column("到期日", _due_on, filed=True),
        Column("结案日期", lambda row: row.case.closed_on, filed=True),
    ),
    filters=(
        Filter("q", "案号", hint="案号，或其中的数字"),
        Filter("state", "期限", {"late": "已超期", "soon": "七日内到期", "unassigned": "尚未分案"}),
        Filter("period", "阶段", {period.value: title for period, title in PERIOD_TITLES.items()}),
        Filter("judge", "承办法官", {}),
    ),
)


@routes.get("/stages", Action.STAGES_READ)
async def stage_board(
    request: Request,
    kit: KitHere,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """Fifty cases a page, those whose clock ends first on top; with `export` the whole list as a file."""
    head = await board_head(kit, chosen.judge)
    asked = BOARD.asked(place, chosen, {"judge": {str(each.judge_id): each.judge_name for each in head.judges}})
    rows_of = partial(board_page, kit, wanted(kit, chosen.state, chosen.period, chosen.judge, chosen.q or None))
    if place.export:
        return await export(kit, caller, asked, rows_of)
    return pages.page(
        request,
        "board.html",
        shown=await asked.shown(rows_of),
        head=head,
        only=lambda name: link("/stages", {"judge": chosen.judge, "state": name}),
    )
