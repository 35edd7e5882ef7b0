"""The one search of the staff pages. It is posted, so that names and ID numbers stand in no address and no history."""

from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.responses import HTMLResponse

from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.search import MOST_FOUND, Results, search_cases
from shared.contracts.cases import PartyRole
from shared.http.forms import typed
from shared.http.routes import Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.case_intake")
AnyKit = Annotated[IntakeKit, Depends(kit_of)]

BY = {"case_number": "案号", "name": "姓名或名称", "phone": "手机号码", "id_number": "证件号码"}
STATES = {"unassigned": "待分案", "assigned": "已分案", "closed": "已结案", "archived": "已归档"}
ROLES = {PartyRole.APPLICANT: "申请执行人", PartyRole.RESPONDENT: "被执行人"}


@routes.get("/search", Action.CASES_SEARCH)
async def empty_search(request: Request) -> HTMLResponse:
    """Where one may also begin, and where a reload leads."""
    return _page(request, "", None)


@routes.post("/search", Action.CASES_SEARCH)
async def search(request: Request, kit: AnyKit) -> HTMLResponse:
    """The cases that fit what was typed."""
    sought = str((await typed(request)).get("q", ""))[:200]
    return _page(request, sought, await search_cases(kit, sought) if sought.strip() else None)


def _page(request: Request, sought: str, found: Results | None) -> HTMLResponse:
    words: dict[str, Any] = {"by": BY, "states": STATES, "roles": ROLES, "most": MOST_FOUND}
    return pages.page(request, "search.html", sought=sought, found=found, **words)
