"""What staff see of notices: lists, one notice whole, what waits for a person."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncConnection

from services.party_notification.domain.contacts import DoubtState
from services.party_notification.domain.notices import Kind
from services.party_notification.store import cases, notices, paper, troubles
from services.party_notification.store.troubles import Wanted
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.looking import refuse_beyond
from services.party_notification.usecases.readings import doubtful
from services.party_notification.usecases.shown import masked_address
from services.party_notification.usecases.views import (
    DeliveryView,
    DisownedView,
    LegalEffect,
    NoticeList,
    NoticeView,
    PaperList,
    PaperView,
    TroubleList,
    TroubleView,
    TwiceView,
)
from shared.contracts.case_number import reference
from shared.db.lists import Part
from shared.db.readable import UNREADABLE_TEXT, text_of
from shared.errors import NotFound
from shared.http.auth import Caller
from shared.powers import Action

LIMIT_OF_CASE = 200


async def of_case(kit: NotificationKit, number_or_id: str) -> NoticeList:
    """All notices of one case, by its number or id. Raises NotFound."""
    async with kit.db.read() as conn:
        return NoticeList(items=await _views(conn, await notices.of_case(conn, await _case_id(conn, number_or_id))))


async def _case_id(conn: AsyncConnection, number_or_id: str) -> UUID:
    here = reference(number_or_id)
    case = await (cases.get_case(conn, here) if isinstance(here, UUID) else cases.find_case(conn, here))
    if case is None:
        raise NotFound("case_not_found", "没有这个案件，请核对案号。")
    found: UUID = case.case_id
    return found


@dataclass(frozen=True)
class Asked:
    """Which notices are asked for: of one case (`case`: number or id) or of those whose number holds `number`."""

    state: str | None = None
    number: str = ""
    case: str | None = None
    kind: str = ""


async def listed(kit: NotificationKit, caller: Caller, asked: Asked, part: Part) -> tuple[list[NoticeView], str | None]:
    """Notices that the caller reads, newest first unless asked otherwise, and where they go on.

    Raises NotFound for a case not there, and Forbidden for one that the caller does not read.
    """
    async with kit.db.read() as conn:
        case_id = None if asked.case is None else await _case_id(conn, asked.case)
        if case_id is not None:
            await refuse_beyond(conn, case_id, caller)
        reach = caller.reach(Action.NOTICES_READ)
        wanted = notices.Wanted(asked.state, asked.number, case_id, asked.kind, reach)
        rows, following = await notices.listed(conn, wanted, part)
        return await _views(conn, rows), following


async def count_states(kit: NotificationKit, caller: Caller) -> dict[str, int]:
    """How many notices that the caller reads there are in each state of the lists."""
    async with kit.db.read() as conn:
        return await notices.counts(conn, caller.reach(Action.NOTICES_READ))


async def _views(conn: Any, rows: list[Any]) -> list[NoticeView]:
    deliveries: dict[UUID, list[DeliveryView]] = {row.notice_id: [] for row in rows}
    for row in await notices.deliveries_of(conn, list(deliveries)):
        view = DeliveryView.model_validate(row, from_attributes=True)
        deliveries[row.notice_id].append(view)
    briefs = await cases.briefs_of(conn, list({row.case_id for row in rows}))
    letters = await paper.states_of(conn, list(deliveries))
    return [_view(row, briefs[row.case_id], letters.get(row.notice_id), deliveries[row.notice_id]) for row in rows]


def _view(row: Any, case: Any, paper_state: str | None, deliveries: list[DeliveryView]) -> NoticeView:
    here = paper_state == "to_print" or any(each.state == "planned" and each.step == "send" for each in deliveries)
    return NoticeView(
        notice_id=row.notice_id,
        case_id=row.case_id,
        case_number=case.case_number,
        number=row.number,
        kind=row.kind,
        title=Kind(row.kind).label,
        party_id=row.party_id,
        recipient_role=row.role,
        state=row.state,
        recalled=here and case.recalled_at is not None and row.kind != Kind.MISFILED_CORRECTION,
        waits_because=row.waits_reason,
        waits_owner=row.waits_owner,
        way=row.way,
        created_at=row.created_at,
        issued_at=row.issued_at,
        sent_at=row.sent_at,
        paper_state=paper_state,
        deliveries=deliveries,
        legal_effect=LegalEffect(served_on=row.served_on, served_by=row.served_by, because=row.served_because),
    )


async def one(kit: NotificationKit, notice_id: UUID, caller: Caller) -> NoticeView:
    """One notice. Raises NotFound, and Forbidden for one of a case that the caller does not read."""
    async with kit.db.read() as conn:
        row = await notices.get(conn, notice_id)
        if row is None:
            raise NotFound("no_such_notice", "没有这份通知。")
        await refuse_beyond(conn, row.case_id, caller)
        return (await _views(conn, [row]))[0]


async def for_person(kit: NotificationKit, caller: Caller) -> TroubleList:
    """What a person must look at in the cases that the caller reads, as much of it as fits one answer."""
    every, part = Wanted(reach=caller.reach(Action.NOTICES_READ)), Part(limit=500)
    async with kit.db.read() as conn:
        unknown, _ = await troubles.waiting(conn, every, part)
    return TroubleList(
        unknown=[trouble_view(kit, row) for row in unknown],
        readings=(await doubtful(kit, every, part))[0],
        disowned=(await disowned(kit, every, part))[0],
        possibly_twice=(await twice(kit, every, part))[0],
    )


async def twice(kit: NotificationKit, wanted: Wanted, part: Part) -> tuple[list[TwiceView], str | None]:
    """Messages that may have arrived more than once, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, following = await troubles.twice(conn, wanted, part)
    return [TwiceView(address=_masked(kit, row), **_fields(row, TwiceView)) for row in rows], following


async def disowned(kit: NotificationKit, wanted: Wanted, part: Part) -> tuple[list[DisownedView], str | None]:
    """Disowned contacts on which a person can decide, and where the list goes on."""
    async with kit.db.read() as conn:
        rows, following = await troubles.disowned(conn, wanted, part)
    return [_disowned_view(kit, row) for row in rows], following


def _disowned_view(kit: NotificationKit, row: troubles.Disowned) -> DisownedView:
    doubt = row.doubt
    address = text_of(kit.keyring, row.address, f"{doubt.address_id}/address")
    held = doubt.held_because if doubt.state is DoubtState.HELD else None
    return DisownedView(
        doubt_id=doubt.doubt_id,
        case_id=doubt.case_id,
        case_number=row.case_number,
        recipient_role=row.role,
        channel=doubt.channel,
        address=address if address == UNREADABLE_TEXT else masked_address(address),
        disowned_at=doubt.disowned_at,
        held=None if held is None else held.label,
    )


def trouble_view(kit: NotificationKit, row: Any) -> TroubleView:
    """A delivery that waits for a decision, its address masked."""
    return TroubleView(address=_masked(kit, row), **_fields(row, TroubleView))


def _fields(row: Any, view: type[TroubleView] | type[TwiceView]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in view.model_fields if name != "address"}


def _masked(kit: NotificationKit, row: Any) -> str:
    address = text_of(kit.keyring, row.address, f"{row.message_id}/address")
    return address if address == UNREADABLE_TEXT else masked_address(address)


async def papers(kit: NotificationKit, state: str | None, part: Part) -> PaperList:
    """The paper worklist, oldest first."""
    async with kit.db.read() as conn:
        rows, following = await paper.listed(conn, paper.Wanted(state), part)
    return PaperList(items=[paper_view(row) for row in rows], next=following)


def paper_view(row: Any) -> PaperView:
    """An entry without the person."""
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
