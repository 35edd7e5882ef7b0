"""Legal effect: derived from all evidence of a notice each time something was added to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.delivery import Seen
from services.party_notification.domain.effect import Event as ProofEvent
from services.party_notification.domain.effect import Evidence, NotServed, Served, came_to_nothing, legal_effect
from services.party_notification.store import notices, paper
from services.party_notification.store.tables import LEDGER
from shared.clock import court_date
from shared.contracts.envelope import Event
from shared.contracts.notices import NoticeSent, NoticeServed, NoticeUnserved
from shared.db.transaction import Transaction
from shared.ledger.store import append_all, open_all

_OF_MAIL = {
    Seen.SENT: ProofEvent.MAIL_ACCEPTED,
    Seen.QUERY_FOUND: ProofEvent.MAIL_ACCEPTED,
    Seen.RULED_ARRIVED: ProofEvent.MAIL_ACCEPTED,
    Seen.BOUNCED: ProofEvent.MAIL_BOUNCED,
    Seen.RULED_NOT_ARRIVED: ProofEvent.MAIL_BOUNCED,
}


@dataclass
class Effects:
    """What an act adds to the case's chain, and what it tells: written once, at its end."""

    deeds: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    async def tell(self, tx: Transaction, case_id: UUID) -> None:
        """Write both. Last in the transaction: the chain's head stays locked until it ends."""
        await tx.emit(*self.events)
        await append_all(tx, LEDGER, str(case_id), self.deeds)


async def tell_all(tx: Transaction, effects: Mapping[UUID, Effects]) -> None:
    """Write those of several cases: their chains' heads are locked at once and in order."""
    await open_all(tx, LEDGER, map(str, effects))
    for case_id in sorted(effects):
        await effects[case_id].tell(tx, case_id)


async def judge(tx: Transaction, carried: Sequence[Row[Any]], effects: Effects) -> None:
    """As `judge_all`, for the notices of one case."""
    await judge_all(tx, carried, {notice.case_id: effects for notice in carried})


async def judge_all(tx: Transaction, carried: Sequence[Row[Any]], effects: Mapping[UUID, Effects]) -> None:
    """Bring the legal effect of notices up to date; what is new goes into the effects of each notice's case.

    A notice is judged by the consent and the confirmation under which it was issued: what a party changes
    later binds later notices.
    """
    # Locked before the evidence is gathered: whoever adds to it at the same moment judges after us, by ours too.
    issued = await notices.lock_issued(tx.conn, [notice.notice_id for notice in carried])
    evidence = await _evidence(tx, [notice.notice_id for notice in issued])
    changed = []
    for notice in issued:
        effect = legal_effect(
            consents=notice.consents,
            address_confirmed_on=notice.address_confirmed_on,
            evidence=evidence[notice.notice_id],
        )
        lost = isinstance(effect, NotServed) and _is_lost(notice, evidence[notice.notice_id])
        changed += _change(notice, effect, effects[notice.case_id], tx.now if lost else None)
    await notices.mark_served(tx.conn, changed)
    lapsed = {row["notice_id"] for row in changed if row["lapsed_at"] == tx.now}
    await _tell_posted(tx, [notice for notice in issued if notice.notice_id in lapsed], effects)


async def _tell_posted(tx: Transaction, lapsed: Sequence[Row[Any]], effects: Mapping[UUID, Effects]) -> None:
    """A letter that the post has is sent, whatever became of the mail that had served it."""
    if not lapsed:
        return
    rows = await paper.with_the_post(tx.conn, [notice.notice_id for notice in lapsed])
    posted = {row.notice_id: row.posted_at for row in rows}
    for notice in lapsed:
        at = posted.get(notice.notice_id)
        if at is not None and await notices.set_sent(tx.conn, notice.notice_id, at):
            effects[notice.case_id].events.append(NoticeSent(**about(notice), channel="paper", sent_at=at))


def _is_lost(notice: Row[Any], evidence: Sequence[Evidence]) -> bool:
    """It was served, or only sent (to an address that nobody confirmed), and the mail did not arrive after all."""
    return notice.served_on is not None or (notice.sent_at is not None and came_to_nothing(evidence))


def _change(
    notice: Row[Any], effect: Served | NotServed, effects: Effects, lost_at: datetime | None
) -> list[dict[str, Any]]:
    on, by = (effect.on, effect.by.value) if isinstance(effect, Served) else (None, None)
    if (on, by, effect.because) == (notice.served_on, notice.served_by, notice.served_because):
        return []
    lapsed_at = None if by else notice.lapsed_at
    if lost_at is not None:
        lapsed_at = lost_at
        was = {"channel": notice.served_by or "mail", "served_on": notice.served_on}
        effects.events.append(NoticeUnserved(**about(notice), **was, reason=effect.because))
        effects.deeds.append(("notice.unserved", {"notice_id": str(notice.notice_id), "because": effect.because}))
    if on is not None and by is not None and on != notice.served_on:
        effects.events.append(NoticeServed(**about(notice), channel=by, served_on=on))
        body = {"notice_id": str(notice.notice_id), "by": by, "on": on.isoformat()}
        effects.deeds.append(("notice.served", body))
    values = {"served_on": on, "served_by": by, "served_because": effect.because, "lapsed_at": lapsed_at}
    return [{"notice_id": notice.notice_id, **values}]


async def _evidence(tx: Transaction, notice_ids: Sequence[UUID]) -> dict[UUID, list[Evidence]]:
    """All evidence of each notice: of its deliveries, its reading, its paper."""
    evidence: dict[UUID, list[Evidence]] = {notice_id: [] for notice_id in notice_ids}
    if not notice_ids:
        return evidence
    for row in await notices.seen_of(tx.conn, notice_ids):
        event = _event(row.channel, Seen(row.seen))
        if event is not None:
            evidence[row.notice_id].append(Evidence(event, court_date(row.product_time), str(row.delivery_id)))
    for row in await notices.reads_of(tx.conn, notice_ids):
        evidence[row.notice_id].append(Evidence(ProofEvent.DOCUMENT_READ, court_date(row.first_read_at)))
    for row in await paper.days_of(tx.conn, notice_ids):
        evidence[row.notice_id].append(Evidence(ProofEvent.PAPER_DELIVERED, row.served_on))
    return evidence


def about(notice: Row[Any]) -> dict[str, Any]:
    """The fields that every event on a notice carries."""
    return {name: getattr(notice, name) for name in ("case_id", "notice_id", "kind", "party_id", "role")}


def _event(channel: str, seen: Seen) -> ProofEvent | None:
    if channel == "mail":
        return _OF_MAIL.get(seen)
    return ProofEvent.SMS_DELIVERED if seen is Seen.RECEIPT_DELIVERED else None
