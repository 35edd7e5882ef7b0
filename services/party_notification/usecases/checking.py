"""Is it real? Anyone checks a notice by its number, or an SMS by its query code, and the end of the telephone.

Any telephone counts under which its party is registered, or at which they were ever written to. Who has the paper may
type the query code that stands on it instead. No names, and nothing of the case.
"""

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.party_notification.domain.notices import Kind
from services.party_notification.store import addresses, contacts, notices
from services.party_notification.usecases.addresses import ends
from services.party_notification.usecases.doors import party_of
from services.party_notification.usecases.facts import NotificationKit
from services.party_notification.usecases.trying import Lock, trying
from shared.crypto.codes import normalize
from shared.errors import Fault, Invalid, Unavailable

_LATER = "系统正在整理联系方式，暂时不能核对，这不说明通知的真假。请几分钟后再试，或者拨打12368核实。"
_CODE = 8
"""How long a query code is."""
_NOT_OURS = "没有与所填内容相符的通知。请核对；如仍不符，请勿转账或提供信息，并拨打12368核实。"
_LOCK = Lock("number_locked", "连续输错五次，这个编号已暂时锁定。")


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

    Raises Invalid, or TooMany for what is locked after five wrong tries, or while too many codes are looked up at once;
    Unavailable while it is not known yet where the party is registered.
    """
    typed = normalize(number)
    async with trying(kit, typed, _LOCK):
        async with kit.db.read() as conn:
            row = await notices.by_number(conn, typed)
        rows = await _of_code(kit, typed, last_four) if row is None else await _of_number(kit, row, last_four)
        if not rows:
            raise Invalid([Fault("number", _NOT_OURS)])
    return [
        Genuine(row.number, Kind(row.kind).label, row.issued_at, row.sent_at, row.state == "withdrawn") for row in rows
    ]


async def _of_number(kit: NotificationKit, row: Row[Any], given: str) -> list[Row[Any]]:
    """The notice, when a telephone of whom it was written to ends so, or their query code is this."""
    if row.issued_at is None:
        return []
    fits = await _ends_so(kit, row.party_id, given) or await _is_code(kit, row.party_id, given)
    return [row] if fits else []


async def _ends_so(kit: NotificationKit, party_id: UUID, given: str) -> bool:
    async with kit.db.read() as conn:
        if await contacts.is_due(conn, party_id):
            raise Unavailable("contacts_not_listed", _LATER)
        return await addresses.is_known(conn, party_id, ends(kit.lookups, _digits(given)))


async def _is_code(kit: NotificationKit, party_id: UUID, given: str) -> bool:
    code = normalize(given)
    return len(code) == _CODE and await party_of(kit, code) == party_id


async def _of_code(kit: NotificationKit, code: str, given: str) -> list[Row[Any]]:
    """What was written to whose code it is, when a telephone of theirs ends so."""
    party_id = await party_of(kit, code)
    if party_id is None or not await _ends_so(kit, party_id, given):
        return []
    async with kit.db.read() as conn:
        return await notices.written_to(conn, party_id)


def _digits(text: str) -> str:
    """What was typed of a telephone's end, whatever its width."""
    return "".join(unicodedata.normalize("NFKC", text).split())[-4:]
