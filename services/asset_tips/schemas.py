"""What the API and the form take and give."""

from datetime import datetime
from typing import Annotated

from fastapi import Depends
from pydantic import AfterValidator, BaseModel, Field

from services.asset_tips.domain import STATE_WORDS, case_number
from services.asset_tips.usecases import Look, NewTip, TipKit, TipStatus
from shared.contracts.tips import TipGround
from shared.http.inputs import Input, Line, Prose
from shared.runtime.service import kit_of

HandedKit = Annotated[TipKit, Depends(kit_of)]


def _enough(text: str) -> str:
    if len(text) < 5:
        raise ValueError("内容太短，请写明是什么财产、在哪里，或者人在哪里。")
    return text


def _case_number(text: str) -> str:
    number = case_number(text)
    if number is None:
        raise ValueError("案号格式不正确，应如“（2026）渝05执5001号”。不清楚案号可以不填，把知道的写在情况里。")
    return number


class TipInput(Input):
    """A tip. Only `text` must be given; whoever wants no contact leaves it out."""

    text: Annotated[Prose, AfterValidator(_enough), Field(json_schema_extra={"minLength": 5})]
    ground: TipGround = TipGround.PROPERTY
    case_number: Annotated[Line, AfterValidator(_case_number)] | None = None
    contact: Line | None = None

    def tip(self) -> NewTip:
        """As the use case takes it."""
        return NewTip(ground=self.ground, text=self.text, case_number=self.case_number, contact=self.contact)


class TipForm(TipInput):
    """A tip as the page's form sends it: nothing is chosen beforehand, so the sender has to say what it is about."""

    ground: TipGround


class StatusView(BaseModel):
    """Where a tip stands. `word` and `meaning` are Chinese."""

    tip_number: str
    state: str
    word: str
    meaning: str
    arrived_at: datetime
    taken_at: datetime | None
    accepted_at: datetime | None
    acted_at: datetime | None
    dismissed_at: datetime | None

    @classmethod
    def of(cls, status: TipStatus) -> "StatusView":
        """From the use case's answer."""
        word, meaning = STATE_WORDS[status.state]
        moments = status.moments
        return cls(
            tip_number=status.tip_number,
            state=status.state.value,
            word=word,
            meaning=meaning,
            arrived_at=status.arrived_at,
            taken_at=moments.taken_at,
            accepted_at=moments.accepted_at,
            acted_at=moments.acted_at,
            dismissed_at=moments.dismissed_at,
        )


class LookInput(Input):
    """Why somebody needs to know who sent a tip."""

    reason: Prose


class SenderView(BaseModel):
    """The contact that the sender left."""

    contact: str


class Looks(BaseModel):
    """Who looked at senders, newest first; `next` is the cursor of the page after it."""

    items: list[Look]
    next: str | None
