"""What asset_tips does by itself: it tells the desk of tips."""

from collections.abc import Sequence
from datetime import timedelta

from services.asset_tips.usecases import UNTOLD_SIGNAL, TipKit, tell
from shared.runtime.service import Job


def jobs(kit: TipKit) -> Sequence[Job]:
    """At once for a tip taken in by this process; another one, of the public zone, is heard of within half a second."""
    return (Job("tell tips", timedelta(milliseconds=500), lambda: tell(kit), UNTOLD_SIGNAL),)
