"""Legal effect: derived from all evidence of a notice each time something was added to it."""

from typing import Any

from sqlalchemy import Row

from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.effect import Event, Evidence, Served, legal_effect
from services.party_notification.store import cases, notices, paper
from services.party_notification.store.tables import LEDGER
from shared.clock import court_date
from shared.contracts.notices import NoticeServed
from shared.db.transaction import Transaction
from shared.ledger.store import append

_OF_MAIL = {
    Seen.SENT: Event.MAIL_ACCEPTED,
    Seen.QUERY_FOUND: Event.MAIL_ACCEPTED,
    Seen.RULED_ARRIVED: Event.MAIL_ACCEPTED,
    Seen.BOUNCED: Event.MAIL_BOUNCED,
    Seen.RULED_NOT_ARRIVED: Event.MAIL_BOUNCED,
}


async def judge_effect(tx: Transaction, notice: Row[Any]) -> None:
    """Keep the notice's effect; tell of it when it is new."""
    party = await cases.get_party(tx.conn, notice.party_id)
    if party is None or notice.state != "issued":
        return
    evidence = await _evidence(tx, notice)
    effect = legal_effect(consents=party.consents, address_confirmed_on=party.address_confirmed_on, evidence=evidence)
    if not isinstance(effect, Served):
        await notices.mark_served(tx.conn, notice.notice_id, None, None, effect.because)
        return
    await notices.mark_served(tx.conn, notice.notice_id, effect.on, effect.by.value, effect.because)
    if notice.served_on != effect.on:
        about = {name: getattr(notice, name) for name in ("case_id", "notice_id", "kind", "party_id", "role")}
        await tx.emit(NoticeServed(**about, channel=effect.by.value, served_on=effect.on))
        body = {"notice_id": str(notice.notice_id), "by": effect.by.value, "on": effect.on.isoformat()}
        await append(tx.conn, LEDGER, str(notice.case_id), tx.now, "notice.served", body)


async def _evidence(tx: Transaction, notice: Row[Any]) -> list[Evidence]:
    deliveries = await notices.deliveries_of(tx.conn, [notice.notice_id])
    channels = {row.delivery_id: row.channel for row in deliveries}
    evidence = []
    for seen in await notices.observations_of(tx.conn, list(channels)):
        event = _event(channels[seen.delivery_id], Seen(seen.seen))
        if event is not None:
            evidence.append(Evidence(event, court_date(seen.product_time), str(seen.delivery_id)))
    read_at = await notices.read_at(tx.conn, notice.notice_id)
    if read_at is not None:
        evidence.append(Evidence(Event.DOCUMENT_READ, court_date(read_at)))
    papers = await paper.of_notice(tx.conn, notice.notice_id)
    return evidence + [Evidence(Event.PAPER_DELIVERED, row.served_on) for row in papers if row.served_on]


def _event(channel: str, seen: Seen) -> Event | None:
    if channel == "mail":
        return _OF_MAIL.get(seen)
    return Event.SMS_DELIVERED if seen is Seen.RECEIPT_DELIVERED else None
