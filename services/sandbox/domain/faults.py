"""Faults as data: what shall go wrong, for whom, how often. The sandbox asks the book at each step.

Each fault matches one recipient (a number, an address) or all, strikes `count` times (or without end), and each time
only with `probability`, drawn from its own seeded generator, so that a script plays the same twice.
"""

import random
from collections.abc import Iterable, Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

SmsKind = Literal["refuse", "timeout_before", "cut_after_commit", "timeout_after", "http_500", "http_500_after_commit"]
ReceiptKind = Literal["late", "twice", "out_of_order", "never", "failed"]
MailStage = Literal["connect", "mail", "rcpt", "data_start", "data_end"]


class _Match(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    recipient: str | None = Field(default=None, min_length=1, max_length=320)
    count: int | None = Field(default=None, ge=1)
    probability: float = Field(default=1.0, ge=0.0, le=1.0)
    seed: int = 0


class SmsFault(_Match):
    """A sending call: refused with `code`, stalled for `seconds`, cut, or answered 500; before or after the commit."""

    channel: Literal["sms"] = "sms"
    kind: SmsKind
    code: str = Field(default="isv.BUSINESS_LIMIT_CONTROL", min_length=1, max_length=100)
    seconds: float = Field(default=30.0, ge=0.0, le=600.0)


class ReceiptFault(_Match):
    """A message's receipt: `late` by `seconds`, twice, an older failure after the success, never, or `failed`."""

    channel: Literal["receipt"] = "receipt"
    kind: ReceiptKind
    code: str = Field(default="MOBILE_NOT_ON_SERVICE", min_length=1, max_length=100)
    seconds: float = Field(default=60.0, ge=0.0, le=86400.0)


class MailFault(_Match):
    """The mail server at one stage: refuses with `reply`, cuts the line, or waits `seconds` before it goes on.

    `data_start` is the reply to DATA (a cut comes while the content runs); `data_end` is after the content's end, where
    a cut or a delay comes after the mail is stored if `committed`; what is not stored is never answered 250.
    """

    channel: Literal["mail"] = "mail"
    kind: Literal["refuse", "cut", "delay"]
    at: MailStage
    reply: str = Field(default="451 4.3.0 try again later", pattern=r"^[45]\d\d [ -~]{1,200}$")
    seconds: float = Field(default=30.0, ge=0.0, le=600.0)
    committed: bool = True


class TemplateFault(_Match):
    """The carrier's review refuses a new message template; `recipient` is then the template's name."""

    channel: Literal["template"] = "template"
    kind: Literal["refuse"] = "refuse"


Fault = Annotated[SmsFault | ReceiptFault | MailFault | TemplateFault, Field(discriminator="channel")]
FAULTS: TypeAdapter[list[Fault]] = TypeAdapter(list[Fault])


class _Entry:
    """One fault in the book, with what is left of it."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self.left = fault.count
        self._random = random.Random(fault.seed)  # noqa: S311 - a script, not a secret

    def strikes(self, recipients: Sequence[str]) -> bool:
        if self.left == 0 or (self.fault.recipient is not None and self.fault.recipient not in recipients):
            return False
        if self._random.random() >= self.fault.probability:
            return False
        if self.left is not None:
            self.left -= 1
        return True


class FaultBook:
    """The faults now in force, in order; the first that strikes is the one that happens."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._entries = [_Entry(fault) for fault in faults]

    def add(self, fault: Fault) -> None:
        """Put a fault at the end of the book."""
        self._entries.append(_Entry(fault))

    def clear(self) -> None:
        """Take all faults out."""
        self._entries.clear()

    def listed(self) -> Sequence[tuple[Fault, int | None]]:
        """Each fault with how often it will still strike; None is without end."""
        return [(entry.fault, entry.left) for entry in self._entries]

    def sms(self, numbers: Sequence[str]) -> SmsFault | None:
        """What happens to a call that sends to these numbers."""
        for entry in self._entries:
            if isinstance(entry.fault, SmsFault) and entry.strikes(numbers):
                return entry.fault
        return None

    def receipt(self, number: str) -> ReceiptFault | None:
        """What happens to the receipt of a message to this number."""
        for entry in self._entries:
            if isinstance(entry.fault, ReceiptFault) and entry.strikes([number]):
                return entry.fault
        return None

    def template(self, name: str) -> TemplateFault | None:
        """What happens to a template that is handed in under this name."""
        for entry in self._entries:
            if isinstance(entry.fault, TemplateFault) and entry.strikes([name]):
                return entry.fault
        return None

    def mail(self, at: MailStage, recipients: Sequence[str] = ()) -> MailFault | None:
        """What happens at this stage; before RCPT no recipient is known, and only faults for all can strike."""
        for entry in self._entries:
            fault = entry.fault
            if isinstance(fault, MailFault) and fault.at == at and entry.strikes(recipients):
                return fault
        return None
