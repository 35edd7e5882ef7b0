"""The way of one act through the services, as OpenTelemetry spans; nothing at all until a tracer is set.

A span says what was done, never to whom: route templates, event types, channels. Of an exception only its type.
Between processes the context travels as W3C `traceparent`: in requests, outbox rows, envelopes and log headers.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import INVALID_SPAN, Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

__all__ = ["TRACING", "SpanKind"]

_PROPAGATOR = TraceContextTextMapPropagator()
_NOTHING = nullcontext(INVALID_SPAN)
_NOTHING_AT_ALL = nullcontext(None)


class Tracing:
    """The process's tracer, if it has one."""

    def __init__(self) -> None:
        self._tracer: Tracer | None = None

    def use(self, tracer: Tracer | None) -> None:
        """Send spans there from now on; None: nowhere."""
        self._tracer = tracer

    def span(
        self, name: str, kind: SpanKind, parent: str | None = None, **attributes: str | int
    ) -> AbstractContextManager[Span]:
        """A span around a block; below `parent` (a traceparent) where there is one, else below the current span."""
        return _NOTHING if self._tracer is None else _span(self._tracer, name, kind, parent, attributes)

    def sends(self, name: str, parents: Sequence[str | None], **attributes: str | int) -> AbstractContextManager[None]:
        """One span per message around a block that sends them all at once, each in the trace that it belongs to."""
        return _NOTHING_AT_ALL if self._tracer is None else _sends(self._tracer, name, parents, attributes)

    def traceparent(self) -> str | None:
        """The current span's context, for whoever goes on elsewhere."""
        if self._tracer is None:
            return None
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier)
        return carrier.get("traceparent")

    def trace_id(self) -> str | None:
        """The current trace's id, for the logs."""
        if self._tracer is None:
            return None
        context = trace.get_current_span().get_span_context()
        return trace.format_trace_id(context.trace_id) if context.is_valid else None


TRACING = Tracing()


def _parent(traceparent: str | None) -> Context | None:
    return None if traceparent is None else _PROPAGATOR.extract({"traceparent": traceparent})


@contextmanager
def _span(
    tracer: Tracer, name: str, kind: SpanKind, parent: str | None, attributes: dict[str, str | int]
) -> Iterator[Span]:
    # The SDK's own record of an exception would carry its message, and with it what somebody typed.
    with tracer.start_as_current_span(
        name, _parent(parent), kind, attributes, record_exception=False, set_status_on_exception=False
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


@contextmanager
def _sends(
    tracer: Tracer, name: str, parents: Sequence[str | None], attributes: dict[str, str | int]
) -> Iterator[None]:
    began = time.time_ns()
    try:
        yield
    finally:
        for parent in parents:
            span = tracer.start_span(name, _parent(parent), SpanKind.CLIENT, attributes, start_time=began)
            span.end()
