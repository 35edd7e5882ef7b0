"""JSON routes below /api/stages."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query

from services.stage_tracking.schemas.acts import ActInput, DoneInput
from services.stage_tracking.schemas.cases import BoardOut, BoardPage, CaseOut, TaskOut, TaskPage
from services.stage_tracking.schemas.log import ActOut, EntryOut, LogOut
from services.stage_tracking.schemas.looks import LookPage, LooksAsked
from services.stage_tracking.settings import StageKit
from services.stage_tracking.usecases import acts, looks, reading, tasks
from shared.contracts.stages import Period
from shared.db.answers import fingerprint
from shared.db.lists import Part
from shared.http.inputs import Line
from shared.http.routes import CurrentCaller, IdempotencyKey, Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of

routes = Routes(Zone.STAFF)

KitHere = Annotated[StageKit, Depends(kit_of)]
Limit = Annotated[int, Query(ge=1, le=200)]
CursorText = Annotated[str | None, Query(max_length=2000)]
State = Literal["late", "soon", "unassigned"]


@routes.get("/api/stages", Action.STAGES_READ, name="cases by urgency")
async def list_cases(
    kit: KitHere,
    state: State | None = None,
    period: Period | None = None,
    judge: UUID | None = None,
    cursor: CursorText = None,
    limit: Limit = 50,
) -> BoardPage:
    """The cases whose nearest clock ends first; those without a running clock come last."""
    rows, after = await reading.board_page(
        kit, reading.wanted(kit, state, period, judge), Part(cursor=cursor, limit=limit)
    )
    return BoardPage(items=[BoardOut.of(row) for row in rows], next=after)


@routes.get("/api/stages/tasks", Action.STAGES_READ, name="my tasks")
async def list_tasks(kit: KitHere, caller: CurrentCaller, cursor: CursorText = None, limit: Limit = 50) -> TaskPage:
    """The caller's open tasks and those of their roles, late first."""
    found, after = await tasks.task_page(kit, tasks.mine(kit, caller), Part(cursor=cursor, limit=limit))
    return TaskPage(items=[TaskOut.of(task) for task in found], next=after)


@routes.post("/api/stages/tasks/{task_id}/done", Action.STAGES_READ, name="finish a task")
async def finish_task(task_id: UUID, body: DoneInput, kit: KitHere, caller: CurrentCaller) -> TaskOut:
    """Only its owner finishes a task; the log keeps the note."""
    return TaskOut.of(await tasks.finish(kit, caller, task_id, body.note))


@routes.get("/api/looks", Action.LOOKS_READ, name="looks at personal data")
async def list_looks(
    kit: KitHere,
    asked: Annotated[LooksAsked, Depends()],
    cursor: CursorText = None,
    limit: Limit = 50,
) -> LookPage:
    """Who looked at personal data, when and why, newest first: for those who supervise."""
    found, after = await looks.look_page(kit, asked.wanted(), Part(cursor=cursor, limit=limit))
    return LookPage(items=found, next=after)


@routes.get("/api/stages/{case_number}", Action.STAGES_READ, name="a case's stages")
async def get_case(case_number: Line, kit: KitHere) -> CaseOut:
    """By case number or id."""
    return CaseOut.of(await reading.case_view(kit, case_number))


@routes.get("/api/stages/{case_number}/log", Action.LOG_READ, name="the enforcement log")
async def get_log(
    case_number: Line,
    kit: KitHere,
    caller: CurrentCaller,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Limit = 100,
) -> LogOut:
    """Entries beyond position `cursor`, a signed proof of them, and on the first page whether the whole chain holds."""
    await reading.refuse_beyond(kit, caller, case_number)
    return LogOut.of(kit, await reading.log_page(kit, case_number, cursor, limit))


@routes.post("/api/stages/{case_number}/acts", Action.STAGES_ACT, name="record an act", status_code=201)
async def post_act(
    case_number: Line, body: ActInput, kit: KitHere, caller: CurrentCaller, key: IdempotencyKey = None
) -> ActOut:
    """Work, a milestone, the entry into a period, a limit made longer. Paths of faults begin with the kind."""
    used = None if key is None else (key, fingerprint(body))
    entry = EntryOut.of(await acts.act(kit, caller, case_number, body.act(), used))
    return ActOut(entry=entry, published=entry.published)
