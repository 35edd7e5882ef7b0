"""Filing, wired."""

from services.case_intake import api, pages
from services.case_intake.events import (
    on_contact_confirmed,
    on_contact_disowned,
    on_member_changed,
    on_milestone_reached,
)
from services.case_intake.jobs import jobs
from services.case_intake.settings import CaseIntakeSettings
from services.case_intake.store.sealed import SEALED
from services.case_intake.store.tables import METADATA
from shared.contracts.cases import CaseEvent
from shared.contracts.looks import ListExported, LookTaken
from shared.contracts.notices import ContactConfirmed, ContactDisowned
from shared.contracts.staff import MemberChanged
from shared.contracts.stages import MilestoneReached
from shared.runtime.service import Service

SERVICE = Service(
    name="case_intake",
    title="立案",
    package="services.case_intake",
    paths=("/api/cases", "/api/search", "/cases", "/search"),
    tables=METADATA,
    settings=CaseIntakeSettings,
    sealed=SEALED,
    routes=(*api.ROUTES, *pages.ROUTES),
    tells=(CaseEvent, LookTaken, ListExported),
    handlers={
        MemberChanged: on_member_changed,
        ContactDisowned: on_contact_disowned,
        ContactConfirmed: on_contact_confirmed,
        MilestoneReached: on_milestone_reached,
    },
    jobs=jobs,
)
