"""进程: the board of all cases by urgency; filters and cursor stand in the URL."""

from dataclasses import asdict, dataclass
from functools import partial
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import Response

from services.stage_tracking.domain.stages import MILESTONE_TITLES, PERIOD_TITLES
from services.stage_tracking.pages.common import EmptyIsNone, KitHere, link, pages, routes
from services.stage_tracking.settings import StageKit
from services.stage_tracking.store.board import SORTING, Filter
from services.stage_tracking.usecases.reading import BoardRow, board_head, board_page, wanted
from shared.clock import court_date
from shared.contracts.case_kinds import DeadlineKind
from shared.contracts.stages import Period
from shared.http import exports
from shared.powers import Action
from shared.web.lists import ListAddress


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
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    sort: Annotated[str, Query(max_length=20)] = "",
    export: exports.Kind | None = None,
) -> Response:
    """Fifty cases a page, those whose clock ends first on top; with `export` the whole list as a file."""
    order = SORTING.chosen(sort)
    filtered = wanted(kit, chosen.state, chosen.period, chosen.judge, chosen.q or None, order)
    if export:
        rows_of = partial(_portion, kit, filtered)
        return await exports.export(export, "案件进程", _HEADS, (_line(row) async for row in exports.all_rows(rows_of)))
    rows, after = await board_page(kit, filtered, cursor, 50)
    return pages.page(
        request,
        "board.html",
        rows=rows,
        head=await board_head(kit, chosen.judge),
        chosen=chosen,
        at=ListAddress("/stages", asdict(chosen), order, SORTING.default, cursor),
        next=after,
        only=lambda name: link("/stages", {"judge": chosen.judge, "state": name}),
    )


_HEADS = ("案号", "案由", "立案日期", "阶段", "已完成节点", "承办法官", "合议庭", "最近期限", "到期日", "结案日期")


async def _portion(kit: StageKit, filtered: Filter, cursor: str | None) -> tuple[list[BoardRow], str | None]:
    return await board_page(kit, filtered, cursor, exports.PORTION)


def _line(row: BoardRow) -> exports.Line:
    case = row.case
    reached = "、".join(MILESTONE_TITLES[each.milestone] for each in row.milestones if each.actual_on)
    clock = DeadlineKind(case.next_kind).label if case.next_kind else None
    period = PERIOD_TITLES[case.period] if case.period else None
    facts = (case.number, case.cause, case.filed_on, period, reached, case.judge_name, case.panel)
    return (*facts, clock, case.next_due_at and court_date(case.next_due_at), case.closed_on)
