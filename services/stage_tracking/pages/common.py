"""What all pages of stage tracking share."""

from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from pydantic import BeforeValidator

from services.stage_tracking.domain.deadlines import DeadlineKind
from services.stage_tracking.domain.stages import CHECKLISTS, FOLLOWING, MILESTONE_TITLES, PERIOD_TITLES
from services.stage_tracking.domain.tasks import owner_title
from services.stage_tracking.settings import StageKit
from services.stage_tracking.usecases.tasks import owns
from shared.contracts.stages import Period
from shared.http.routes import Routes, Zone
from shared.runtime.service import kit_of
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.stage_tracking")
pages.environment.globals.update(
    deadline_title=lambda kind: DeadlineKind(kind).label,
    period_titles=PERIOD_TITLES,
    milestone_titles=MILESTONE_TITLES,
    following=lambda period: [each for each in Period if each in FOLLOWING[Period(period)]],
    checklists=CHECKLISTS,
    owner_title=owner_title,
    owns=owns,
)

KitHere = Annotated[StageKit, Depends(kit_of)]
EmptyIsNone = BeforeValidator(lambda value: value or None)
"""A filter's empty choice arrives as an empty text."""


def link(path: str, chosen: Mapping[str, Any], **more: Any) -> str:
    """The path with the filters that are set."""
    query = {name: str(value) for name, value in {**chosen, **more}.items() if value not in {None, ""}}
    return f"{path}?{urlencode(query)}" if query else path
