"""Which columns are sealed, and which hold keyed hashes of what."""

from services.party_notification.domain.addresses import ADDRESS, END, end_of, same
from services.party_notification.domain.receipts import FAULTY, RECEIPT, said
from services.party_notification.store.doors import QUERY_CODE
from services.party_notification.store.tables import (
    addresses,
    cases,
    contact_doubts,
    doors,
    faulty_receipts,
    messages,
    notices,
    observations,
    paper,
    paper_notices,
    parties,
    progress,
    readings,
    receipt_posts,
    receipts,
)
from shared.db.sealed import Hashed, Keys, SealedTable

SEALED = (
    SealedTable(cases, {"obligation": "{case_id}"}),
    SealedTable(parties, {"identity": "{party_id}", "code": "{party_id}/code"}),
    SealedTable(notices, {"letter": "{notice_id}"}),
    SealedTable(
        addresses,
        {"address": "{address_id}/address"},
        {
            "address_index": Hashed(ADDRESS, lambda opened: same(opened["address"])),
            "end_index": Hashed(END, lambda opened: end_of(opened["address"]), Keys.LOOKUPS),
        },
    ),
    SealedTable(
        doors,
        {"code": "{party_id}/slow"},
        {"code_index": Hashed(QUERY_CODE, lambda opened: opened["code"], Keys.LOOKUPS)},
    ),
    SealedTable(
        messages,
        {
            "address": "{message_id}/address",
            **dict.fromkeys(("params", "alt_params"), "{message_id}/params"),
            **dict.fromkeys(("content", "alt_content"), "{message_id}"),
        },
    ),
    SealedTable(observations, {"raw": "{delivery_id}/raw"}),
    SealedTable(receipts, {"raw": "{mark}"}, {"mark": Hashed(RECEIPT, lambda opened: said(opened["raw"]))}),
    SealedTable(faulty_receipts, {"raw": "{mark}"}, {"mark": Hashed(FAULTY, lambda opened: opened["raw"])}),
    SealedTable(paper_notices, {"letter": "{notice_id}/paper"}),
    SealedTable(progress, {"text": "{case_id}"}),
    SealedTable(paper, {"remark": "{cause}/remark"}),
    SealedTable(readings, {"evidence": "{reading_id}/reading", "remark": "{reading_id}/remark"}),
    SealedTable(contact_doubts, {"remark": "{doubt_id}/remark"}),
    SealedTable(receipt_posts, {"sealed": "{about}/receipts"}),
)
"""`staff_marks` is not among them: of where staff were signed in nothing but the hash is kept, for 30 days, and looked
for under every key; nor are counts of wrong tries, which lapse within a day."""
