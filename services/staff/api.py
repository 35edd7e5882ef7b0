"""The JSON routes: people, and tokens for scripts."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from services.staff.schemas import (
    AddedMember,
    CourtAnswer,
    CourtChangeAnswer,
    CourtChanges,
    CourtDataInput,
    HandedKit,
    InitialPassword,
    MemberAnswer,
    MemberChange,
    Members,
    NewMember,
    PasswordChange,
    SignIn,
    Token,
)
from services.staff.usecases import court, members, sessions
from services.staff.usecases.locks import Place
from shared.contracts.staff import ChangeState
from shared.db.transaction import new_id
from shared.http.limits import DOOR, source
from shared.http.routes import PUBLIC, CurrentCaller, Routes, Zone
from shared.http.versions import IfMatch, seen_by, tag
from shared.powers import Action

routes = Routes(Zone.STAFF)


@routes.post("/api/staff/sign-in", PUBLIC, limit=DOOR)
async def sign_in(body: SignIn, request: Request, kit: HandedKit) -> Token:
    """A token for a script; whoever holds an initial password names a new one along with it."""
    return Token(token=await sessions.token_for_script(kit, body.credentials(), Place(source(request))))


@routes.get("/api/staff/me", Action.STAFF_READ)
async def me(kit: HandedKit, caller: CurrentCaller) -> MemberAnswer:
    """Who calls, as the court knows them now."""
    return MemberAnswer.of(kit, await members.member(kit, caller.staff_id))


@routes.get("/api/staff/members", Action.STAFF_READ)
async def list_members(
    kit: HandedKit, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = members.PAGE
) -> Members:
    """Everybody who works or worked here, in the order in which they were added."""
    items, following = await members.member_page(kit, cursor, limit)
    return Members(items=[MemberAnswer.of(kit, item) for item in items], next=following)


@routes.post("/api/staff/members", Action.STAFF_MANAGE, status_code=201)
async def add_member(body: NewMember, kit: HandedKit) -> AddedMember:
    """Add somebody. The initial password is in this answer alone."""
    member = body.member(new_id(), kit.court.code)
    return AddedMember(member=MemberAnswer.of(kit, member), initial_password=await members.add_member(kit, member))


@routes.patch("/api/staff/members/{staff_id}", Action.STAFF_MANAGE)
async def change_member(
    staff_id: UUID, body: MemberChange, kit: HandedKit, response: Response, if_match: IfMatch = None
) -> MemberAnswer:
    """Change somebody's post, name or telephone, or bar them from signing in."""
    seen = seen_by(if_match, body.version)
    answer = MemberAnswer.of(kit, await members.change_member(kit, staff_id, body.changes(), seen))
    tag(response, answer.version)
    return answer


@routes.post("/api/staff/members/{staff_id}/password", Action.STAFF_MANAGE)
async def reset_password(staff_id: UUID, kit: HandedKit) -> InitialPassword:
    """A new initial password for somebody who forgot theirs."""
    return InitialPassword(initial_password=await members.reset_password(kit, staff_id))


@routes.get("/api/staff/court", Action.COURT_READ)
async def court_data(kit: HandedKit, response: Response) -> CourtAnswer:
    """The court's account and telephones, and the change that waits for a second person."""
    view = await court.look(kit)
    tag(response, view.version)
    return CourtAnswer.model_validate(view)


@routes.get("/api/staff/court/changes", Action.COURT_READ)
async def court_changes(
    kit: HandedKit, cursor: UUID | None = None, limit: Annotated[int, Query(ge=1, le=200)] = court.PAGE
) -> CourtChanges:
    """Every change that was asked for, newest first: who, when, what held and what was to hold."""
    items, following = await court.history(kit, cursor, limit)
    return CourtChanges(items=list(map(CourtChangeAnswer.model_validate, items)), next=following)


@routes.post("/api/staff/court/changes", Action.COURT_PROPOSE, status_code=201)
async def propose_change(
    body: CourtDataInput, kit: HandedKit, caller: CurrentCaller, if_match: IfMatch = None
) -> CourtChangeAnswer:
    """Ask for a change; it holds once another person has confirmed it."""
    proposal = body.proposal(seen_by(if_match, body.version))
    return CourtChangeAnswer.model_validate(await court.propose(kit, caller, proposal))


@routes.post("/api/staff/court/changes/{change_id}/confirm", Action.COURT_CONFIRM)
async def confirm_change(change_id: UUID, kit: HandedKit, caller: CurrentCaller) -> CourtChangeAnswer:
    """Confirm what another has proposed: it holds from now on."""
    return CourtChangeAnswer.model_validate(await court.decide(kit, caller, change_id, ChangeState.CONFIRMED))


@routes.post("/api/staff/court/changes/{change_id}/reject", Action.COURT_CONFIRM)
async def reject_change(change_id: UUID, kit: HandedKit, caller: CurrentCaller) -> CourtChangeAnswer:
    """Leave everything as it is."""
    return CourtChangeAnswer.model_validate(await court.decide(kit, caller, change_id, ChangeState.REJECTED))


@routes.post("/api/staff/court/changes/{change_id}/withdraw", Action.COURT_PROPOSE)
async def withdraw_change(change_id: UUID, kit: HandedKit, caller: CurrentCaller) -> CourtChangeAnswer:
    """Take one's own proposal back."""
    return CourtChangeAnswer.model_validate(await court.decide(kit, caller, change_id, ChangeState.WITHDRAWN))


@routes.post("/api/staff/password", Action.STAFF_READ, status_code=204)
async def change_password(body: PasswordChange, request: Request, kit: HandedKit, caller: CurrentCaller) -> None:
    """Replace one's own password; it ends every session that the old one opened."""
    await sessions.change_password(kit, caller, body.old, body.new, Place(source(request)))
