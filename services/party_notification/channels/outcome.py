"""What one send came to, as far as this end of the wire can know. Reasons are Chinese, numbers and addresses masked."""

import re
from dataclasses import dataclass
from enum import StrEnum

_LONG_DIGITS = re.compile(r"\d{5,}")
_ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")


class Scope(StrEnum):
    """What a refusal is about: this recipient, this message, or our account (which hits every message)."""

    RECIPIENT = "recipient"
    MESSAGE = "message"
    ACCOUNT = "account"


@dataclass(frozen=True)
class Sent:
    """Accepted. `provider_id`: the carrier's BizId, or the text of the mail server's final 250 reply."""

    provider_id: str


@dataclass(frozen=True)
class NotLeft:
    """No byte of the message can have left: sending again is safe."""

    reason: str


@dataclass(frozen=True)
class Throttled:
    """Not accepted for now; it may be in `retry_after` seconds."""

    reason: str
    retry_after: float


@dataclass(frozen=True)
class Refused:
    """Not accepted, and as it stands it never will be. `code` is the provider's."""

    code: str
    reason: str
    scope: Scope = Scope.MESSAGE


@dataclass(frozen=True)
class Unknown:
    """Bytes may have left and no full answer came back: sending again might send twice."""

    reason: str


Outcome = Sent | NotLeft | Throttled | Refused | Unknown


def masked(text: str) -> str:
    """A provider's words (at most 200 characters) without telephone numbers and addresses, fit for a record."""
    return _LONG_DIGITS.sub("…", _ADDRESS.sub("…", text))[:200]
