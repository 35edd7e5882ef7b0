"""The administrator's pages: who works here, adding somebody, changing somebody."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain import DEPARTMENTS, Member
from services.staff.schemas import HandedKit, MemberForm, NewMember
from services.staff.usecases import members
from services.staff.usecases.kit import StaffKit
from shared.db.transaction import new_id
from shared.errors import Refusal
from shared.http.forms import Typed, refused, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD
from shared.powers import POSTS, Action, Role
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.staff")

_ROLES = [(role.value, POSTS[role].title, POSTS[role].department) for role in Role]
_LABELS = {
    "name": "姓名",
    "phone": "办公电话",
    "department": "部门",
    "panel": "合议庭",
    "roles": "岗位",
    "active": "状态",
}
_BLANK: Typed = {"login": "", "name": "", "phone": "", "department": "", "panel": "", "roles": []}


@routes.get("/staff", Action.STAFF_MANAGE)
async def member_list(request: Request, kit: HandedKit, cursor: UUID | None = None) -> Response:
    """Everybody, and a form for one more."""
    return await _list(request, kit, cursor=cursor)


@routes.post("/staff", Action.STAFF_MANAGE)
async def add_member(request: Request, kit: HandedKit) -> Response:
    """Add somebody; the answer shows the initial password, this once."""
    form = await typed(request, "roles")
    try:
        added = understood(NewMember, form).member(new_id(), kit.court.code)
        password = await members.add_member(kit, added)
    except Refusal as refusal:
        return await _list(request, kit, refusal, form=_BLANK | form)
    return await _list(request, kit, added=added, password=password)


@routes.get("/staff/{staff_id}", Action.STAFF_MANAGE)
async def member_page(request: Request, staff_id: UUID, kit: HandedKit, *, saved: bool = False) -> Response:
    """One member, to be changed."""
    return _one(request, kit, await members.member(kit, staff_id), saved=saved)


@routes.edit("/staff/{staff_id}", Action.STAFF_MANAGE)
async def change_member(request: Request, staff_id: UUID, kit: HandedKit) -> Response:
    """Keep the changes."""
    form = await typed(request, "roles")
    before = await members.member(kit, staff_id)
    try:
        changes = dict(understood(MemberForm, form))
        await members.change_member(kit, staff_id, changes, changes.pop(FIELD))
    except Refusal as refusal:
        shown = _BLANK | form | {"active": "active" in form}
        return _one(request, kit, before, refusal, form=shown, version=form[FIELD])
    return RedirectResponse(f"/staff/{staff_id}?saved=1", 303)


@routes.post("/staff/{staff_id}/password", Action.STAFF_MANAGE)
async def reset_password(request: Request, staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Show a new initial password, this once."""
    password = await members.reset_password(kit, staff_id, caller.staff_id)
    return _one(request, kit, await members.member(kit, staff_id), password=password)


async def _list(
    request: Request, kit: StaffKit, refusal: Refusal | None = None, cursor: UUID | None = None, **shown: Any
) -> Response:
    items, following = await members.member_page(kit, cursor)
    context = {"added": None, "form": _BLANK, **shown, "members": items, "next": following, "first": cursor is None}
    return _page(request, kit, "staff.html", refusal, context)


def _one(request: Request, kit: StaffKit, member: Member, refusal: Refusal | None = None, **shown: Any) -> Response:
    version = members.member_state(kit, member).version
    context = {"form": member, "saved": False, "password": "", "version": version, **shown, "member": member}
    return _page(request, kit, "member.html", refusal, context)


def _page(request: Request, kit: StaffKit, template: str, refusal: Refusal | None, context: dict[str, Any]) -> Response:
    choices = {"departments": _options(DEPARTMENTS), "panels": _options(kit.settings.panels), "roles": _ROLES}
    status = refusal.status if refusal else 200
    return pages.page(request, template, status, **refused(refusal), labels=_LABELS, **choices, **context)


def _options(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]
