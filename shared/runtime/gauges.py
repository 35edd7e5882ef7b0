"""Figures that only the database knows, read every few seconds, so that whoever scrapes never touches it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from prometheus_client import Gauge
from sqlalchemy import DateTime, Executable, bindparam, func, select

from shared.clock import Clock
from shared.db.inbox import LaneState
from shared.db.tables import lane_events, lanes, outbox, quarantine, set_aside
from shared.db.transaction import Database
from shared.telemetry import metrics

EVERY = timedelta(seconds=5)
JOB = "refresh gauges"
NOW = bindparam("now", type_=DateTime(timezone=True))
"""The product's present instant, for queries about due dates; machine time is the database's own."""


@dataclass(frozen=True)
class SqlGauge:
    """One figure: a cheap query whose columns are the values of `labels` and, last, the number.

    Labels name kinds and states, never a person or an id. Without labels, no row and NULL mean 0.
    """

    name: str
    text: str
    query: Executable
    labels: tuple[str, ...] = ()

    @property
    def metric(self) -> Gauge:
        """The figure in the registry, with the service's name before its own labels."""
        return metrics.gauge(self.name, self.text, ("service", *self.labels))


def seconds_since(instant: Any) -> Any:
    """From an instant of machine time until now, never below 0."""
    return func.greatest(func.extract("epoch", func.clock_timestamp() - instant), 0)


_FIRST_UNSENT = select(outbox.c.written_at).where(outbox.c.delivered_at.is_(None)).order_by(outbox.c.id).limit(1)
KIT_GAUGES = (
    SqlGauge(
        "outbox_oldest_seconds",
        "Age of the oldest event that the log has not yet got.",
        select(seconds_since(_FIRST_UNSENT.scalar_subquery())),
    ),
    SqlGauge(
        "lanes_closed",
        "Keys whose events do not pass: waiting for a fact from elsewhere, or parked after failures.",
        select(lanes.c.state, func.count()).where(lanes.c.state != LaneState.OPEN).group_by(lanes.c.state),
        ("state",),
    ),
    SqlGauge("lane_events_waiting", "Events behind closed keys.", select(func.count()).select_from(lane_events)),
    SqlGauge("quarantined", "Records that nobody could decode.", select(func.count()).select_from(quarantine)),
    SqlGauge("set_aside", "Rows that came in and could not be taken.", select(func.count()).select_from(set_aside)),
)


class GaugeReader:
    """Reads the figures of one service."""

    def __init__(self, db: Database, clock: Clock, gauges: Sequence[SqlGauge]) -> None:
        self._db = db
        self._clock = clock
        self._gauges = [(each.metric, each) for each in (*KIT_GAUGES, *gauges)]

    async def refresh(self) -> None:
        """Read every figure, all of one moment; a label that no row names any more is taken back."""
        async with self._db.read() as conn:
            now = {"now": self._clock.now()}
            found = [list(await conn.execute(gauge.query, now)) for _, gauge in self._gauges]
        for (metric, gauge), rows in zip(self._gauges, found, strict=True):
            self._put(metric, gauge, rows)

    def _put(self, metric: Gauge, gauge: SqlGauge, rows: Sequence[Any]) -> None:
        if gauge.labels:
            metric.remove_by_labels({"service": self._db.service})
        else:
            metric.labels(self._db.service).set(0)
        for *labels, number in rows:
            metric.labels(self._db.service, *labels).set(number or 0)
