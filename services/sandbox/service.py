"""The wiring of the sandbox: the outside world in a box. Production refuses to start it."""

from collections.abc import Mapping

from starlette.types import ASGIApp

from services.sandbox import api, pages, store
from services.sandbox.channels.carrier import Carrier
from services.sandbox.channels.line import CarrierLine
from services.sandbox.jobs import jobs
from services.sandbox.settings import SandboxSettings
from services.sandbox.usecases.keeping import Shelf
from services.sandbox.usecases.world import SandboxKit, carrier_secret, faults_of
from shared.clock import SystemClock
from shared.contracts.sandbox import ClockMoved
from shared.runtime.service import Service


def mounts(kit: SandboxKit) -> Mapping[str, ASGIApp]:
    """The carrier. It goes by the machine's time, as those who sign do."""
    keys = {kit.settings.carrier_key_id: carrier_secret(kit)}
    carrier = Carrier(keys, Shelf(kit), faults_of(kit), SystemClock())
    return {"/sandbox/carrier": CarrierLine(carrier.handle)}


SERVICE = Service(
    name="sandbox",
    title="外部世界",
    package="services.sandbox",
    paths=("/api/sandbox",),
    public_paths=("/sandbox",),
    tables=store.METADATA,
    settings=SandboxSettings,
    sealed=store.SEALED,
    routes=(api.routes, pages.routes),
    tells=(ClockMoved,),
    jobs=jobs,
    mounts=mounts,
)
