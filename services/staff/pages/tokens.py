"""访问令牌: tokens for other systems, made, listed and taken back."""

from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain.doors import ApiToken
from services.staff.schemas import ApiTokenInput, HandedKit
from services.staff.store.tokens import SORTING
from services.staff.usecases import tokens
from services.staff.usecases.kit import StaffKit
from shared.clock import SystemClock
from shared.errors import Refusal
from shared.http.auth import Caller
from shared.http.forms import faults_in, once, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import ACTION_WORDS, Action
from shared.runtime.lists import export
from shared.web.lists import FIRST, Column, Filter, Listing, Place
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.staff")
_MACHINE = SystemClock()


STATES = {"good": "有效", "ended": "已到期", "revoked": "已撤销"}


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    state: Annotated[str, Query(max_length=20)] = ""


def state_of(token: ApiToken) -> str:
    """Whether a token is good, has ended, or was revoked, in words."""
    if token.revoked_at:
        return STATES["revoked"]
    return STATES["ended" if token.ends_at <= _MACHINE.now() else "good"]


_ALL = Chosen()
TOKENS = Listing[ApiToken](
    path="/staff/tokens",
    name="访问令牌",
    unit="个",
    sorting=SORTING,
    columns=(
        Column("用途", lambda token: token.name, "name"),
        Column("责任人", lambda token: token.owner, "owner"),
        Column("范围", lambda token: "、".join(ACTION_WORDS[scope] for scope in token.scopes)),
        Column("建立时间", lambda token: token.made_at, "made"),
        Column("到期", lambda token: token.ends_at, "ends"),
        Column("最近使用", lambda token: token.last_used_at, "used"),
        Column("状态", state_of),
    ),
    filters=(Filter("state", "状态", STATES),),
)


@routes.get("/staff/tokens", Action.STAFF_OWN)
async def token_page(
    request: Request,
    kit: HandedKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
    *,
    revoked: bool = False,
) -> Response:
    """One's tokens, and a form for one more; with `export` the list as a file."""
    if place.export:
        return await export(kit, caller, TOKENS.asked(place, chosen), partial(tokens.page, kit, caller, chosen.state))
    return await _page(request, kit, caller, chosen=chosen, place=place, revoked=revoked)


@routes.post("/staff/tokens", Action.STAFF_OWN)
async def make_token(request: Request, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Make one; the answer shows its secret, this once."""
    form = await typed(request, "scopes")
    try:
        made = await tokens.make(kit, caller, understood(ApiTokenInput, form).asked(), await once(request))
    except Refusal as refusal:
        return await _page(request, kit, caller, refusal, form=form)
    return await _page(request, kit, caller, made=made)


@routes.post("/staff/tokens/{token_id}/revoke", Action.STAFF_OWN)
async def revoke_token(token_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Take one back."""
    await tokens.revoke(kit, caller, token_id)
    return RedirectResponse("/staff/tokens?revoked=1", 303)


async def _page(
    request: Request,
    kit: StaffKit,
    caller: Caller,
    refusal: Refusal | None = None,
    chosen: Chosen = _ALL,
    place: Place = FIRST,
    **shown: Any,
) -> Response:
    context = {
        "made": None,
        "revoked": False,
        "form": {},
        **shown,
        "shown": await TOKENS.asked(place, chosen).shown(partial(tokens.page, kit, caller, chosen.state)),
        "state_of": state_of,
        "offered": [(action.value, ACTION_WORDS[action]) for action in tokens.offered(caller)],
        "words": ACTION_WORDS,
        "faults": faults_in(refusal) if refusal else {},
    }
    return pages.page(request, "tokens.html", refusal.status if refusal else 200, **context)
