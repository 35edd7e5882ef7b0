"""What a process tells of itself: `/metrics` for Prometheus, and spans for a collector where one is named."""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from prometheus_client import CONTENT_TYPE_PLAIN_0_0_4
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from shared.bus.consumer import Consumer
from shared.errors import NotFound
from shared.http.problems import problem
from shared.outbox.relay import Relay
from shared.runtime.jobs import JobRunner
from shared.telemetry.metrics import CONSUMER_LAG, JOB_LAG, RELAY_EPOCH, RELAY_LAG, exposition
from shared.telemetry.traces import TRACING


class TelemetrySettings(BaseSettings):
    """Where spans go (prefix OTEL_, the names that OpenTelemetry gives them)."""

    model_config = SettingsConfigDict(env_prefix="OTEL_", extra="ignore")

    exporter_otlp_endpoint: str = ""
    """Base URL of a collector that takes OTLP over HTTP; empty: no spans."""
    traces_sampler_arg: float = Field(1.0, ge=0, le=1)
    """The share of traces that is kept."""


@asynccontextmanager
async def traced(name: str, settings: TelemetrySettings) -> AsyncIterator[None]:
    """Spans of the process `name` go to the collector that the settings name; what is left is handed over at the end.

    The exporter works in a thread of its own, and drops spans when the collector is away: nobody waits for it.
    """
    if not settings.exporter_otlp_endpoint:
        yield
        return
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor
    from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

    resource = Resource.create({SERVICE_NAME: name})
    sampler = ParentBasedTraceIdRatio(settings.traces_sampler_arg)
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    url = settings.exporter_otlp_endpoint.rstrip("/") + "/v1/traces"
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(url, timeout=5)))
    TRACING.use(provider.get_tracer("yangguang"))
    try:
        yield
    finally:
        TRACING.use(None)
        await asyncio.to_thread(provider.shutdown)


def watch(service: str, relay: Relay, consumer: Consumer, jobs: Sequence[JobRunner]) -> None:
    """Figures that this process knows by itself are asked for at each scrape."""
    RELAY_LAG.labels(service).set_function(relay.lag_seconds)
    RELAY_EPOCH.labels(service).set_function(lambda: relay.epoch)
    CONSUMER_LAG.labels(service).set_function(consumer.lag_seconds)
    for runner in jobs:
        JOB_LAG.labels(service, runner.job.name).set_function(runner.lag_seconds)


class Metrics:
    """`/metrics`: for whoever asks this process itself on the inner network, never for what a gateway hands on."""

    def __init__(self, *, loopback_only: bool) -> None:
        self._loopback_only = loopback_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The figures; to all others there is no such page."""
        request = Request(scope)
        if self._may_see(request):
            answer: Response = Response(exposition(), media_type=CONTENT_TYPE_PLAIN_0_0_4)
        else:
            answer = problem(NotFound("not_found", "没有这个页面或事项，请核对地址。"), "/metrics")
        await answer(scope, receive, send)

    def _may_see(self, request: Request) -> bool:
        handed_on = "x-forwarded-for" in request.headers or "forwarded" in request.headers
        host = request.client.host if request.client else ""
        return not handed_on and (not self._loopback_only or _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
