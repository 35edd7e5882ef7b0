"""What a party's page shows, written where the case is known and sealed to the party; the public pages only open it.

What depends on the moment (what comes next, what is late) is worked out when the page is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.domain.notices import Role
from services.party_notification.domain.prospects import Clock
from services.party_notification.store import cases, doors, notices
from services.party_notification.usecases.facts import NotificationKit, identity_of
from services.party_notification.usecases.letters import letter_bytes
from shared.contracts.reviews import ReviewGround
from shared.contracts.stages import Period
from shared.crypto.boxes import Drop
from shared.db.readable import text_of

_AT_ONCE = 200


class Line(BaseModel):
    """A published entry of the timeline."""

    at: datetime
    title: str
    text: str


class Paper(BaseModel):
    """A notice as its party may read it."""

    notice_id: UUID
    kind: str
    number: str
    issued_at: datetime
    served_on: date | None
    read: bool
    report_ordered: bool = False


class Page(BaseModel):
    """All that a party's page shows of the case. It rests and travels only sealed to the party."""

    model_config = ConfigDict(frozen=True)

    case_number: str
    cause: str
    filed_on: date
    judge_name: str | None
    judge_phone: str | None
    clerk_name: str | None
    panel: str | None
    assigned_at: datetime | None
    closed_on: date | None
    name: str
    role: Role
    minor: bool
    consents: bool
    opened: dict[str, date]
    clocks: list[Clock]
    lines: list[Line]
    papers: list[Paper]
    urgent: bool = False
    ground: ReviewGround | None = None
    department: str | None = None


class Sheet(BaseModel):
    """A letter as it was written, and the name of its file."""

    name: str
    content: str


def about_page(party_id: UUID) -> str:
    """What a sealed page is about."""
    return f"{party_id}/page"


def about_sheet(notice_id: UUID) -> str:
    """What a sealed letter is about."""
    return f"{notice_id}/sheet"


async def write_pages(kit: NotificationKit) -> bool:
    """Write the pages of cases in which something changed; whether there were any."""
    async with kit.db.begin() as tx:
        stale = await doors.claim_stale(tx.conn, tx.now, _AT_ONCE)
        for case_id in stale:
            await _write_case(kit, tx.conn, case_id, tx.now)
    return bool(stale)


@dataclass(frozen=True)
class _Told:
    """A case as its parties' pages tell it."""

    case: Row[Any]
    opened: dict[str, date]
    clocks: list[Clock]
    now: datetime


async def _write_case(kit: NotificationKit, conn: AsyncConnection, case_id: UUID, now: datetime) -> None:
    found, case = await doors.of_case(conn, case_id), await cases.get_case(conn, case_id)
    if not found or case is None:
        return
    clocks = [Clock(row.kind, row.due_at, row.provisional, row.met_at) for row in await cases.clocks_of(conn, case_id)]
    told = _Told(case, _opened(await cases.periods_of(conn, case_id)), clocks, now)
    for row in await cases.parties_of(conn, case_id):
        if row.party_id in found and row.misfiled_at is None:
            await _write_page(kit, conn, told, row, Drop.from_text(found[row.party_id].public_key))


def _opened(rows: Sequence[Row[Any]]) -> dict[str, date]:
    """The periods entered, in their own order: two may open on one day."""
    days = {row.period: row.opened_on for row in rows}
    return {period.value: days[period.value] for period in Period if period.value in days}


async def _write_page(kit: NotificationKit, conn: AsyncConnection, told: _Told, row: Row[Any], drop: Drop) -> None:
    written = await notices.shown_to(conn, row.party_id)
    published = await cases.progress_of(conn, row.case_id, row.role, told.now)
    read = await notices.read_of(conn, [notice.notice_id for notice in written])
    papers = [_paper(notice, read=notice.notice_id in read) for notice in written]
    page = _page(kit, told, row, papers, published)
    values = {
        "party_id": row.party_id,
        "case_id": row.case_id,
        "page": drop.seal(page.model_dump_json(), about_page(row.party_id)),
        "refresh_at": await cases.next_publishing(conn, row.case_id, told.now),
    }
    await doors.put_page(conn, values)
    await _write_sheets(kit, conn, row.party_id, written, drop)


def _page(kit: NotificationKit, told: _Told, row: Row[Any], papers: list[Paper], published: Sequence[Row[Any]]) -> Page:
    of_case = (
        "case_number",
        "cause",
        "filed_on",
        "judge_name",
        "judge_phone",
        "clerk_name",
        "panel",
        "department",
        "assigned_at",
    )
    return Page(
        **{name: getattr(told.case, name) for name in (*of_case, "closed_on")},
        name=identity_of(kit.keyring, row).name,
        role=Role(row.role),
        minor=row.minor,
        consents=row.consents,
        opened=told.opened,
        clocks=told.clocks,
        lines=[Line(at=each.at, title=each.title, text=_text(kit, each)) for each in published],
        papers=papers,
        urgent=told.case.urgent,
        ground=told.case.ground,
    )


def _paper(row: Row[Any], *, read: bool) -> Paper:
    told = ("notice_id", "kind", "number", "issued_at", "served_on", "report_ordered")
    return Paper(**{name: getattr(row, name) for name in told}, read=read)


def _text(kit: NotificationKit, row: Row[Any]) -> str:
    return text_of(kit.keyring, row.text, str(row.case_id))


async def _write_sheets(
    kit: NotificationKit, conn: AsyncConnection, party_id: UUID, written: Sequence[Row[Any]], drop: Drop
) -> None:
    """Letters that the party's present key does not open yet."""
    sealed = await doors.sheets_of(conn, party_id)
    rows = []
    for notice in written:
        if sealed.get(notice.notice_id) != drop.key_id:
            sheet = Sheet(name=notice.letter_name, content=letter_bytes(kit, notice).decode())
            text = drop.seal(sheet.model_dump_json(), about_sheet(notice.notice_id))
            rows.append({"notice_id": notice.notice_id, "party_id": party_id, "key_id": drop.key_id, "sheet": text})
    await doors.put_sheets(conn, rows)
