"""What stands of execution notices: each is sent and served on its own, and of a party the earliest counts. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from shared.clock import end_of_day, start_of_day


@dataclass(frozen=True)
class Standing:
    """When something was sent (UTC), and since which day (Asia/Shanghai) it is served; None = it is not."""

    sent_at: datetime | None = None
    served_on: date | None = None

    def sent(self, at: datetime) -> "Standing":
        """Sent then, unless it was before."""
        return replace(self, sent_at=at if self.sent_at is None else min(self.sent_at, at))

    def served(self, on: date) -> "Standing":
        """Served since that day, whatever day was told before."""
        return replace(self, served_on=on)

    @property
    def since(self) -> datetime | None:
        """Not later than anything that rests on it; None when nothing does."""
        served = None if self.served_on is None else start_of_day(self.served_on)
        return min((at for at in (self.sent_at, served) if at is not None), default=None)

    def notified_at(self, now: datetime) -> datetime | None:
        """When it went: a service proves that, also where no sending is on record."""
        if self.sent_at is not None or self.served_on is None:
            return self.sent_at
        return min(end_of_day(self.served_on), now)


NOTHING = Standing()


def of_party(notices: Iterable[Standing]) -> Standing:
    """What stands of a party by all its execution notices."""
    notices = list(notices)
    sent = [each.sent_at for each in notices if each.sent_at is not None]
    served = [each.served_on for each in notices if each.served_on is not None]
    return Standing(min(sent, default=None), min(served, default=None))


def of_case(respondents: Sequence[Standing]) -> date | None:
    """The day on which the last respondent's notice was served; None as long as one is not, or there is none."""
    served = [each.served_on for each in respondents if each.served_on is not None]
    return max(served) if served and len(served) == len(respondents) else None
