"""Traces that records carry: a span continues the trace of what it came from, and what comes of it continues the span.

W3C Trace Context is the format; a record's header `traceparent` holds it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from opentelemetry.context import Context
from opentelemetry.trace import NoOpTracer, Span, SpanKind, Tracer, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

_PROPAGATOR: Final = TraceContextTextMapPropagator()
_NANOSECONDS: Final = 1_000_000_000


class Tracing:
    """Opens spans on behalf of records. Without an exporter it opens none and hands traceparents on as they came."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self.on = not isinstance(tracer, NoOpTracer)

    def span(
        self,
        name: str,
        traceparent: bytes | str | None,
        *,
        attributes: Mapping[str, AttributeValue] | None = None,
        begun: datetime | None = None,
    ) -> Span:
        """Return a begun span that continues `traceparent`, or a new trace where that is none. The caller ends it."""
        return self._tracer.start_span(
            name,
            context=context_from_traceparent(traceparent),
            kind=SpanKind.CONSUMER,
            attributes=attributes,
            start_time=None if begun is None else int(begun.timestamp() * _NANOSECONDS),
        )


def traceparent_of(span: Span) -> str | None:
    """Return the `traceparent` that continues `span`, None where it belongs to no trace."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, context=set_span_in_context(span, Context()))
    return carrier.get("traceparent")


def traceparent_of_current_span() -> str | None:
    """Return the `traceparent` of the current span, None outside of any."""
    return traceparent_of(get_current_span())


def context_from_traceparent(value: bytes | str | None) -> Context:
    """Return the context to start a span in, as continuation of `value`; an empty one if that is none or unusable."""
    text = value.decode("ascii", "replace") if isinstance(value, bytes) else value
    return _PROPAGATOR.extract({"traceparent": text} if text else {}, context=Context())
