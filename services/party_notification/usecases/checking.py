"""Is it real? Anyone checks a notice by its number, or an SMS by its query code, and the end of the telephone.

No names, and nothing of the case.
"""

import math
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row

from services.party_notification.domain.notices import Kind
from services.party_notification.store import doors, notices
from services.party_notification.usecases.doors import party_of
from services.party_notification.usecases.facts import CHECK, CONTACT, NotificationKit, check_index, tried
from shared.crypto.codes import normalize
from shared.db import tries
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

    Raises Invalid, or TooMany for what is locked after five wrong tries, or while too many codes are looked up at once.
    """
    typed, end = normalize(number), _digits(last_four)
    mark = tried(kit, typed)
    async with kit.db.begin() as tx:
        locked = await tries.claim(tx.conn, mark)
    if locked:
        raise TooMany("number_locked", "连续输错五次，这个编号已暂时锁定。", math.ceil(locked))
    async with kit.db.read() as conn:
        row = await notices.by_number(conn, typed)
    rows = await _of_code(kit, typed, end) if row is None else _of_number(kit, row, end)
    if not rows:
        raise Invalid([Fault("number", _NOT_OURS)])
    async with kit.db.begin() as tx:
        await tries.forget(tx.conn, mark)
    return [
        Genuine(row.number, Kind(row.kind).label, row.issued_at, row.sent_at, row.state == "withdrawn") for row in rows
    ]


def _of_number(kit: NotificationKit, row: Row[Any], end: str) -> list[Row[Any]]:
    fits = row.issued_at is not None and row.check_index in kit.lookups.indexes(f"{row.number}/{end}", CHECK)
    return [row] if fits else []


async def _of_code(kit: NotificationKit, code: str, end: str) -> list[Row[Any]]:
    """What was written to whose code it is, when a telephone of theirs ends so."""
    party_id = await party_of(kit, code)
    if party_id is None:
        return []
    marks = kit.lookups.indexes(f"{party_id}/{end}", CONTACT)
    async with kit.db.read() as conn:
        told = await doors.contacts(conn, party_id, marks)
        return await notices.written_to(conn, party_id) if told else []


async def hash_anew(kit: NotificationKit) -> bool:
    """Hash the checks of older notices with the key that the public pages have; whether there were any."""
    async with kit.db.begin() as tx:
        rows = await notices.checked_otherwise(tx.conn, kit.lookups.current, 100)
        for row in rows:
            phone = kit.keyring.open(row.address, f"{row.message_id}/address")
            values = {"check_index": check_index(kit.lookups, row.number, phone)}
            await notices.change(tx.conn, row.notice_id, values)
    return bool(rows)


def _digits(text: str) -> str:
    """What was typed of a telephone's end, whatever its width."""
    return "".join(unicodedata.normalize("NFKC", text).split())[-4:]
