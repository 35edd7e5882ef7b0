"""The one search as JSON."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.search import search_cases
from shared.contracts.cases import PartyRole
from shared.http.routes import Routes, Zone
from shared.powers import Action
from shared.runtime.service import kit_of

routes = Routes(Zone.STAFF)
AnyKit = Annotated[IntakeKit, Depends(kit_of)]


class FoundPartyAnswer(BaseModel):
    """A party of the case; the name is masked."""

    model_config = ConfigDict(from_attributes=True)

    name: str
    role: PartyRole
    fits: bool = Field(description="所查找的就是这名当事人")


class FoundAnswer(BaseModel):
    """A case that was found."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    case_number: str
    cause: str
    filed_on: date
    state: Literal["unassigned", "assigned", "closed", "archived"]
    judge: str | None
    by: Literal["case_number", "name", "phone", "id_number"]
    parties: list[FoundPartyAnswer]


class SearchAnswer(BaseModel):
    """The newest cases that fit; `more`: there are others."""

    model_config = ConfigDict(from_attributes=True)

    items: list[FoundAnswer]
    more: bool


@routes.get("/api/search", Action.CASES_SEARCH, name="search cases")
async def search(
    kit: AnyKit,
    q: Annotated[str, Query(min_length=1, max_length=60, description="案号或其中一段；姓名、电话、证件号码须完整")],
) -> SearchAnswer:
    """Cases by number, or by a party's whole name, telephone or ID number."""
    return SearchAnswer.model_validate(await search_cases(kit, q))
