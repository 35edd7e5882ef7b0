"""Timers: clocks ring, or are computed anew by a newer calendar; old cases are asked about; days are signed."""

from collections.abc import Sequence
from datetime import timedelta

from services.stage_tracking.settings import StageKit
from services.stage_tracking.usecases.asking import ask_for_old
from services.stage_tracking.usecases.clocks import FIRE_SIGNAL
from services.stage_tracking.usecases.recomputing import recompute_outdated
from services.stage_tracking.usecases.ringing import fire_due
from services.stage_tracking.usecases.sealing import seal_days
from shared.runtime.service import Job


def jobs(kit: StageKit) -> Sequence[Job]:
    """All run at start-up: what fell due while the service was down rings at once."""
    return (
        Job("fire deadlines", timedelta(seconds=1), lambda: fire_due(kit), FIRE_SIGNAL),
        Job("recompute deadlines", timedelta(hours=1), lambda: recompute_outdated(kit)),
        Job("ask for missing facts", timedelta(minutes=1), lambda: ask_for_old(kit)),
        Job("seal days of the log", timedelta(minutes=1), lambda: seal_days(kit)),
    )
