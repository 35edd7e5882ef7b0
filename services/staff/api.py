"""The JSON routes: people, and tokens for scripts."""

from typing import Annotated
from uuid import UUID

from fastapi import Query, Request, Response

from services.staff.schemas import (
    AddedMember,
    ApiTokenAnswer,
    ApiTokenInput,
    ApiTokens,
    CourtAnswer,
    CourtChangeAnswer,
    CourtChanges,
    CourtDataInput,
    EnrolmentCode,
    HandedKit,
    InitialPassword,
    MadeApiTokenAnswer,
    MemberAnswer,
    MemberChange,
    Members,
    NewMember,
    PasswordChange,
    SignIn,
    Token,
)
from services.staff.store import people
from services.staff.usecases import court, members, sessions, tokens
from services.staff.usecases.locks import Place
from services.staff.usecases.presence import tell_presence
from shared.clock import SystemClock
from shared.contracts.staff import ChangeState
from shared.db.lists import PAGE, Part
from shared.db.transaction import new_id
from shared.http import sources
from shared.http.auth import bearer
from shared.http.limits import DOOR, source
from shared.http.routes import PUBLIC, CurrentCaller, Routes, Zone
from shared.http.versions import IfMatch, edit_by, tag
from shared.powers import Action

routes = Routes(Zone.STAFF)
CursorText = Annotated[str | None, Query(max_length=2000)]


@routes.post("/api/staff/sign-in", PUBLIC, limit=DOOR)
async def sign_in(request: Request, body: SignIn, kit: HandedKit) -> Token:
    """A token for a script; an initial password comes with a new one, and a `code` where there is a second factor."""
    member, token = await sessions.token_for_script(kit, body.credentials(), Place(source(request)))
    await tell_presence(kit, member, source(request), sources.device(request))
    return Token(token=token)


@routes.get("/api/staff/me", Action.STAFF_READ)
async def me(kit: HandedKit, caller: CurrentCaller) -> MemberAnswer:
    """Who calls, as the court knows them now."""
    return MemberAnswer.of(kit, await members.member(kit, caller.staff_id))


@routes.get("/api/staff/members", Action.STAFF_READ)
async def list_members(
    kit: HandedKit, cursor: CursorText = None, limit: Annotated[int, Query(ge=1, le=200)] = PAGE
) -> Members:
    """Everybody who works or worked here, in the order in which they were added."""
    items, following = await members.member_page(kit, people.Wanted(), Part(cursor=cursor, limit=limit))
    return Members(items=[MemberAnswer.of(kit, item) for item in items], next=following)


@routes.post("/api/staff/members", Action.STAFF_MANAGE, status_code=201)
async def add_member(body: NewMember, kit: HandedKit, caller: CurrentCaller) -> AddedMember:
    """Add somebody. The initial password and the enrolment code are in this answer alone.

    Posts that are `waiting` have to be confirmed by the integrity office.
    """
    added, told = await members.add_member(kit, body.member(new_id(), kit.court.code), caller.staff_id)
    shown = MemberAnswer.of(kit, added)
    return AddedMember(member=shown, initial_password=told.password, enrolment_code=told.enrolment_code)


@routes.patch("/api/staff/members/{staff_id}", Action.STAFF_MANAGE)
async def change_member(
    staff_id: UUID,
    body: MemberChange,
    kit: HandedKit,
    caller: CurrentCaller,
    response: Response,
    if_match: IfMatch = None,
) -> MemberAnswer:
    """Change somebody's post, name or telephone, or bar them from signing in."""
    edit = edit_by(caller, if_match, body.version)
    answer = MemberAnswer.of(kit, await members.change_member(kit, staff_id, body.changes(), edit))
    tag(response, answer.version)
    return answer


