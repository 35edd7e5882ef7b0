"""Cases, parties and assignment as JSON."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query, Response

from services.case_intake.domain.filing import read_filing
from services.case_intake.schemas.cases import (
    AssignmentInput,
    CaseAnswer,
    CaseInput,
    CaseLine,
    CaseList,
    CasePatch,
    FiledCase,
    LookInput,
    PartyInput,
    PartyPatch,
    case_answer,
)
from services.case_intake.settings import IntakeKit
from services.case_intake.store.cases import Wanted
from services.case_intake.usecases import assignment, filing, looking, parties, reading
from services.case_intake.usecases.assignment import Appointment
from services.case_intake.usecases.filing import Act, Doubt, Once
from shared.clock import court_date
from shared.db.answers import fingerprint
from shared.db.lists import Part
from shared.http.routes import CurrentCaller, IdempotencyKey, Routes, Zone
from shared.http.versions import IfMatch, edit_by, tag
from shared.powers import Action
from shared.runtime.service import kit_of

routes = Routes(Zone.STAFF)
AnyKit = Annotated[IntakeKit, Depends(kit_of)]
Sort = Literal["filed", "-filed", "number", "-number", "cause", "-cause", "amount", "-amount", "judge", "-judge"]
State = Literal["incomplete", "unassigned", "assigned", "closed", "archived"]


@routes.post("/api/cases", Action.CASES_FILE, name="file a case", status_code=201)
async def file_case(body: CaseInput, kit: AnyKit, caller: CurrentCaller, key: IdempotencyKey = None) -> FiledCase:
    """Put a case on file."""
    parties_given = [party.texts() for party in body.parties]
    filed = read_filing(body.texts(), parties_given, kit.court.code, court_date(kit.clock.now()))
    once = Once(key, fingerprint(body)) if key else None
    # Whoever names each request with a key of its own repeats none by mistake.
    confirmed = frozenset(body.confirmed) | ({Doubt.FILED_ALREADY} if key else set())
    act = Act(caller.staff_id, body.assign, confirmed=confirmed)
    return FiledCase.model_validate(await filing.file_case(kit, filed, act, once))


@routes.get("/api/cases", Action.CASES_READ, name="list cases")
async def list_cases(
    kit: AnyKit,
    q: Annotated[str, Query(max_length=60, description="案号的开头或其中一段")] = "",
    state: State | None = None,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    sort: Annotated[Sort, Query(description="排序；前加减号为倒序")] = "-filed",
) -> CaseList:
    """Cases, newest filing first unless asked otherwise."""
    views, after = await reading.list_cases(kit, Wanted(q.strip(), state or ""), Part(sort, cursor, limit))
    return CaseList(items=[CaseLine.model_validate(view) for view in views], next=after)


@routes.get("/api/cases/{case_number}", Action.CASES_READ, name="read a case")
async def read_case(case_number: str, kit: AnyKit, response: Response) -> CaseAnswer:
    """A case by its number or id, with its parties, masked. The ETag is the version of the case's own facts."""
    return await _answer(kit, case_number, response)


async def _answer(kit: IntakeKit, case: UUID | str, response: Response) -> CaseAnswer:
    view = await reading.read_case(kit, case)
    tag(response, view.version)
    return case_answer(view)


@routes.post("/api/cases/{case_number}/looks", Action.CASES_LOOK, name="look at the parties")
async def look_at_parties(case_number: str, body: LookInput, kit: AnyKit, caller: CurrentCaller) -> CaseAnswer:
    """A case with its parties' full particulars. The look is kept; a reason is due where the case is not one's own."""
    return case_answer(await looking.look(kit, case_number, caller, body.reason))


@routes.patch("/api/cases/{case_id}", Action.CASES_CORRECT, name="correct a case")
async def correct_case(
    case_id: UUID, body: CasePatch, kit: AnyKit, caller: CurrentCaller, response: Response, if_match: IfMatch = None
) -> CaseAnswer:
    """Complete or correct a case's facts."""
    await filing.correct_case(kit, case_id, body.texts(), edit_by(caller, if_match, body.version))
    return await _answer(kit, case_id, response)


@routes.post("/api/cases/{case_id}/parties", Action.CASES_FILE, name="add a party", status_code=201)
async def add_party(case_id: UUID, body: PartyInput, kit: AnyKit, key: IdempotencyKey = None) -> CaseAnswer:
    """Register a further party."""
    once = Once(key, fingerprint(body)) if key else None
    await parties.add_party(kit, case_id, body.texts(), once)
    return case_answer(await reading.read_case(kit, case_id))


@routes.patch("/api/cases/{case_id}/parties/{party_id}", Action.CASES_CORRECT, name="change a party")
async def change_party(
    case_id: UUID, party_id: UUID, body: PartyPatch, kit: AnyKit, caller: CurrentCaller, if_match: IfMatch = None
) -> CaseAnswer:
    """Change a party's particulars; its version stands beside them."""
    await parties.change_party(kit, case_id, party_id, body.texts(), edit_by(caller, if_match, body.version))
    return case_answer(await reading.read_case(kit, case_id))


@routes.post("/api/cases/{case_id}/parties/{party_id}/misfiled", Action.CASES_CORRECT, name="mark a party misfiled")
async def mark_misfiled(case_id: UUID, party_id: UUID, kit: AnyKit, caller: CurrentCaller) -> CaseAnswer:
    """The party was registered by mistake: it counts no more, and whoever was told in its name is told so."""
    await parties.mark_misfiled(kit, case_id, party_id, caller.staff_id)
    return case_answer(await reading.read_case(kit, case_id))


@routes.post("/api/cases/{case_id}/assignment", Action.CASES_ASSIGN, name="assign a case")
async def assign_case(
    case_id: UUID, body: AssignmentInput, kit: AnyKit, caller: CurrentCaller, if_match: IfMatch = None
) -> CaseAnswer:
    """Give a case to a judge; the version is that of the assignment, `assignment_version`."""
    wish = Appointment(body.judge_id, body.panel, body.clerk_name)
    await assignment.assign_by_hand(kit, case_id, wish, edit_by(caller, if_match, body.version))
    return case_answer(await reading.read_case(kit, case_id))
