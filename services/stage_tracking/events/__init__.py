"""What the other services tell, and what it means for the stages."""

from collections.abc import Mapping

from services.stage_tracking.events.cases import (
    on_case_assigned,
    on_case_corrected,
    on_case_filed,
    on_party_added,
    on_party_changed,
)
from services.stage_tracking.events.notices import (
    on_delivery_troubled,
    on_notice_issued,
    on_notice_sent,
    on_notice_served,
    on_notice_waits,
)
from services.stage_tracking.events.others import on_item_acted, on_member_changed
from shared.contracts.cases import CaseAssigned, CaseCorrected, CaseFiled, PartyAdded, PartyChanged
from shared.contracts.desk import ItemActed
from shared.contracts.envelope import Event
from shared.contracts.notices import DeliveryTroubled, NoticeIssued, NoticeSent, NoticeServed, NoticeWaits
from shared.contracts.staff import MemberChanged
from shared.runtime.service import EventHandler

HANDLERS: Mapping[type[Event], EventHandler] = {
    CaseFiled: on_case_filed,
    CaseCorrected: on_case_corrected,
    PartyAdded: on_party_added,
    PartyChanged: on_party_changed,
    CaseAssigned: on_case_assigned,
    NoticeWaits: on_notice_waits,
    NoticeIssued: on_notice_issued,
    NoticeSent: on_notice_sent,
    NoticeServed: on_notice_served,
    DeliveryTroubled: on_delivery_troubled,
    ItemActed: on_item_acted,
    MemberChanged: on_member_changed,
}
