"""Keys whose events the log did not take lately: left out for a moment, longer each time, so that others pass."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass

from shared.bus.lanes import LanePolicy
from shared.bus.log import BusError, BusRefusedError
from shared.outbox.rows import Lane

_FIRST = 1.0
_LONGEST = 30.0
_PATIENCE = LanePolicy.patience.total_seconds()


@dataclass
class _Failure:
    since: float
    until: float
    tries: int = 1


class HeldBack:
    """Forgotten with the process: the next one learns the same in a few steps. `now` in seconds that nobody moves."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failed: dict[Lane, _Failure] = {}

    def lanes(self) -> set[Lane]:
        """Who is left out at this moment."""
        now = self._now()
        return {lane for lane, failure in self._failed.items() if failure.until > now}

    def note(self, outcome: Mapping[Lane, BusError | None]) -> None:
        """What became of each key's events. When the log took none at all it is the log's fault, and no key's."""
        some_passed = any(error is None for error in outcome.values())
        for lane, error in outcome.items():
            if error is None:
                self._failed.pop(lane, None)
            elif some_passed or isinstance(error, BusRefusedError) or lane in self._failed:
                self._hold(lane)

    def forget(self) -> None:
        """What is known is old."""
        self._failed.clear()

    def topics(self) -> set[str]:
        """Of all keys that failed and have not passed since."""
        return {topic for topic, _ in self._failed}

    def overdue(self) -> set[str]:
        """Topics of which a key has failed for longer than a person should not know of it."""
        now = self._now()
        return {topic for (topic, _), failure in self._failed.items() if now - failure.since >= _PATIENCE}

    def _hold(self, lane: Lane) -> None:
        now = self._now()
        known = self._failed.get(lane)
        if known is None:
            self._failed[lane] = _Failure(now, now + _FIRST)
        else:
            known.until = now + min(_FIRST * 2 ** min(known.tries, 12), _LONGEST)
            known.tries += 1


def by_lane(lanes: Collection[Lane], errors: Collection[BusError | None]) -> dict[Lane, BusError | None]:
    """Per key the first error, or None when all its events passed."""
    outcome: dict[Lane, BusError | None] = {}
    for lane, error in zip(lanes, errors, strict=True):
        outcome[lane] = outcome.get(lane) or error
    return outcome
