"""Is it real? Anyone checks a notice by its number and the last four digits of the telephone: no names."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.party_notification.domain.notices import Kind
from services.party_notification.store import notices
from services.party_notification.usecases.facts import NotificationKit
from shared.crypto.codes import normalize
from shared.errors import Fault, Invalid, TooMany

WRONG_TRIES = 5
LOCK = timedelta(minutes=15)
_NOT_OURS = "没有与该编号和手机尾号相符的通知。请核对；如仍不符，请勿转账或提供信息，并拨打12368核实。"


@dataclass(frozen=True)
class Genuine:
    """What the court sent, and when."""

    number: str
    title: str
    issued_at: datetime
    sent_at: datetime | None


async def check_notice(kit: NotificationKit, number: str, last_four: str) -> Genuine:
    """The notice, if it is real. Raises Invalid, or TooMany for a number that is locked after five wrong tries."""
    number = normalize(number)
    tail = kit.keyring.blind_index(f"{number}/{_digits(last_four)}", "notice check")
    async with kit.db.begin() as tx:
        row = await notices.by_number(tx.conn, number)
        locked = row is not None and row.locked_until is not None and row.locked_until > tx.now
        right = row is not None and not locked and row.phone_tail == tail
        if row is not None and not locked:
            tries = 0 if right else row.wrong_tries + 1
            until = tx.now + LOCK if tries >= WRONG_TRIES else None
            await notices.count_try(tx.conn, row.notice_id, tries % WRONG_TRIES, until)
        left = (row.locked_until - tx.now).total_seconds() if row is not None and locked else 0
    if locked:
        raise TooMany("number_locked", "连续输错五次，这个编号已暂时锁定。", max(1, round(left)))
    if row is None or not right or row.issued_at is None:
        raise Invalid([Fault("number", _NOT_OURS)])
    return Genuine(number, Kind(row.kind).label, row.issued_at, row.sent_at)


def _digits(text: str) -> str:
    """What was typed of a telephone's end, whatever its width."""
    return "".join(unicodedata.normalize("NFKC", text).split())[-4:]
