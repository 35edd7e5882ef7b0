"""What all pages of stage tracking share."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import Depends
from pydantic import BeforeValidator

from services.stage_tracking.domain.deadlines import WITHOUT_URGENCY, is_red, waits_for
from services.stage_tracking.domain.stages import CHECKLISTS, FOLLOWING, MILESTONE_TITLES, PERIOD_TITLES
from services.stage_tracking.domain.tasks import owner_title
from services.stage_tracking.settings import StageKit
from services.stage_tracking.usecases.tasks import owns
from shared.contracts.case_kinds import DeadlineKind, kind_of
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import Period
from shared.http.routes import Routes, Zone
from shared.runtime.service import kit_of
from shared.web.formats import urgency
from shared.web.pages import Pages

routes = Routes(Zone.STAFF, pages=True)
pages = Pages("services.stage_tracking")
KitHere = Annotated[StageKit, Depends(kit_of)]
EmptyIsNone = BeforeValidator(lambda value: value or None)
"""A filter's empty choice arrives as an empty text."""


def clock_state(due_at: datetime, now: datetime, kind: str, provisional: object) -> str:
    """`late`, `soon` or `ok` of a running clock: only a certain limit ever looks late."""
    if DeadlineKind(kind) in WITHOUT_URGENCY:
        return "ok"
    state = urgency(due_at, now)
    red = is_red(DeadlineKind(kind), due_at, now, provisional=bool(provisional))
    return "ok" if state == "late" and not red else state


pages.environment.globals.update(
    deadline_title=lambda kind: DeadlineKind(kind).label,
    clock_state=clock_state,
    waits_for=waits_for,
    kind_of=kind_of,
    ground_title=lambda ground: ReviewGround(ground).label,
    period_titles=PERIOD_TITLES,
    milestone_titles=MILESTONE_TITLES,
    following=lambda period: [each for each in Period if period and each in FOLLOWING[Period(period)]],
    checklists=CHECKLISTS,
    owner_title=owner_title,
    owns=owns,
)


def link(path: str, chosen: Mapping[str, Any], **more: Any) -> str:
    """The path with the filters that are set."""
    query = {name: str(value) for name, value in {**chosen, **more}.items() if value not in {None, ""}}
    return f"{path}?{urlencode(query)}" if query else path
