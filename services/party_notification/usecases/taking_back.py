"""Notices that a case of its kind does not owe, as older releases wrote them: taken back, logged, told to nobody."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.next_step import Done
from services.party_notification.domain.notices import Kind
from services.party_notification.store import notices, withdrawing
from services.party_notification.usecases.circle import Circle
from services.party_notification.usecases.contacts import Why, plan_anew
from services.party_notification.usecases.effects import about
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.observing import Sighting, note_all
from services.party_notification.usecases.outgoing import Parcel
from shared.contracts.case_kinds import NoticeKind
from shared.contracts.cases import PartyRole
from shared.contracts.notices import NoticeWithdrawn
from shared.db.transaction import Transaction, new_id

_DROPPED = "本案不适用这份文书，已撤回，不再发送。"


async def take_back(kit: NotificationKit, tx: Transaction, circle: Circle, rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    """Withdraw the notices that the filing of such a case never owes; all rows as they then are."""
    wrong = [row for row in rows if row.state != "withdrawn" and not _belongs(circle, row)]
    if not wrong:
        return list(rows)
    reason = f"本案是{circle.case.kind_of_case.title}，不适用这份文书，不发生效力。"
    await withdrawing.void(tx.conn, [row.notice_id for row in wrong], reason)
    await _drop(kit, tx, circle, await withdrawing.not_left_of(tx.conn, [row.notice_id for row in wrong]))
    for row in wrong:
        circle.effects.events.append(NoticeWithdrawn(**about(row), reason=reason))
        circle.effects.deeds.append(("notice.withdrawn", {"notice_id": str(row.notice_id), "because": reason}))
    return await notices.of_case(tx.conn, circle.row.case_id)


async def _drop(kit: NotificationKit, tx: Transaction, circle: Circle, dropped: Sequence[Row[Any]]) -> None:
    """What would still leave does not; other notices that it carried are planned anew."""
    sighting = Sighting(Seen.NOT_LEFT, permanent=False, detail=_DROPPED, decided=Done())
    await note_all(kit, tx, {delivery.delivery_id: sighting for delivery in dropped})
    for party_id, party in circle.parties.items():
        mine = [delivery for delivery in dropped if delivery.party_id == party_id]
        if mine:
            await plan_anew(kit, tx, Parcel(circle.case, party, circle.rows[party_id], (), new_id()), mine, Why())


def _belongs(circle: Circle, row: Row[Any]) -> bool:
    if row.kind not in set(NoticeKind):
        return True
    return Kind(row.kind) in {Kind(kind) for kind in circle.case.kind_of_case.owed[PartyRole(row.role)]}
