"""What the API and the form take and give."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, StringConstraints

from services.asset_tips.domain import STATE_WORDS
from services.asset_tips.usecases import NewTip, TipStatus
from shared.contracts.tips import TipGround
from shared.http.inputs import Input, Line, Prose


class TipInput(Input):
    """A tip. Only `text` must be given; whoever wants no contact leaves it out."""

    text: Annotated[Prose, StringConstraints(min_length=5)]
    ground: TipGround = TipGround.PROPERTY
    case_number: Line | None = None
    contact: Line | None = None

    def tip(self) -> NewTip:
        """As the use case takes it."""
        return NewTip(ground=self.ground, text=self.text, case_number=self.case_number, contact=self.contact)


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
        )


class LookInput(Input):
    """Why somebody needs to know who sent a tip."""

    reason: Prose


class SenderView(BaseModel):
    """The contact that the sender left."""

    contact: str
