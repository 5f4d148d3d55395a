"""One span for each order event: the trace that the platform began goes on in the binding that comes of it."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from opentelemetry.trace import Span, use_span

from fareline_chassis.tracing import Tracing, traceparent_of
from order_binder.domain.events import OrderEvent
from order_binder.domain.values import replace

NAME = "order.bind"


@contextmanager
def event_spans(tracing: Tracing, events: Sequence[OrderEvent]) -> Iterator[Sequence[OrderEvent]]:
    """Open a span for each event while the block runs; yields the events with the traceparents of their spans.

    An error that leaves the block is noted on each. Where nothing is exported the events come back as they were.
    """
    if not tracing.on:
        yield events
        return
    spans = [_span(tracing, event) for event in events]
    with ExitStack() as ends:
        for span in spans:
            ends.enter_context(use_span(span, end_on_exit=True))
        yield [replace(event, traceparent=traceparent_of(span)) for event, span in zip(events, spans, strict=True)]


def _span(tracing: Tracing, event: OrderEvent) -> Span:
    told = {"fareline.tenant": event.key.tenant, "fareline.order_id": event.key.order_id}
    return tracing.span(NAME, event.traceparent, attributes=told)
