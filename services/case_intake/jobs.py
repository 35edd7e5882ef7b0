"""Work that recurs: imports, their holds and previews, and cases that wait for a judge."""

from datetime import timedelta

from services.case_intake.settings import IntakeKit
from services.case_intake.usecases.assignment import JUDGES_SIGNAL, assign_waiting
from services.case_intake.usecases.drafts import drop_old_drafts
from services.case_intake.usecases.holds import DECIDED_SIGNAL, tell_decisions
from services.case_intake.usecases.imports import RECEIVED_SIGNAL, work_through
from services.case_intake.usecases.search import index_names
from shared.runtime.service import Job


def jobs(kit: IntakeKit) -> list[Job]:
    """The jobs of one process; several may run at once."""
    return [
        Job("work through imports", timedelta(seconds=2), lambda: work_through(kit), RECEIVED_SIGNAL),
        Job("assign waiting cases", timedelta(seconds=5), lambda: assign_waiting(kit), JUDGES_SIGNAL),
        Job("tell of recalls and releases", timedelta(seconds=2), lambda: tell_decisions(kit), DECIDED_SIGNAL),
        Job("index names", timedelta(seconds=30), lambda: index_names(kit)),
        Job("drop unconfirmed files", timedelta(minutes=1), lambda: drop_old_drafts(kit)),
    ]
