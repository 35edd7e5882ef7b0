"""Is it real? Anyone checks a notice by its number, or an SMS by its query code, and the end of the telephone.

No names, and nothing of the case.
"""

import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from services.party_notification.domain.notices import Kind
from services.party_notification.store import notices
from services.party_notification.usecases.facts import NotificationKit, check_index
from shared.crypto.codes import normalize
from shared.db import tries
from shared.db.transaction import Transaction
from shared.errors import Fault, Invalid, TooMany

_NOT_OURS = "没有与该编号或者查询码和手机尾号相符的通知。请核对；如仍不符，请勿转账或提供信息，并拨打12368核实。"


@dataclass(frozen=True)
class Genuine:
    """What the court sent, and when."""

    number: str
    title: str
    issued_at: datetime
    sent_at: datetime | None
    withdrawn: bool = False
    """Whether it went to somebody who is no party: nothing follows from it."""


async def check_notice(kit: NotificationKit, number: str, last_four: str) -> list[Genuine]:
    """The notice with this number, or those of which the SMS with this query code told, newest first.

    Raises Invalid, or TooMany for what is locked after five wrong tries.
    """
    typed = normalize(number)
    mark = kit.keyring.blind_index(typed, "notice number")
    index = check_index(kit.keyring, typed, _digits(last_four))
    async with kit.db.begin() as tx:
        locked = await tries.claim(tx.conn, mark)
        if locked:
            raise TooMany("number_locked", "连续输错五次，这个编号已暂时锁定。", math.ceil(locked))
        found = await _found(tx, typed, index)
        if found:
            await tries.forget(tx.conn, mark)
    if not found:
        raise Invalid([Fault("number", _NOT_OURS)])
    return found


async def _found(tx: Transaction, typed: str, index: str | None) -> list[Genuine]:
    row = await notices.by_number(tx.conn, typed)
    numbered = [row] if row is not None and row.check_index == index and row.issued_at is not None else []
    rows = numbered if row is not None or index is None else await notices.by_code_check(tx.conn, index)
    return [
        Genuine(row.number, Kind(row.kind).label, row.issued_at, row.sent_at, row.state == "withdrawn") for row in rows
    ]


async def add_code_checks(kit: NotificationKit) -> bool:
    """Let the codes of SMS that older releases sent be checked too; whether there were any left."""
    async with kit.db.begin() as tx:
        rows = await notices.without_code_check(tx.conn, 100)
        told = {row.notice_id: row for row in await notices.sms_numbers(tx.conn, [row.notice_id for row in rows])}
        for row in rows:
            sms = told.get(row.notice_id)
            # Of one that no SMS told of nobody has the code by telephone: it is checked by its number.
            phone = "" if sms is None else kit.keyring.open(sms.address, f"{sms.message_id}/address")
            code = kit.keyring.open(row.code, f"{row.party_id}/code")
            values = {"code_check": check_index(kit.keyring, code, phone) if phone else ""}
            await notices.change(tx.conn, row.notice_id, values)
    return bool(rows)


def _digits(text: str) -> str:
    """What was typed of a telephone's end, whatever its width."""
    return "".join(unicodedata.normalize("NFKC", text).split())[-4:]
