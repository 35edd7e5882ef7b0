"""Letters written anew for paper, where a mail did not get through: true to the way in which they now travel."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import Kind, NoticeFacts, ServiceWay
from services.party_notification.store import cases, notices, paper
from services.party_notification.usecases.circle import Circle, load, progress_of, renderer
from services.party_notification.usecases.effects import Effects
from services.party_notification.usecases.facts import NotificationKit, query_code_of
from services.party_notification.usecases.planning import to_paper
from shared.clock import court_date
from shared.db.answers import given_before, remember
from shared.db.transaction import Transaction, new_id
from shared.errors import Conflict, NotFound
from shared.http.auth import Caller


async def letters_for_paper(
    kit: NotificationKit, tx: Transaction, party: Row[Any], carried: Sequence[Row[Any]]
) -> dict[UUID, str | None]:
    """The letters of a mail that did not get through, written anew so that they are true to paper; sealed."""
    circle = await load(kit, tx, party.case_id, carried[0].cause)
    if circle is None:
        return dict.fromkeys(notice.notice_id for notice in carried)
    together = tuple(Kind(notice.kind) for notice in carried)
    return {row.notice_id: await _letter_for_paper(kit, tx, circle, row, together) for row in carried}


async def _letter_for_paper(
    kit: NotificationKit, tx: Transaction, circle: Circle, row: Row[Any], together: tuple[Kind, ...]
) -> str:
    party, kind = circle.parties[row.party_id], Kind(row.kind)
    facts = NoticeFacts(
        number=row.number,
        kind=kind,
        issued_on=court_date(row.issued_at),
        opponents=circle.opponents(party),
        enclosures=tuple(other for other in together if other is not kind),
        way=ServiceWay.PAPER if party.postal_address else ServiceWay.COLLECT,
        progress=await progress_of(kit, tx, row.case_id, row.entry),
    )
    code = query_code_of(kit.keyring, circle.rows[row.party_id])
    case = circle.case.ordering_report(row.report_ordered)
    letter = renderer(kit).letter(kind, case, party, facts, code)
    return kit.keyring.seal(letter.decode(), f"{row.notice_id}/paper")


async def post_anew(
    kit: NotificationKit, notice_id: UUID, remark: str, caller: Caller, once: tuple[str, str] | None = None
) -> None:
    """A letter goes on paper, too, because the party asked for it (CPL 90) or lost their query code.

    `once`: key and fingerprint of the request. Raises NotFound, and Conflict for a notice that is not written, or void.
    """
    scope = f"paper:{notice_id}:{caller.staff_id}"
    async with kit.db.begin() as tx:
        if once is not None and await given_before(tx, scope, *once) is not None:
            return
        notice = await notices.get(tx.conn, notice_id)
        if notice is None:
            raise NotFound("no_such_notice", "没有这份通知。")
        party = await cases.get_party(tx.conn, notice.party_id)
        if notice.state != "issued" or party is None:
            raise Conflict("notice_not_written", "这份通知尚未制作或者已经作废，不能寄送。")
        letters = await letters_for_paper(kit, tx, party, [notice])
        asked = new_id()
        await to_paper(tx, party, asked, letters, "应当事人要求补寄纸质文书。")
        await paper.remark(tx.conn, party.party_id, asked, kit.keyring.seal(remark, f"{asked}/remark"))
        body = {"notice_id": str(notice_id), "by": str(caller.staff_id)}
        await Effects([("paper.asked_for", body)]).tell(tx, notice.case_id)
        if once is not None:
            await remember(tx, scope, *once, {})
