"""The tables, one file per topic. Names, telephones, addresses, texts and letters rest sealed; hashes find them."""

from services.party_notification.store.tables.addresses import addresses
from services.party_notification.store.tables.base import LEDGER, METADATA, NOW
from services.party_notification.store.tables.cases import cases, clocks, log_days, parties, periods, progress
from services.party_notification.store.tables.contacts import contact_doubts, party_contacts
from services.party_notification.store.tables.doors import (
    disownings,
    doors,
    party_pages,
    party_sheets,
    receipt_posts,
    stale_pages,
)
from services.party_notification.store.tables.messages import (
    deliveries,
    faulty_receipts,
    message_notices,
    messages,
    observations,
    receipts,
    sms_templates,
)
from services.party_notification.store.tables.notices import notices
from services.party_notification.store.tables.paper import paper, paper_notices, printings
from services.party_notification.store.tables.readings import readings, reads, staff_marks

__all__ = [
    "LEDGER",
    "METADATA",
    "NOW",
    "addresses",
    "cases",
    "clocks",
    "contact_doubts",
    "deliveries",
    "disownings",
    "doors",
    "faulty_receipts",
    "log_days",
    "message_notices",
    "messages",
    "notices",
    "observations",
    "paper",
    "paper_notices",
    "parties",
    "party_contacts",
    "party_pages",
    "party_sheets",
    "periods",
    "printings",
    "progress",
    "readings",
    "reads",
    "receipt_posts",
    "receipts",
    "sms_templates",
    "staff_marks",
    "stale_pages",
]
