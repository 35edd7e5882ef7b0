"""查看记录: who of staff looked at personal data, for those who supervise."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import Row

from services.stage_tracking.settings import StageKit
from services.stage_tracking.store import looks
from services.stage_tracking.store.looks import Wanted
from shared.contracts.looks import ListExported, Seen
from shared.db.lists import Part
from shared.db.readable import text_of

SEEN = {
    Seen.PARTY: "当事人的完整信息",
    Seen.FORM: "更正表单中的完整信息",
    Seen.LETTER: "文书",
    Seen.EVIDENCE: "送达证据",
    Seen.PRINTING: "打印带查询码的文书",
    Seen.ADDRESSEE: "收件人地址和电话",
    Seen.SENDER: "举报人联系方式",
    Seen.EXPORT: "导出列表",
}
_KINDS = {"csv": "CSV", "xlsx": "Excel"}


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


async def look_page(kit: StageKit, wanted: Wanted, part: Part) -> tuple[list[Look], str | None]:
    """Looks, newest first unless asked otherwise, and where the list goes on. Raises Invalid for a foreign cursor."""
    async with kit.db.read() as conn:
        rows, following = await looks.page(conn, wanted, part)
    return [_look(kit, row) for row in rows], following


async def people(kit: StageKit) -> dict[str, str]:
    """Who may have looked: names by ids."""
    async with kit.db.read() as conn:
        return {str(row.staff_id): row.name for row in await looks.people(conn)}


def account(told: ListExported, filters: str) -> str:
    """Which list left as a file, how it was narrowed, and how much of it, in words."""
    how_many = f"前{told.rows}条，其余未导出" if told.cut else f"共{told.rows}条"
    return f"{told.list_name}（{_KINDS.get(told.file_kind, told.file_kind)}），{filters or '未筛选'}，{how_many}"


def _look(kit: StageKit, row: Row[Any]) -> Look:
    known = {name: getattr(row, name) for name in Look.model_fields if name not in {"title", "reason", "seen"}}
    reason = None if row.reason is None else text_of(kit.keyring, row.reason, str(row.look_id))
    seen = Seen(row.seen)
    return Look(**known, seen=seen, title=SEEN[seen], reason=reason)
