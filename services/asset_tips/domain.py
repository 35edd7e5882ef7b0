"""What a tip is to its sender: where it stands, in words; which case it names."""

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from shared.contracts.case_number import parts, written
from shared.contracts.tips import TipGround


def case_number(text: str) -> str | None:
    """The case number that a sender wrote, in full-width brackets; None when it is none.

    It travels in plain text, so nothing else may: a name or a telephone number belongs into the sealed body.
    """
    return written(text) if parts(text) else None


_NUMBER = re.compile(r"\d{14}", re.ASCII)


def unfit(number: str, ground: str, case: str | None) -> str | None:
    """Why a tip cannot have been taken in by the product's own pages; None when it can. All of it travels unsealed."""
    if not _NUMBER.fullmatch(number):
        return "its number is none"
    if ground not in set(TipGround):
        return "it names no ground"
    return "its case number is none" if case is not None and case_number(case) != case else None


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
    TipState.ACCEPTED: ("已采信（经核实属实）", "您提供的信息经核实属实，本院正在依法采取行动。您现在不需要做什么。"),
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
