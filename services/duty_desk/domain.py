"""The desk's rules: four moments that are never mixed, three clocks, and what may be said to a party.

Exactly one clock runs for every open item, so nothing can lie on the desk without a time by which to act: arrival
starts triage, taking starts the check, accepted evidence starts the clock of rows 26 to 29, and only the deed (or a
dismissal) ends the last of them. All run on real elapsed time, holidays included.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.contracts.confidential import telling
from shared.contracts.tips import TipGround
from shared.errors import Conflict, Fault, Invalid


class Source(StrEnum):
    """Where an item comes from."""

    TIP = "tip"
    TROUBLE = "trouble"


class Clock(StrEnum):
    """The clocks of an item, in their order."""

    TRIAGE = "triage"
    """Until somebody takes it: the desk's own limit."""
    CHECK = "check"
    """Until the evidence is accepted or dismissed; for a trouble, until it is dealt with."""
    DEED = "deed"
    """From the accepted evidence to the deed: rows 26 to 29."""


GROUND_WORDS: dict[TipGround, str] = {
    TipGround.PROPERTY: "可供执行财产",
    TipGround.WHEREABOUTS: "被执行人下落",
    TipGround.NEW_PROPERTY: "中止案件新财产",
    TipGround.URGENT: "情况紧急",
}

PROGRESS = "本院已依法开展执行工作并采取相应措施，后续进展将依法告知。"
"""What the applicant is told of a deed unless the officer words it: it reveals neither a tip nor a measure."""


@dataclass(frozen=True)
class Patience:
    """How long each clock runs."""

    triage: timedelta
    urgent_triage: timedelta
    check: timedelta
    trouble: timedelta
    deed: Mapping[TipGround, timedelta]

    def triage_due(self, ground: TipGround | None, arrived_at: datetime) -> datetime:
        """By when somebody must have taken the item."""
        return arrived_at + (self.urgent_triage if ground is TipGround.URGENT else self.triage)

    def check_due(self, ground: TipGround | None, arrived_at: datetime, taken_at: datetime) -> datetime:
        """By when the evidence must have been judged; what is urgent has no longer for it than for its deed."""
        if ground is None:
            return taken_at + self.trouble
        return taken_at + self.deed[ground] if ground is TipGround.URGENT else arrived_at + self.check

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
    _check_open(moments)
    if moments.source is not Source.TIP:
        raise Conflict("no_evidence", "系统故障事项没有证据可判断，处理后请直接登记。")
    if moments.taken_at is None:
        raise Conflict("not_taken", "请先接手并核查，再作不予采信处理。")
    if moments.accepted_at is not None:
        raise Conflict("already_accepted", "证据已采信，不能再作不予采信处理。")


def _check_open(moments: Moments) -> None:
    if moments.closed_at is not None:
        raise Conflict("already_closed", "该事项已办结，请刷新后查看。")


def check_progress(text: str | None) -> None:
    """Nothing to any party reveals a tip. Raises Invalid."""
    word = telling(text or "")
    if word:
        raise Invalid([Fault("progress", telling_reason(word))])


def telling_reason(word: str) -> str:
    """What is wrong with a text for a party that holds `word`."""
    return f"告知当事人的内容不得出现“{word}”，以免透露线索来源。请改写。"
