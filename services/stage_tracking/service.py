"""The wiring of stage_tracking."""

from services.stage_tracking import api, pages
from services.stage_tracking.events import HANDLERS
from services.stage_tracking.gauges import GAUGES
from services.stage_tracking.jobs import jobs
from services.stage_tracking.settings import StageSettings
from services.stage_tracking.store.sealed import SEALED
from services.stage_tracking.store.tables import METADATA
from shared.contracts.looks import ListExported
from shared.contracts.stages import StageEvent
from shared.http.routes import Zone
from shared.runtime.secrets import INSIDE, Secret
from shared.runtime.service import Service

SERVICE = Service(
    name="stage_tracking",
    title="进程与期限",
    package="services.stage_tracking",
    paths=("/api/stages", "/api/looks", "/stages", "/work", "/looks"),
    tables=METADATA,
    settings=StageSettings,
    sealed=SEALED,
    secrets={Zone.STAFF: INSIDE | {Secret.SIGNING_KEY}},
    routes=(api.routes, pages.routes),
    tells=(StageEvent, ListExported),
    handlers=HANDLERS,
    jobs=jobs,
    gauges=GAUGES,
)
