"""How long the notices of an import stay here, and what the clerk can still decide about them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from shared.errors import Conflict

MAX_MINUTES = 60
DEFAULT_MINUTES = 10
"""Of the page; scripts ask for a hold themselves."""


class NoticesState(StrEnum):
    """What becomes of an import's notices. AT_ONCE: they were never held, or nobody is told at all."""

    AT_ONCE = "at_once"
    HELD = "held"
    OVER = "over"
    RECALLED = "recalled"
    RELEASED = "released"


@dataclass(frozen=True)
class Hold:
    """An import's hold; instants are UTC."""

    minutes: int
    done_at: datetime | None
    recalled_at: datetime | None
    released_at: datetime | None

    def ends_at(self, now: datetime) -> datetime:
        """When the last of its notices may leave; while cases are still being filed that moves on."""
        return (self.done_at or now) + timedelta(minutes=self.minutes)

    def state(self, now: datetime) -> NoticesState:
        """Where it stands."""
        if self.released_at is not None:
            return NoticesState.RELEASED
        if self.recalled_at is not None:
            return NoticesState.RECALLED
        if self.minutes == 0:
            return NoticesState.AT_ONCE
        return NoticesState.HELD if now < self.ends_at(now) else NoticesState.OVER

    def until(self, now: datetime) -> datetime | None:
        """`hold_until` of a case that is filed now; None once the notices are released."""
        return None if self.minutes == 0 or self.released_at is not None else now + timedelta(minutes=self.minutes)


def recalls(state: NoticesState) -> bool:
    """Whether a recall does anything: a repeated one does not. Raises Conflict when it is too late."""
    if state in {NoticesState.HELD, NoticesState.RECALLED}:
        return state is NoticesState.HELD
    raise Conflict("notices_left", "通知已经发出或已放行，无法撤回。请在案件页面查看各方通知。")


def releases(state: NoticesState) -> bool:
    """Whether a release does anything: a repeated one does not. Raises Conflict when nothing is held."""
    if state in {NoticesState.HELD, NoticesState.RECALLED, NoticesState.RELEASED}:
        return state is not NoticesState.RELEASED
    raise Conflict("nothing_held", "这次导入没有暂缓或撤回的通知。")
