"""What a tip is to its sender: where it stands, in words; which case it names; and how much one source may send."""

import re
import unicodedata
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from ipaddress import IPv6Address, IPv6Network, ip_address

from shared.contracts.tips import TipGround

_CASE_NUMBER = re.compile(r"（(?:19|20)\d\d）[一-鿿]\d{0,4}[一-鿿]{1,8}(?:字第)?\d{1,8}号", re.ASCII)
_BRACKETS = str.maketrans("()[]【】〔〕", "（）（）（）（）")


def case_number(text: str) -> str | None:
    """The case number that a sender wrote, in full-width brackets; None when it is none.

    It travels in plain text, so nothing else may: a name or a telephone number belongs into the sealed body.
    """
    plain = "".join(unicodedata.normalize("NFKC", text).translate(_BRACKETS).split())
    return plain if _CASE_NUMBER.fullmatch(plain) else None


GROUND_WORDS: dict[TipGround, str] = {
    TipGround.PROPERTY: "我知道被执行人的财产（房产、车辆、存款、货物等）",
    TipGround.WHEREABOUTS: "我知道被执行人在哪里",
    TipGround.NEW_PROPERTY: "案件已经中止或终结，我发现了新的财产",
    TipGround.URGENT: "情况紧急：财产正在被转移，或人即将离开",
}


class TipState(StrEnum):
    """How far the duty desk has come with a tip."""

    RECEIVED = "received"
    TAKEN = "taken"
    ACCEPTED = "accepted"
    ACTED = "acted"
    DISMISSED = "dismissed"


STATE_WORDS: dict[TipState, tuple[str, str]] = {
    TipState.RECEIVED: ("已收到", "值班员将尽快查看。您现在不需要做什么。"),
    TipState.TAKEN: ("正在核查", "值班员已接手，正在核查您提供的信息。"),
    TipState.ACCEPTED: ("已采信", "您提供的信息已被采信，本院正在依法采取行动。"),
    TipState.DISMISSED: ("已核查", "值班员已核查，目前的信息还不足以采取行动。如有更具体的情况，请再次提交。"),
    TipState.ACTED: ("已处理", "本院已依法采取行动。感谢您的支持；案件细节依法不能向您透露。"),
}


@dataclass(frozen=True)
class Moments:
    """The three moments after arrival, as far as they came (UTC)."""

    taken_at: datetime | None
    accepted_at: datetime | None
    acted_at: datetime | None
    dismissed_at: datetime | None = None

    @property
    def state(self) -> TipState:
        """The furthest moment reached, whichever came in between."""
        if self.acted_at is not None:
            return TipState.ACTED
        if self.dismissed_at is not None:
            return TipState.DISMISSED
        if self.accepted_at is not None:
            return TipState.ACCEPTED
        return TipState.TAKEN if self.taken_at is not None else TipState.RECEIVED


def source_of(host: str) -> str:
    """What counts as one source: an IPv4 address, or the IPv6 network of one household (/64)."""
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, IPv6Address) and address.ipv4_mapped is None:
        return str(IPv6Network((address, 64), strict=False))
    return str(getattr(address, "ipv4_mapped", None) or address)


class SourceLimit:
    """At most `most` acts of one source within `seconds`; sources are kept as hashes, in memory only."""

    def __init__(self, most: int, seconds: float, sources: int = 50_000) -> None:
        self._most = most
        self._seconds = seconds
        self._sources = sources
        self._seen: dict[str, deque[float]] = {}

    def wait(self, source: str, now: float) -> float:
        """0 when the act may pass (and is counted), else the seconds to wait. `now` is any steady clock's."""
        acts = self._seen.pop(source, deque())
        while acts and acts[0] <= now - self._seconds:
            acts.popleft()
        self._seen[source] = acts
        if len(self._seen) > self._sources:
            self._seen.pop(next(iter(self._seen)))
        if len(acts) >= self._most:
            return acts[0] + self._seconds - now
        acts.append(now)
        return 0.0
