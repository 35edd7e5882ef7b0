"""The wiring of asset_tips: tips on hidden assets, their receipts, their senders kept apart."""

from services.asset_tips import api, events, pages, store
from services.asset_tips.jobs import jobs
from services.asset_tips.settings import TipSettings
from services.asset_tips.store import SEALED
from shared.contracts.desk import EvidenceAccepted, ItemActed, ItemDismissed, ItemTaken
from shared.contracts.looks import ListExported, LookTaken
from shared.contracts.tips import TipReceived
from shared.http.routes import Zone
from shared.runtime.secrets import INSIDE, Secret
from shared.runtime.service import Service

SERVICE = Service(
    name="asset_tips",
    title="线索举报",
    package="services.asset_tips",
    paths=("/api/tip-senders", "/tip-senders"),
    public_paths=("/api/tips", "/tips"),
    tables=store.METADATA,
    public_tables=store.PUBLIC,
    settings=TipSettings,
    sealed=SEALED,
    secrets={Zone.STAFF: INSIDE, Zone.PUBLIC: {Secret.DROP, Secret.LOOKUPS, Secret.TOKEN_PUBLIC_KEY}},
    jobs=jobs,
    routes=(api.public, api.staff, pages.public, pages.staff),
    tells=(TipReceived, LookTaken, ListExported),
    handlers={
        ItemTaken: events.on_item_taken,
        EvidenceAccepted: events.on_evidence_accepted,
        ItemActed: events.on_item_acted,
        ItemDismissed: events.on_item_dismissed,
    },
)
