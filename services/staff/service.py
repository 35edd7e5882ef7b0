"""The wiring of the staff service."""

from services.staff import api, pages
from services.staff.jobs import jobs
from services.staff.settings import StaffSettings
from services.staff.store.tables import METADATA, SEALED
from services.staff.usecases.seeds import seed
from shared.contracts.looks import ListExported
from shared.contracts.staff import AccessRevoked, CourtDataChanged, MemberChanged, StaffSeen
from shared.http.routes import Zone
from shared.runtime.secrets import INSIDE, Secret
from shared.runtime.service import Service

SERVICE = Service(
    name="staff",
    title="人员",
    package="services.staff",
    paths=("/api/staff", "/sign-in", "/sign-out", "/staff"),
    tables=METADATA,
    settings=StaffSettings,
    sealed=SEALED,
    secrets={Zone.STAFF: INSIDE | {Secret.TOKEN_KEY}},
    routes=(api.routes, *pages.routes),
    tells=(MemberChanged, CourtDataChanged, AccessRevoked, StaffSeen, ListExported),
    jobs=jobs,
    start=seed,
)
