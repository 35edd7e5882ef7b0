"""The carrier's receipts: what became of each SMS, posted to the product until it says that it took them."""

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
from sqlalchemy import Row

from services.sandbox import store
from services.sandbox.domain.sms_rules import receipt_item
from services.sandbox.usecases.keeping import carrier_message
from services.sandbox.usecases.world import SandboxKit, receipt_url
from shared.clock import SystemClock

RETRIES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=10))
"""Source: SmsReport of Dysmsapi, https://help.aliyun.com/document_detail/101867.html."""
_AT_ONCE = 20

log = logging.getLogger(__name__)


async def post_receipts(kit: SandboxKit, client: httpx.AsyncClient) -> bool:
    """Post one array of due receipts; whether there was one. The next try is set before this one begins."""
    rows = await _claim(kit)
    if not rows:
        return False
    items = [
        receipt_item(carrier_message(kit, row), row.dated_at, row.err_code, delivered=row.delivered) for row in rows
    ]
    if await _taken(client, receipt_url(kit), items):
        async with kit.db.begin() as tx:
            await store.posted(tx.conn, [row.receipt_id for row in rows], SystemClock().now())
    return True


async def _claim(kit: SandboxKit) -> Sequence[Row[Any]]:
    """Of one message only one: what comes twice comes in two posts."""
    now = SystemClock().now()
    async with kit.db.begin() as tx:
        due = await store.claim_receipts(tx.conn, now, _AT_ONCE)
        chosen = list({row.message_id: row for row in reversed(due)}.values())[::-1]
        for row in chosen:
            next_due = now + RETRIES[row.tries] if row.tries < len(RETRIES) else None
            await store.put_off(tx.conn, row.receipt_id, row.tries + 1, next_due)
            status = "delivered" if row.delivered else "failed"
            known = {"status": status, "err_code": row.err_code, "reported_at": row.dated_at}
            await store.report(tx.conn, row.message_id, known)
    return chosen


async def _taken(client: httpx.AsyncClient, url: str, items: Sequence[dict[str, Any]]) -> bool:
    try:
        answer = await client.post(url, json=items)
        taken = answer.status_code == 200 and answer.json()["code"] == 0
    except (httpx.HTTPError, ValueError, KeyError, TypeError) as error:
        log.info("receipts not taken", extra={"error": type(error).__name__, "count": len(items)})
        return False
    if not taken:
        log.info("receipts not taken", extra={"status": answer.status_code, "count": len(items)})
    return taken
