"""What stops a clock: only the deed that it waits for, or the case's closure. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from shared.clock import end_of_day
from shared.contracts.case_kinds import DeadlineKind

_NOTICES = (DeadlineKind.EXECUTION_NOTICE, DeadlineKind.EXECUTION_NOTICE_OUTER)


@dataclass(frozen=True)
class Deeds:
    """What has been done in a case, as it stands: instants are UTC, days in Asia/Shanghai.

    `notices_sent`: per respondent, when the execution notice was first sent; None = not yet, or it came to nothing.
    """

    assigned_at: datetime | None
    notices_sent: Sequence[datetime | None]
    served_on: date | None
    closed_on: date | None
    enforced_on: date | None = None


def stopped(deeds: Deeds, now: datetime) -> dict[DeadlineKind, datetime]:
    """The clocks that what was done has stopped, and when."""
    found: dict[DeadlineKind, datetime] = {}
    if deeds.assigned_at is not None:
        found[DeadlineKind.ASSIGNMENT] = deeds.assigned_at
    notified = _all_notified(deeds, now)
    if notified is not None:
        found |= dict.fromkeys(_NOTICES, notified)
    if deeds.enforced_on is not None:
        found[DeadlineKind.PRESERVATION_BEGIN] = min(end_of_day(deeds.enforced_on), now)
    if deeds.closed_on is not None:
        closed = min(end_of_day(deeds.closed_on), now)
        found |= {kind: found.get(kind, closed) for kind in DeadlineKind}
    return found


def undone(
    met: Mapping[DeadlineKind, datetime], ended: Mapping[DeadlineKind, datetime], lost_at: datetime
) -> set[DeadlineKind]:
    """The clocks that run again. `met`: those that were stopped, and when; `lost_at`: the deed that came to nothing.

    A clock that had been stopped before that deed did not rest on it.
    """
    return {kind for kind, at in met.items() if kind not in ended and at >= lost_at}


def _all_notified(deeds: Deeds, now: datetime) -> datetime | None:
    """When the last respondent's notice went; a recorded service of all of them proves that they went."""
    sent = [at for at in deeds.notices_sent if at is not None]
    if sent and len(sent) == len(deeds.notices_sent):
        return max(sent)
    return None if deeds.served_on is None else min(end_of_day(deeds.served_on), now)
