"""Is it real? Anyone checks a notice by its number and the last four digits of the telephone: no names."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from services.party_notification.domain.notices import Kind
from services.party_notification.store import notices
from services.party_notification.usecases.facts import NotificationKit
from shared.crypto.codes import normalize
from shared.errors import Fault, Invalid, TooMany

WRONG_TRIES = 5
LOCK = timedelta(minutes=15)


@dataclass(frozen=True)
class Genuine:
    """What the court sent, and when."""

    title: str
    issued_at: datetime
    sent_at: datetime | None


async def check_notice(kit: NotificationKit, number: str, last_four: str) -> Genuine:
    """The notice, if it is real. Raises Invalid, or TooMany for a number that is locked after five wrong tries."""
    number = normalize(number)
    async with kit.db.begin() as tx:
        row = await notices.by_number(tx.conn, number)
        locked = row is not None and row.locked_until is not None and row.locked_until > tx.now
        tail = kit.keyring.blind_index(f"{number}/{last_four.strip()}", "notice check")
        right = row is not None and not locked and row.phone_tail == tail
        if row is not None and not locked:
            tries = 0 if right else row.wrong_tries + 1
            until = tx.now + LOCK if tries >= WRONG_TRIES else None
            await notices.count_try(tx.conn, row.notice_id, tries % WRONG_TRIES, until)
    if locked:
        raise TooMany("number_locked", "输错次数过多，该编号已锁定15分钟。请稍后再试，或拨打12368核实。", 900)
    if row is None or not right or row.issued_at is None:
        reason = "没有与该编号和手机尾号相符的通知。请核对；如仍不符，请勿转账或提供信息，并拨打12368核实。"
        raise Invalid([Fault("number", reason)])
    return Genuine(Kind(row.kind).label, row.issued_at, row.sent_at)
