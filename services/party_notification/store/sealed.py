"""Which columns are sealed."""

from services.party_notification.store.tables import (
    cases,
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
from shared.db.sealed import SealedTable

SEALED = (
    SealedTable(cases, {"obligation": "{case_id}"}),
    SealedTable(parties, {"identity": "{party_id}", "code": "{party_id}/code"}),
    SealedTable(notices, {"letter": "{notice_id}"}),
    SealedTable(
        messages,
        {
            "address": "{message_id}/address",
            **dict.fromkeys(("params", "alt_params"), "{message_id}/params"),
            **dict.fromkeys(("content", "alt_content"), "{message_id}"),
        },
    ),
    SealedTable(observations, {"raw": "{delivery_id}/raw"}),
    SealedTable(receipts, {"raw": "{mark}"}),
    SealedTable(faulty_receipts, {"raw": "{mark}"}),
    SealedTable(paper_notices, {"letter": "{notice_id}/paper"}),
    SealedTable(progress, {"text": "{case_id}"}),
    SealedTable(paper, {"remark": "{cause}/remark"}),
    SealedTable(readings, {"evidence": "{reading_id}/reading", "remark": "{reading_id}/remark"}),
    SealedTable(receipt_posts, {"sealed": "{about}/receipts"}),
)
