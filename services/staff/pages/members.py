"""The administrator's pages: who works here, adding somebody, changing somebody."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Query, Request
from starlette.responses import RedirectResponse, Response

from services.staff.domain.factor import must_have_one
from services.staff.domain.people import DEPARTMENTS, Member
from services.staff.schemas import HandedKit, MemberForm, NewMember
from services.staff.store.people import SORTING, Wanted
from services.staff.usecases import members
from services.staff.usecases.kit import StaffKit
from shared.db.transaction import new_id
from shared.errors import Refusal
from shared.http.forms import Typed, refused, typed, understood
from shared.http.routes import CurrentCaller, Routes, Zone
from shared.http.versions import FIELD, Edit
from shared.powers import POSTS, Action, Role
from shared.runtime.lists import export
from shared.web.lists import FIRST, Column, Filter, Listing, Place
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


@dataclass(frozen=True)
class Chosen:
    """The filters as they stand in the URL."""

    department: Annotated[str, Query(max_length=20)] = ""
    role: Annotated[str, Query(max_length=20)] = ""
    state: Annotated[str, Query(max_length=20)] = ""

    def wanted(self) -> Wanted:
        """For the store."""
        return Wanted(self.department, self.role, None if not self.state else self.state == "active")


_ALL = Chosen()
MEMBERS = Listing[Member](
    path="/staff",
    name="人员",
    unit="人",
    sorting=SORTING,
    columns=(
        Column("姓名", lambda one: one.name, "name"),
        Column("登录名", lambda one: one.login, "login"),
        Column("部门", lambda one: one.department, "department"),
        Column("合议庭", lambda one: one.panel, "panel"),
        Column("岗位", lambda one: one.title),
        Column("待确认岗位", lambda one: one.waiting_title, filed=True),
        Column("办公电话", lambda one: one.phone),
        Column("状态", lambda one: "在岗" if one.active else "已停用"),
    ),
    filters=(
        Filter("department", "部门", {name: name for name in DEPARTMENTS}),
        Filter("role", "岗位", {role.value: POSTS[role].title for role in Role}),
        Filter("state", "状态", {"active": "在岗", "off": "已停用"}),
    ),
)


@routes.get("/staff", Action.STAFF_MANAGE)
async def member_list(
    request: Request,
    kit: HandedKit,
    caller: CurrentCaller,
    chosen: Annotated[Chosen, Depends()],
    place: Annotated[Place, Depends()],
) -> Response:
    """Everybody, and a form for one more; with `export` the list as a file."""
    if place.export:
        rows_of = partial(members.member_page, kit, chosen.wanted())
        return await export(kit, caller, MEMBERS.asked(place, chosen), rows_of)
    return await _list(request, kit, chosen=chosen, place=place)


@routes.post("/staff", Action.STAFF_MANAGE)
async def add_member(request: Request, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Add somebody; the answer shows the initial password, this once."""
    form = await typed(request, "roles")
    try:
        wanted = understood(NewMember, form).member(new_id(), kit.court.code)
        added, told = await members.add_member(kit, wanted, caller.staff_id)
    except Refusal as refusal:
        return await _list(request, kit, refusal, form=_BLANK | form)
    return await _list(request, kit, added=added, password=told.password, enrolment_code=told.enrolment_code)


@routes.get("/staff/{staff_id}", Action.STAFF_MANAGE)
async def member_page(request: Request, staff_id: UUID, kit: HandedKit, *, saved: bool = False) -> Response:
    """One member, to be changed."""
    return await _one(request, kit, await members.member(kit, staff_id), saved=saved)


@routes.edit("/staff/{staff_id}", Action.STAFF_MANAGE)
async def change_member(request: Request, staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Keep the changes."""
    form = await typed(request, "roles")
    before = await members.member(kit, staff_id)
    try:
        changes = dict(understood(MemberForm, form))
        edit = Edit(caller.staff_id, changes.pop(FIELD))
        await members.change_member(kit, staff_id, changes, edit)
    except Refusal as refusal:
        shown = _BLANK | form | {"active": "active" in form}
        return await _one(request, kit, before, refusal, form=shown, version=form[FIELD])
    return RedirectResponse(f"/staff/{staff_id}?saved=1", 303)


@routes.post("/staff/{staff_id}/password", Action.STAFF_MANAGE)
async def reset_password(request: Request, staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Show a new initial password, this once."""
    password = await members.reset_password(kit, staff_id, caller.staff_id)
    return await _one(request, kit, await members.member(kit, staff_id), password=password)


@routes.post("/staff/{staff_id}/factor", Action.STAFF_MANAGE)
async def reset_factor(request: Request, staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Take a lost second factor away."""
    code = await members.reset_factor(kit, staff_id, caller.staff_id)
    return await _one(request, kit, await members.member(kit, staff_id), factor_reset=True, enrolment_code=code)


@routes.post("/staff/{staff_id}/enrolment-code", Action.STAFF_MANAGE)
async def hand_out_code(request: Request, staff_id: UUID, kit: HandedKit, caller: CurrentCaller) -> Response:
    """Show a code for the first enrolment, this once."""
    code = await members.hand_out_code(kit, staff_id, caller.staff_id)
    return await _one(request, kit, await members.member(kit, staff_id), enrolment_code=code)


async def _list(
    request: Request,
    kit: StaffKit,
    refusal: Refusal | None = None,
    chosen: Chosen = _ALL,
    place: Place = FIRST,
    **shown: Any,
) -> Response:
    found = await MEMBERS.asked(place, chosen).shown(partial(members.member_page, kit, chosen.wanted()))
    required = {one.id for one in found.rows if must_have_one(one)}
    lacking = required - await members.with_factor(kit, found.rows)
    context = {"added": None, "form": _BLANK, **shown, "shown": found, "lacking": lacking}
    return _page(request, kit, "staff.html", refusal, context)


async def _one(
    request: Request, kit: StaffKit, member: Member, refusal: Refusal | None = None, **shown: Any
) -> Response:
    version = members.member_version(kit, member)
    blank = {
        "form": replace(member, roles=member.given),
        "saved": False,
        "password": "",
        "version": version,
        "factor_reset": False,
        "enrolment_code": None,
    }
    has_factor = bool(await members.with_factor(kit, [member]))
    context = {**blank, **shown, "member": member, "has_factor": has_factor, "required": must_have_one(member)}
    return _page(request, kit, "member.html", refusal, context)


def _page(request: Request, kit: StaffKit, template: str, refusal: Refusal | None, context: dict[str, Any]) -> Response:
    choices = {"departments": _options(DEPARTMENTS), "panels": _options(kit.settings.panels), "roles": _ROLES}
    status = refusal.status if refusal else 200
    return pages.page(request, template, status, **refused(refusal), labels=_LABELS, **choices, **context)


def _options(words: Iterable[str]) -> list[tuple[str, str]]:
    return [(word, word) for word in words]
