"""The wiring of duty_desk: the 24-hour desk, its queue and its clocks."""

from services.duty_desk import api, events, pages, store
from services.duty_desk.jobs import jobs
from services.duty_desk.settings import DeskSettings
from services.duty_desk.store import SEALED
from shared.contracts.cases import CaseFiled
from shared.contracts.desk import DeskEvent
from shared.contracts.looks import ListExported
from shared.contracts.operations import TroubleReported
from shared.contracts.stages import LogDaySealed
from shared.contracts.tips import TipReceived
from shared.runtime.service import Service

SERVICE = Service(
    name="duty_desk",
    title="值班台",
    package="services.duty_desk",
    paths=("/api/desk", "/desk"),
    tables=store.METADATA,
    settings=DeskSettings,
    sealed=SEALED,
    routes=(api.staff, pages.staff),
    tells=(DeskEvent, ListExported),
    handlers={
        TipReceived: events.on_tip_received,
        TroubleReported: events.on_trouble_reported,
        CaseFiled: events.on_case_filed,
        LogDaySealed: events.on_log_day_sealed,
    },
    jobs=jobs,
)
