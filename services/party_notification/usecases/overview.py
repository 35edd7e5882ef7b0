"""What staff see of notices: lists, one notice whole, what waits for a person."""

from datetime import datetime
from typing import Any
from uuid import UUID

from services.party_notification.domain.notices import Kind
from services.party_notification.store import cases, notices, sending
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.views import (
    DeliveryView,
    LegalEffect,
    NoticeList,
    NoticeView,
    PaperList,
    PaperView,
    TroubleList,
    TroubleView,
    TwiceView,
)
from shared.errors import Fault, Invalid, NotFound
from shared.web.formats import masked_phone

LIMIT = 50


async def of_case(kit: NotificationKit, number_or_id: str) -> NoticeList:
    """All notices of one case, by its number or id. Raises NotFound."""
    async with kit.db.read() as conn:
        case_id = _as_id(number_or_id)
        case = await (cases.get_case(conn, case_id) if case_id else cases.find_case(conn, number_or_id))
        if case is None:
            raise NotFound("no_such_case", "没有这个案件，请核对案号。")
        return NoticeList(items=await _views(conn, await notices.of_case(conn, case.case_id)))


async def listed(kit: NotificationKit, state: str | None, cursor: str | None, limit: int) -> NoticeList:
    """Notices of all cases, newest first."""
    async with kit.db.read() as conn:
        rows = await notices.listed(conn, state, _cursor(cursor), limit + 1)
        views = await _views(conn, rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return NoticeList(items=views, next=f"{last.created_at.isoformat()}_{last.notice_id}" if last else None)


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def _cursor(text: str | None) -> tuple[datetime, UUID] | None:
    if not text:
        return None
    at, _, notice_id = text.partition("_")
    try:
        instant = datetime.fromisoformat(at)
        return instant, UUID(notice_id)
    except ValueError:
        raise Invalid([Fault("cursor", "翻页标记无效，请从第一页重新开始。")]) from None


async def _views(conn: Any, rows: list[Any]) -> list[NoticeView]:
    deliveries: dict[UUID, list[DeliveryView]] = {row.notice_id: [] for row in rows}
    for row in await notices.deliveries_of(conn, list(deliveries)):
        view = DeliveryView.model_validate(row, from_attributes=True)
        deliveries[row.notice_id].append(view)
    return [_view(row, deliveries[row.notice_id]) for row in rows]


def _view(row: Any, deliveries: list[DeliveryView]) -> NoticeView:
    return NoticeView(
        notice_id=row.notice_id,
        case_id=row.case_id,
        number=row.number,
        kind=row.kind,
        title=Kind(row.kind).label,
        party_id=row.party_id,
        recipient_role=row.role,
        state=row.state,
        waits_because=row.waits_reason,
        waits_owner=row.waits_owner,
        way=row.way,
        created_at=row.created_at,
        issued_at=row.issued_at,
        sent_at=row.sent_at,
        deliveries=deliveries,
        legal_effect=LegalEffect(served_on=row.served_on, served_by=row.served_by, because=row.served_because),
    )


async def one(kit: NotificationKit, notice_id: UUID) -> NoticeView:
    """One notice. Raises NotFound."""
    async with kit.db.read() as conn:
        row = await notices.get(conn, notice_id)
        if row is None:
            raise NotFound("no_such_notice", "没有这份通知。")
        return (await _views(conn, [row]))[0]


async def troubles(kit: NotificationKit) -> TroubleList:
    """What a person must look at."""
    async with kit.db.read() as conn:
        unknown = await sending.for_person(conn, 500)
        twice = await sending.possibly_twice(conn, 500)
    return TroubleList(
        unknown=[TroubleView(address=_masked(kit, row), **_fields(row, TroubleView)) for row in unknown],
        possibly_twice=[TwiceView(address=_masked(kit, row), **_fields(row, TwiceView)) for row in twice],
    )


def _fields(row: Any, view: type[TroubleView] | type[TwiceView]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in view.model_fields if name != "address"}


def _masked(kit: NotificationKit, row: Any) -> str:
    address = kit.keyring.open(row.address, f"{row.message_id}/address")
    if row.channel == "sms":
        return masked_phone(address)
    name, _, host = address.partition("@")
    return f"{name[:1]}***@{host}"


async def papers(kit: NotificationKit, state: str | None) -> PaperList:
    """The paper worklist."""
    async with kit.db.read() as conn:
        rows = await notices.papers(conn, state, 500)
    return PaperList(items=[_paper(row) for row in rows])


def _paper(row: Any) -> PaperView:
    return PaperView(
        paper_id=row.paper_id,
        case_number=row.case_number,
        recipient_role=row.role,
        state=row.state,
        reason=row.reason,
        created_at=row.created_at,
        tracking=row.tracking,
        served_on=row.served_on,
    )
