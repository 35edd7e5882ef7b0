"""Figures for Prometheus, in one registry per process.

Labels are names of services, topics, routes, channels and states: never an id, never anything of a person.
"""

from collections.abc import Sequence

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, processor time, open files
disable_created_metrics()  # type: ignore[no-untyped-call]

_PREFIX = "yangguang_"
_REQUEST_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
_gauges: dict[str, Gauge] = {}


def counter(name: str, text: str, labels: Sequence[str]) -> Counter:
    """A count that only grows; `_total` is appended to its name."""
    return Counter(_PREFIX + name, text, labels, registry=REGISTRY)


def gauge(name: str, text: str, labels: Sequence[str]) -> Gauge:
    """A figure that goes up and down; the one that is there already, where several ask for the same name."""
    if name not in _gauges:
        _gauges[name] = Gauge(_PREFIX + name, text, labels, registry=REGISTRY)
    return _gauges[name]


def histogram(name: str, text: str, labels: Sequence[str], buckets: Sequence[float]) -> Histogram:
    """How often something took how long (seconds)."""
    return Histogram(_PREFIX + name, text, labels, registry=REGISTRY, buckets=buckets)


HTTP_REQUESTS = counter("http_requests", "Requests answered.", ("service", "method", "route", "status"))
HTTP_SECONDS = histogram(
    "http_request_seconds", "Until the answer began.", ("service", "method", "route"), _REQUEST_SECONDS
)
EVENTS_CONSUMED = counter("events_consumed", "Events taken from the log.", ("service", "topic", "verdict"))
EVENTS_RELAYED = counter("events_relayed", "Events that the log acknowledged.", ("service",))
CONSUMER_BEHIND = gauge("consumer_behind_records", "Records of this member's partitions not yet read.", ("service",))
CONSUMER_LAG = gauge(
    "consumer_lag_seconds", "Since the consumer last got on; without end once it stopped.", ("service",)
)
RELAY_LAG = gauge("relay_lag_seconds", "Since the relay's last step without a failure.", ("service",))
RELAY_EPOCH = gauge("relay_epoch", "The lease under which this process relays; 0: another one does.", ("service",))
JOB_LAG = gauge("job_lag_seconds", "Since the job's last success, beyond its interval.", ("service", "job"))


def exposition() -> bytes:
    """All figures in Prometheus' text format."""
    return generate_latest(REGISTRY)
