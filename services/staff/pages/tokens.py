"""访问令牌: tokens for other systems, made, listed and taken back."""

from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.staff.schemas import ApiTokenInput, HandedKit
from services.staff.usecases import tokens
from services.staff.usecases.kit import StaffKit
from shared.clock import SystemClock
from shared.errors import Refusal
from shared.http.auth import Caller
from shared.http.forms import faults_in, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.powers import ACTION_WORDS, Action
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.staff")
_MACHINE = SystemClock()


@routes.get("/staff/tokens", Action.STAFF_READ)
async def token_page(request: Request, kit: HandedKit, caller: CurrentCaller, *, revoked: bool = False) -> Response:
    """One's tokens, and a form for one more."""
    return await _page(request, kit, caller, revoked=revoked)


@routes.post("/staff/tokens", Action.STAFF_READ)
async def make_token(request: Request, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Make one; the answer shows its secret, this once."""
    form = await typed(request, "scopes")
    try:
        made = await tokens.make(kit, caller, understood(ApiTokenInput, form).asked())
    except Refusal as refusal:
        return await _page(request, kit, caller, refusal, form=form)
    return await _page(request, kit, caller, made=made)


@routes.post("/staff/tokens/{token_id}/revoke", Action.STAFF_READ)
async def revoke_token(token_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Take one back."""
    await tokens.revoke(kit, caller, token_id)
    return RedirectResponse("/staff/tokens?revoked=1", 303)


async def _page(
    request: Request, kit: StaffKit, caller: Caller, refusal: Refusal | None = None, **shown: Any
) -> Response:
    context = {
        "made": None,
        "revoked": False,
        "form": {},
        **shown,
        "tokens": await tokens.listed(kit, caller),
        "offered": [(action.value, ACTION_WORDS[action]) for action in tokens.offered(caller)],
        "words": ACTION_WORDS,
        "now": _MACHINE.now(),
        "faults": faults_in(refusal) if refusal else {},
    }
    return pages.page(request, "tokens.html", refusal.status if refusal else 200, **context)
