"""What became of one attempt to hand a message over, folded from whatever was observed of it.

Each observation has a rank, and the state is that of the highest rank: so any order and any repetition converge
(design 5). Evidence that a document did not arrive outranks evidence that it did: the duty reopens.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType


class Channel(StrEnum):
    """What carries a message."""

    SMS = "sms"
    MAIL = "mail"


class Seen(StrEnum):
    """One kind of observation on a delivery."""

    INTENT = "intent"
    UNKNOWN = "unknown"
    QUERY_NOT_FOUND = "query_not_found"
    NOT_LEFT = "not_left"
    THROTTLED = "throttled"
    REFUSED = "refused"
    QUERY_FOUND = "query_found"
    SENT = "sent"
    RULED_NOT_ARRIVED = "ruled_not_arrived"
    RECEIPT_DELIVERED = "receipt_delivered"
    RULED_ARRIVED = "ruled_arrived"
    RECEIPT_FAILED = "receipt_failed"
    BOUNCED = "bounced"


class State(StrEnum):
    """Where a delivery stands."""

    PLANNED = "planned"
    CLAIMED = "claimed"
    INTENT = "intent"
    UNKNOWN = "unknown"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"


_STATE_OF: Mapping[Seen, State] = MappingProxyType(
    {
        Seen.INTENT: State.INTENT,
        Seen.UNKNOWN: State.UNKNOWN,
        Seen.QUERY_NOT_FOUND: State.UNKNOWN,
        Seen.NOT_LEFT: State.FAILED,
        Seen.THROTTLED: State.FAILED,
        Seen.REFUSED: State.FAILED,
        Seen.QUERY_FOUND: State.SENT,
        Seen.SENT: State.SENT,
        Seen.RULED_NOT_ARRIVED: State.FAILED,
        Seen.RECEIPT_DELIVERED: State.DELIVERED,
        Seen.RULED_ARRIVED: State.DELIVERED,
        Seen.RECEIPT_FAILED: State.FAILED,
        Seen.BOUNCED: State.FAILED,
    }
)
_RANK: Mapping[Seen, int] = MappingProxyType({seen: rank for rank, seen in enumerate(_STATE_OF)})
_RULINGS = frozenset({Seen.RULED_ARRIVED, Seen.RULED_NOT_ARRIVED})
_MAY_HAVE_LEFT = frozenset({Seen.UNKNOWN, Seen.QUERY_NOT_FOUND})
_NEVER_ACCEPTED = frozenset({Seen.NOT_LEFT, Seen.THROTTLED, Seen.REFUSED})
_PASSING = frozenset({Seen.NOT_LEFT, Seen.THROTTLED})
_QUERIES = frozenset({Seen.QUERY_FOUND, Seen.QUERY_NOT_FOUND})
_ARRIVALS = frozenset({Seen.RECEIPT_DELIVERED, Seen.RULED_ARRIVED})


@dataclass(frozen=True)
class Observation:
    """Something seen of a delivery at an aware instant; `permanent` tells a 5.x.x from a 4.x.x failure.

    A notice of delay is no bounce, an automatic reply neither (domain E): neither is an observation.
    """

    seen: Seen
    at: datetime
    permanent: bool = True


@dataclass(frozen=True)
class DeliveryState:
    """A delivery as folded. `cause` and `at` are those of the deciding observation."""

    state: State
    cause: Seen | None = None
    at: datetime | None = None
    permanent: bool = False
    reopened: bool = False
    ever_unknown: bool = False
    queries: int = 0

    @property
    def may_have_arrived(self) -> bool:
        """True while nothing proves that this attempt never reached the other side."""
        if self.cause in _NEVER_ACCEPTED:
            return False
        return self.ever_unknown or self.state in {State.INTENT, State.SENT, State.DELIVERED}


def fold(observations: Iterable[Observation], *, claimed: bool = False) -> DeliveryState:
    """The state that these observations amount to, whatever their order and however often each is told.

    An officer's ruling sets aside what was seen up to then; a receipt or bounce seen later counts again.
    """
    told = frozenset(observations)
    if not told:
        return DeliveryState(State.CLAIMED if claimed else State.PLANNED)
    counted = _after_last_ruling(told)
    # Of equal evidence the earliest instant stands: a repeated report must not move the day of service.
    top = max(counted, key=lambda o: (_RANK[o.seen], o.permanent, -o.at.timestamp()))
    seen = {o.seen for o in told}
    state = _STATE_OF[top.seen]
    return DeliveryState(
        state=state,
        cause=top.seen,
        at=top.at,
        permanent=state is State.FAILED and top.permanent and top.seen not in _PASSING,
        reopened=state is State.FAILED and bool(seen & _ARRIVALS),
        ever_unknown=bool(seen & _MAY_HAVE_LEFT),
        queries=sum(o.seen in _QUERIES for o in told),
    )


def _after_last_ruling(told: frozenset[Observation]) -> frozenset[Observation]:
    rulings = [o for o in told if o.seen in _RULINGS]
    if not rulings:
        return told
    last = max(rulings, key=lambda o: (o.at, _RANK[o.seen]))
    return frozenset({last}) | {o for o in told if o.at > last.at and o.seen not in _RULINGS}


def possibly_twice(attempts: Sequence[DeliveryState]) -> bool:
    """True when more than one attempt of a message may have reached the recipient."""
    return sum(attempt.may_have_arrived for attempt in attempts) > 1
