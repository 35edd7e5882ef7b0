"""Is it real? Anyone checks a notice by its number and the last four digits of the telephone: no names."""

import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from services.party_notification.domain.notices import Kind
from services.party_notification.store import notices
from services.party_notification.usecases.facts import NotificationKit, check_index
from shared.crypto.codes import normalize
from shared.db import tries
from shared.errors import Fault, Invalid, TooMany

_NOT_OURS = "没有与该编号和手机尾号相符的通知。请核对；如仍不符，请勿转账或提供信息，并拨打12368核实。"


@dataclass(frozen=True)
class Genuine:
    """What the court sent, and when."""

    number: str
    title: str
    issued_at: datetime
    sent_at: datetime | None
    withdrawn: bool = False
    """Whether it went to somebody who is no party: nothing follows from it."""


async def check_notice(kit: NotificationKit, number: str, last_four: str) -> Genuine:
    """The notice, if it is real. Raises Invalid, or TooMany for a number that is locked after five wrong tries."""
    number = normalize(number)
    mark = kit.keyring.blind_index(number, "notice number")
    index = check_index(kit.keyring, number, _digits(last_four))
    async with kit.db.begin() as tx:
        locked = await tries.claim(tx.conn, mark)
        if locked:
            raise TooMany("number_locked", "连续输错五次，这个编号已暂时锁定。", math.ceil(locked))
        row = await notices.by_number(tx.conn, number)
        right = row is not None and row.check_index == index
        if right:
            await tries.forget(tx.conn, mark)
    if row is None or not right or row.issued_at is None:
        raise Invalid([Fault("number", _NOT_OURS)])
    return Genuine(number, Kind(row.kind).label, row.issued_at, row.sent_at, row.state == "withdrawn")


def _digits(text: str) -> str:
    """What was typed of a telephone's end, whatever its width."""
    return "".join(unicodedata.normalize("NFKC", text).split())[-4:]
