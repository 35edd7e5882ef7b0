"""查看记录: who of staff looked at personal data, for those who supervise."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row

from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import looks
from services.stage_tracking.store.looks import Wanted
from shared.contracts.looks import Seen
from shared.errors import Fault, Invalid

SEEN = {
    Seen.PARTY: "当事人的完整信息",
    Seen.FORM: "更正表单中的完整信息",
    Seen.LETTER: "文书",
    Seen.EVIDENCE: "送达证据",
    Seen.PRINTING: "打印带查询码的文书",
    Seen.ADDRESSEE: "收件人地址和电话",
    Seen.SENDER: "举报人联系方式",
}


class Look(BaseModel):
    """A look in words. The reason is opened for whoever supervises."""

    look_id: UUID
    by: UUID
    by_name: str
    seen: Seen
    title: str
    subject: UUID
    case_id: UUID | None
    case_number: str | None
    own: bool
    reason: str | None
    looked_at: datetime


async def look_page(kit: StageKit, wanted: Wanted, cursor: str | None, limit: int) -> tuple[list[Look], str | None]:
    """Looks, newest first, and where the list goes on. Raises Invalid for a cursor that no list gave."""
    async with kit.db.read() as conn:
        rows = await looks.page(conn, replace(wanted, after=_after(cursor)), limit + 1)
    last = rows[limit - 1] if len(rows) > limit else None
    following = None if last is None else f"{int(last.looked_at.timestamp() * 1_000_000)}_{last.look_id}"
    return [_look(kit, row) for row in rows[:limit]], following


def _after(cursor: str | None) -> tuple[datetime, UUID] | None:
    if not cursor:
        return None
    at, _, look_id = cursor.partition("_")
    try:
        return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(at)), UUID(look_id)
    except (ValueError, OverflowError):
        raise Invalid([Fault("cursor", "翻页位置无效，请从第一页重新查看。")]) from None


def _look(kit: StageKit, row: Row[Any]) -> Look:
    known = {name: getattr(row, name) for name in Look.model_fields if name not in {"title", "reason", "seen"}}
    reason = None if row.reason is None else kit.keyring.open(row.reason, str(row.look_id))
    seen = Seen(row.seen)
    return Look(**known, seen=seen, title=SEEN[seen], reason=reason)
