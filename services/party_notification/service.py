"""The wiring of party_notification: notices to the parties, their pages, the proof of it all."""

from services.party_notification import api, events, pages
from services.party_notification.gauges import GAUGES
from services.party_notification.jobs import jobs
from services.party_notification.settings import NotificationSettings
from services.party_notification.store.public import PUBLIC
from services.party_notification.store.sealed import SEALED
from services.party_notification.store.tables import METADATA
from services.party_notification.usecases.readiness import start
from shared.contracts.cases import (
    CaseAssigned,
    CaseCorrected,
    CaseFiled,
    JudgeCorrected,
    NoticesRecalled,
    NoticesReleased,
    PartyAdded,
    PartyChanged,
    PartyMisfiled,
)
from shared.contracts.looks import ListExported, LookTaken
from shared.contracts.notices import NoticeEvent
from shared.contracts.staff import StaffSeen
from shared.contracts.stages import (
    DeadlineMet,
    DeadlineSet,
    DeadlineWithdrawn,
    LogDaySealed,
    MilestoneReached,
    PeriodOpened,
    ProgressPublished,
)
from shared.http.routes import Zone
from shared.runtime.secrets import INSIDE, Secret
from shared.runtime.service import Service

OUTSIDE = frozenset({Secret.TOKEN_PUBLIC_KEY, Secret.LOOKUPS, Secret.DROP, Secret.PARTY_SESSIONS})
"""What the public pages hold: nothing that opens what is kept of anybody."""

SERVICE = Service(
    name="party_notification",
    title="通知送达",
    package="services.party_notification",
    paths=("/api/notices", "/notices", "/paper", "/unknown"),
    public_paths=("/api/notices/receipts", "/api/notices/check", "/p", "/verify", "/"),
    tables=METADATA,
    public_tables=PUBLIC,
    settings=NotificationSettings,
    sealed=SEALED,
    secrets={Zone.STAFF: INSIDE | {Secret.SIGNING_KEY}, Zone.PUBLIC: OUTSIDE},
    routes=(api.staff, api.public, pages.staff, pages.public),
    tells=(NoticeEvent, LookTaken, ListExported),
    handlers={
        CaseFiled: events.on_case_filed,
        CaseCorrected: events.on_case_corrected,
        CaseAssigned: events.on_case_assigned,
        JudgeCorrected: events.on_judge_corrected,
        PartyAdded: events.on_party_added,
        PartyChanged: events.on_party_changed,
        PartyMisfiled: events.on_party_misfiled,
        NoticesRecalled: events.on_notices_recalled,
        NoticesReleased: events.on_notices_released,
        PeriodOpened: events.on_period_opened,
        MilestoneReached: events.on_milestone_reached,
        DeadlineSet: events.on_deadline_set,
        DeadlineMet: events.on_deadline_met,
        DeadlineWithdrawn: events.on_deadline_withdrawn,
        ProgressPublished: events.on_progress_published,
        LogDaySealed: events.on_log_day_sealed,
        StaffSeen: events.on_staff_seen,
    },
    jobs=jobs,
    gauges=GAUGES,
    start=start,
)
