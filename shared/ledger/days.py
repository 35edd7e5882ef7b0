"""The sealed days of a ledger: a signed record for each court day, bound to the one before it. Pure.

A record is canonical JSON (RFC 8785). `heads_sha256` is the SHA-256 over one line for each chain that moved since the
record before, sorted by the chain's id: `id position digest`, each line ended by a newline. Plain and not a tree:
whoever checks a day has all its lines. What did not move is covered by an earlier day, and `previous`, the SHA-256 of
the record before, covers that. An entry that was committed after its day had been sealed is covered by the next.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, NamedTuple, Self

from shared.crypto.signing import SigningKey, VerifyingKey
from shared.ledger.chain import Head, canonical

FORMAT = "yangguang-log-day/1"
NOTHING = hashlib.sha256(b"").hexdigest()
"""The digest of a day on which no chain moved; also what stands before the first record."""

Keys = Mapping[str, VerifyingKey]
"""Public keys by their ids."""


class DayBreak(StrEnum):
    """What is wrong with a sealed day, in words for people."""

    GAP = "前一日没有签署记录，可能被删除"
    UNLINKED = "与前一日的签署记录不相衔接，前一日的签署可能被替换"
    OTHER = "签署的内容不是这一日的"
    FOREIGN = "签名不符，签署记录被改动，或者不是法院的密钥签署"
    HEADS = "登记的各案链头与签署的不符，登记被改动"


class BrokenDay(NamedTuple):
    """The first day that does not hold, and why."""

    day: date
    why: DayBreak


def heads_digest(heads: Iterable[Head]) -> str:
    """The SHA-256 over the lines of these heads, in their order."""
    ordered = sorted(heads, key=lambda head: head.chain_id)
    lines = (f"{head.chain_id} {head.position} {head.digest}\n" for head in ordered)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


@dataclass(frozen=True)
class SealedDay:
    """The record of a day as it was signed. Nothing of it is believed before it is verified."""

    day: date
    text: str
    signature: str
    key_id: str

    @classmethod
    def seal(cls, key: SigningKey, court: str, day: date, previous: str, entries: int, heads: Sequence[Head]) -> Self:
        """Sign a day: how many entries came since the record before, and where the chains that moved end."""
        body = {
            "format": FORMAT,
            "court": court,
            "day": day.isoformat(),
            "entries": entries,
            "chains": len(heads),
            "heads_sha256": heads_digest(heads),
            "previous": previous,
        }
        text = canonical(body)
        return cls(day, text.decode(), base64.b64encode(key.sign(text)).decode(), key.key_id)

    @property
    def digest(self) -> str:
        """What the next record carries of this one."""
        return hashlib.sha256(self.text.encode()).hexdigest()

    @cached_property
    def _told(self) -> Mapping[str, Any]:
        try:
            told = json.loads(self.text)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}

    @property
    def previous(self) -> str:
        """The digest of the record before, as it was signed."""
        return str(self._told.get("previous"))

    @property
    def heads(self) -> str:
        """The digest over the heads, as it was signed."""
        return str(self._told.get("heads_sha256"))

    @property
    def of_its_day(self) -> bool:
        """Whether what was signed is a record of this day."""
        return (self._told.get("format"), self._told.get("day")) == (FORMAT, self.day.isoformat())

    def signed(self, keys: Keys) -> bool:
        """Whether one of these keys signed exactly this text."""
        try:
            signature = base64.b64decode(self.signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        key = keys.get(self.key_id)
        return key is not None and key.verify(self.text.encode(), signature)


def verify_days(days: Sequence[SealedDay], heads: Mapping[date, str], keys: Keys | None) -> BrokenDay | None:
    """The first fault of all days in order, or None. `heads`: the digest over the lines as kept, by day.

    Without `keys` signatures are not looked at.
    """
    broken = verify_links(days, keys)
    for each in days:
        if broken is not None and broken.day <= each.day:
            return broken
        if heads.get(each.day, NOTHING) != each.heads:
            return BrokenDay(each.day, DayBreak.HEADS)
    unsigned = sorted(set(heads) - {each.day for each in days})
    return BrokenDay(unsigned[0], DayBreak.HEADS) if unsigned else broken


def verify_links(days: Sequence[SealedDay], keys: Keys | None) -> BrokenDay | None:
    """The first of days in order that is not signed, not of its day, or does not follow the one before; or None."""
    before: SealedDay | None = None
    for each in days:
        why = _fault(before, each, keys)
        if why is not None:
            return BrokenDay(each.day, why)
        before = each
    return None


def _fault(before: SealedDay | None, here: SealedDay, keys: Keys | None) -> DayBreak | None:
    if not here.of_its_day:
        return DayBreak.OTHER
    if keys is not None and not here.signed(keys):
        return DayBreak.FOREIGN
    if before is None:
        return None
    if here.day - before.day != timedelta(days=1):
        return DayBreak.GAP
    return None if here.previous == before.digest else DayBreak.UNLINKED
