"""What the operators watch: clocks that ran out and have not rung."""

from sqlalchemy import func, select

from services.stage_tracking.store.tables import deadlines
from shared.runtime.gauges import NOW, SqlGauge

_UNFIRED = deadlines.c.fired_at.is_(None) & deadlines.c.met_at.is_(None) & deadlines.c.superseded_at.is_(None)
GAUGES = (
    SqlGauge(
        "deadline_unfired_seconds",
        "How long ago (by the product's clock) the longest overdue clock should have rung.",
        select(func.extract("epoch", NOW - func.min(deadlines.c.due_at))).where(_UNFIRED, deadlines.c.due_at < NOW),
    ),
)