@routes.post("/api/staff/members/{staff_id}/password", Action.STAFF_MANAGE)
async def reset_password(staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> InitialPassword:
    """A new initial password for somebody who forgot theirs."""
    return InitialPassword(initial_password=await members.reset_password(kit, staff_id, caller.staff_id))


@routes.post("/api/staff/members/{staff_id}/enrolment-code", Action.STAFF_MANAGE)
async def hand_out_code(staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> EnrolmentCode:
    """A code by which somebody sets up the second factor that their posts need; one before is good no more."""
    return EnrolmentCode(enrolment_code=await members.hand_out_code(kit, staff_id, caller.staff_id))


@routes.delete("/api/staff/members/{staff_id}/factor", Action.STAFF_MANAGE, status_code=204)
async def reset_factor(staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> None:
    """Take away the second factor of somebody who lost their telephone and recovery codes; their sessions end."""
    await members.reset_factor(kit, staff_id, caller.staff_id)


@routes.get("/api/staff/court", Action.COURT_READ)
async def court_data(kit: HandedKit, response: Response) -> CourtAnswer:
    """The court's account and telephones, and the change that waits for a second person."""
    view = await court.look(kit)
    tag(response, view.version)
    return CourtAnswer.model_validate(view)


@routes.get("/api/staff/court/changes", Action.COURT_READ)
async def court_changes(
    kit: HandedKit, cursor: CursorText = None, limit: Annotated[int, Query(ge=1, le=200)] = PAGE
) -> CourtChanges:
    """Every change that was asked for, newest first: who, when, what held and what was to hold."""
    items, following = await court.history(kit, "", Part(cursor=cursor, limit=limit))
    return CourtChanges(items=list(map(CourtChangeAnswer.model_validate, items)), next=following)


@routes.post("/api/staff/court/changes", Action.COURT_PROPOSE, status_code=201)
async def propose_change(
    body: CourtDataInput, kit: HandedKit, caller: CurrentCaller, if_match: IfMatch = None
) -> CourtChangeAnswer:
    """Ask for a change; it holds once another person has confirmed it."""
    proposal = body.proposal(edit_by(caller, if_match, body.version))
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


@routes.get("/api/staff/tokens", Action.STAFF_READ)
async def list_tokens(kit: HandedKit, caller: CurrentCaller) -> ApiTokens:
    """The caller's tokens for other systems; everybody's for who watches over sign-in."""
    items, _ = await tokens.page(kit, caller, "", Part(limit=200))
    return ApiTokens(items=[ApiTokenAnswer.model_validate(token) for token in items])


@routes.post("/api/staff/tokens", Action.STAFF_OWN, status_code=201)
async def make_token(body: ApiTokenInput, kit: HandedKit, caller: CurrentCaller) -> MadeApiTokenAnswer:
    """A token for another system. Its secret is in this answer alone."""
    made = await tokens.make(kit, caller, body.asked())
    return MadeApiTokenAnswer(secret=made.secret, **ApiTokenAnswer.model_validate(made.token).model_dump())


@routes.delete("/api/staff/tokens/{token_id}", Action.STAFF_OWN, status_code=204)
async def revoke_token(token_id: UUID, kit: HandedKit, caller: CurrentCaller) -> None:
    """Take a token back: within seconds it is worth nothing anywhere."""
    await tokens.revoke(kit, caller, token_id)


@routes.post("/api/staff/tokens/exchange", PUBLIC)
async def exchange_token(request: Request, kit: HandedKit) -> Token:
    """For the secret of a token, sent as bearer, a signed token for a quarter of an hour that every service takes."""
    signed, ends = await tokens.exchange(kit, bearer(request) or "")
    return Token(token=signed, expires_in=max(0, int((ends - SystemClock().now()).total_seconds())))


@routes.post("/api/staff/sign-out-everywhere", Action.STAFF_OWN, status_code=204)
async def sign_out_everywhere(kit: HandedKit, caller: CurrentCaller) -> None:
    """End every session of the caller, and this token."""
    await sessions.sign_out_everywhere(kit, caller)


@routes.post("/api/staff/password", Action.STAFF_OWN, status_code=204)
async def change_password(body: PasswordChange, request: Request, kit: HandedKit, caller: CurrentCaller) -> None:
    """Replace one's own password; it ends every session that the old one opened."""
    await sessions.change_password(kit, caller, body.old, body.new, Place(source(request)))
