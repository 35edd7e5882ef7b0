"""What the other services tell, and what it means for the stages."""

from collections.abc import Mapping

from services.stage_tracking.events.cases import (
    on_case_assigned,
    on_case_corrected,
    on_case_filed,
    on_judge_corrected,
    on_notices_recalled,
    on_notices_released,
    on_party_added,
    on_party_changed,
    on_party_misfiled,
)
from services.stage_tracking.events.notices import (
    on_contact_confirmed,
    on_contact_disowned,
    on_contact_replaced,
    on_delivery_troubled,
    on_notice_issued,
    on_notice_sent,
    on_notice_served,
    on_notice_unserved,
    on_notice_waits,
    on_notice_withdrawn,
    on_reading_decided,
    on_reading_doubted,
)
from services.stage_tracking.events.others import (
    on_item_acted,
    on_list_exported,
    on_look_taken,
    on_member_changed,
)
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
from shared.contracts.desk import ItemActed
from shared.contracts.envelope import Event
from shared.contracts.looks import ListExported, LookTaken
from shared.contracts.notices import (
    ContactConfirmed,
    ContactDisowned,
    ContactReplaced,
    DeliveryTroubled,
    NoticeIssued,
    NoticeSent,
    NoticeServed,
    NoticeUnserved,
    NoticeWaits,
    NoticeWithdrawn,
    ReadingDecided,
    ReadingDoubted,
)
from shared.contracts.staff import MemberChanged
from shared.runtime.service import EventHandler

HANDLERS: Mapping[type[Event], EventHandler] = {
    CaseFiled: on_case_filed,
    CaseCorrected: on_case_corrected,
    PartyAdded: on_party_added,
    PartyChanged: on_party_changed,
    PartyMisfiled: on_party_misfiled,
    NoticesRecalled: on_notices_recalled,
    NoticesReleased: on_notices_released,
    CaseAssigned: on_case_assigned,
    JudgeCorrected: on_judge_corrected,
    NoticeWaits: on_notice_waits,
    NoticeIssued: on_notice_issued,
    NoticeSent: on_notice_sent,
    NoticeServed: on_notice_served,
    NoticeUnserved: on_notice_unserved,
    NoticeWithdrawn: on_notice_withdrawn,
    DeliveryTroubled: on_delivery_troubled,
    ReadingDoubted: on_reading_doubted,
    ReadingDecided: on_reading_decided,
    ContactDisowned: on_contact_disowned,
    ContactConfirmed: on_contact_confirmed,
    ContactReplaced: on_contact_replaced,
    ItemActed: on_item_acted,
    MemberChanged: on_member_changed,
    LookTaken: on_look_taken,
    ListExported: on_list_exported,
}
