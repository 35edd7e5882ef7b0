"""What comes in over HTTP."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated, Self

from fastapi import Depends
from pydantic import AwareDatetime, BaseModel, Field, model_validator

from services.sandbox.domain.faults import Fault
from services.sandbox.usecases.world import SandboxKit
from shared.http.inputs import Input, Line
from shared.runtime.service import kit_of

HandedKit = Annotated[SandboxKit, Depends(kit_of)]
FaultList = Annotated[list[Fault], Field(min_length=1, max_length=100)]


class ClockInput(Input):
    """On by days, hours and minutes (back too, but never behind the machine's clock), or to an instant, or reset."""

    days: int = Field(0, ge=-3660, le=3660)
    hours: int = Field(0, ge=-87840, le=87840)
    minutes: int = Field(0, ge=-5270400, le=5270400)
    now: AwareDatetime | None = None
    reset: bool = False

    @property
    def by(self) -> timedelta:
        return timedelta(days=self.days, hours=self.hours, minutes=self.minutes)

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if [bool(self.by), self.now is not None, self.reset].count(True) != 1:
            raise ValueError("请给出一种走法：days、hours、minutes（至少一项不为零），或 now，或 reset 为 true。")
        return self


class ClockAnswer(BaseModel):
    """The product's instant, UTC."""

    now: AwareDatetime


class Standing(BaseModel):
    """A fault in force, and how often it will still strike; null is without end."""

    fault: Fault
    left: int | None


class Faults(BaseModel):
    """The faults in force, in the order in which they are tried."""

    items: Sequence[Standing]


class FindForm(Input):
    """Whose phone or mailbox."""

    address: Line


class FaultForm(Input):
    """One of the offered faults, for one recipient or all, so many times or for ever."""

    choice: Line
    recipient: Line | None = None
    count: int | None = Field(1, ge=1, le=1000)
    forever: bool = False
    seconds: float | None = Field(None, ge=0, le=600)
