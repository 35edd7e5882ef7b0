"""What the desk does by itself: it rings."""

from collections.abc import Sequence
from datetime import timedelta

from services.duty_desk.settings import DeskKit
from services.duty_desk.usecases.acts import ring_due_clocks
from shared.runtime.service import Job


def jobs(kit: DeskKit) -> Sequence[Job]:
    """Clocks are looked at every second, and at start-up."""
    return (Job("ring due clocks", timedelta(seconds=1), lambda: ring_due_clocks(kit)),)
