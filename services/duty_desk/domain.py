"""The desk's rules: four moments that are never mixed, two clocks, and what may be said to a party.

`arrived_at` starts only the desk's own triage clock; `taken_at` stops that one. `accepted_at` starts the clock of
rows 26 to 29; only the deed (`acted_at`) stops it. All run on real elapsed time, holidays included.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.tips import TipGround
from shared.errors import Conflict, Fault, Invalid


class Source(StrEnum):
    """Where an item comes from."""

    TIP = "tip"
    TROUBLE = "trouble"


class Clock(StrEnum):
    """The two clocks of an item."""

    TRIAGE = "triage"
    DEED = "deed"


GROUND_WORDS: dict[TipGround, str] = {
    TipGround.PROPERTY: "可供执行财产",
    TipGround.WHEREABOUTS: "被执行人下落",
    TipGround.NEW_PROPERTY: "中止案件新财产",
    TipGround.URGENT: "情况紧急",
}

PROGRESS = "本院已依法开展执行工作并采取相应措施，后续进展将依法告知。"
"""What the applicant is told of a deed unless the officer words it: it reveals neither a tip nor a measure."""

_TELLING = re.compile(r"线索|举报|揭发|检举|来电|来信|悬赏|知情人|群众反映|值班")


@dataclass(frozen=True)
class Patience:
    """How long each clock runs."""

    triage: timedelta
    urgent_triage: timedelta
    deed: Mapping[TipGround, timedelta]

    def triage_due(self, ground: TipGround | None, arrived_at: datetime) -> datetime:
        """By when somebody must have taken the item."""
        return arrived_at + (self.urgent_triage if ground is TipGround.URGENT else self.triage)

    def deed_due(self, ground: TipGround, accepted_at: datetime) -> datetime:
        """By when the deed must be done."""
        return accepted_at + self.deed[ground]


@dataclass(frozen=True)
class Moments:
    """How far an item has come (UTC)."""

    source: Source
    taken_at: datetime | None
    accepted_at: datetime | None
    closed_at: datetime | None


def check_take(moments: Moments) -> None:
    """Raises Conflict when somebody has it already."""
    _check_open(moments)
    if moments.taken_at is not None:
        raise Conflict("already_taken", "已有人接手，请刷新后查看。")


def check_accept(moments: Moments) -> None:
    """Raises Conflict unless the tip was taken and not accepted yet."""
    _check_open(moments)
    if moments.source is not Source.TIP:
        raise Conflict("no_evidence", "系统故障事项没有证据可采信，处理后请直接登记。")
    if moments.taken_at is None:
        raise Conflict("not_taken", "请先接手，再采信证据。")
    if moments.accepted_at is not None:
        raise Conflict("already_accepted", "证据已采信，期限已开始计算。")


def check_act(moments: Moments) -> None:
    """Raises Conflict unless the item is ready for its deed."""
    _check_open(moments)
    if moments.taken_at is None:
        raise Conflict("not_taken", "请先接手，再登记已采取的行动。")
    if moments.source is Source.TIP and moments.accepted_at is None:
        raise Conflict("not_accepted", "请先采信证据，再登记已采取的行动。")


def check_dismiss(moments: Moments) -> None:
    """Raises Conflict unless the tip was taken and its evidence not accepted."""
    check_act(Moments(Source.TROUBLE, moments.taken_at, None, moments.closed_at))
    if moments.accepted_at is not None:
        raise Conflict("already_accepted", "证据已采信，不能再作不予采信处理。")


def _check_open(moments: Moments) -> None:
    if moments.closed_at is not None:
        raise Conflict("already_closed", "该事项已办结，请刷新后查看。")


def check_progress(text: str | None) -> None:
    """Nothing to any party reveals a tip. Raises Invalid."""
    found = _TELLING.search(text or "")
    if found:
        reason = f"告知当事人的内容不得出现“{found[0]}”，以免透露线索来源。请改写。"
        raise Invalid([Fault("progress", reason)])
