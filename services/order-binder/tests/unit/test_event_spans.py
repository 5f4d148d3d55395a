"""Spans of order events: one an event, each in the trace of its own event."""

import pytest
from binder_fakes import NOW
from binder_process import order_json
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from fareline_chassis.kafka.records import InRecord
from fareline_chassis.settings import TelemetrySettings
from fareline_chassis.telemetry import build_telemetry
from order_binder.domain.values import replace
from order_binder.inbound.event_spans import event_spans
from order_binder.inbound.order_records import decode

TRACES = ("4bf92f3577b34da6a3ce929d0e0e4736", "5bf92f3577b34da6a3ce929d0e0e4737")


@pytest.fixture
def exported():
    exporter = InMemorySpanExporter()
    telemetry = build_telemetry("order-binder", TelemetrySettings(), span_exporter=exporter)
    yield telemetry.tracing, exporter
    telemetry.shutdown()


def events():
    made = []
    for offset, trace in enumerate(TRACES):
        traceparent = f"00-{trace}-00f067aa0ba902b7-01".encode()
        record = InRecord(
            "t", 0, offset, 1_764_000_000_000, b"k", order_json(f"o-{offset}", 1), (("traceparent", traceparent),)
        )
        made.append(decode(record, NOW))
    return made


def test_each_event_goes_on_in_its_own_trace(exported):
    tracing, exporter = exported
    with event_spans(tracing, events()) as traced:
        carried = [event.traceparent.split("-") for event in traced]
    spans = {f"{span.context.trace_id:032x}": span for span in exporter.get_finished_spans()}
    assert set(spans) == set(TRACES)
    assert [parts[1] for parts in carried] == list(TRACES)
    assert [f"{spans[trace].context.span_id:016x}" for trace in TRACES] == [parts[2] for parts in carried]
    assert {f"{span.parent.span_id:016x}" for span in spans.values()} == {"00f067aa0ba902b7"}


def test_an_event_without_a_trace_begins_one(exported):
    tracing, exporter = exported
    with event_spans(tracing, [replace(events()[0], traceparent=None)]) as (event,):
        assert event.traceparent
    (span,) = exporter.get_finished_spans()
    assert span.parent is None


def test_an_error_is_noted_on_every_span(exported):
    tracing, exporter = exported
    with pytest.raises(ValueError), event_spans(tracing, events()):
        raise ValueError("no")
    assert [span.status.is_ok for span in exporter.get_finished_spans()] == [False, False]


def test_without_an_exporter_events_stay_as_they_are():
    telemetry = build_telemetry("order-binder", TelemetrySettings())
    given = events()
    with event_spans(telemetry.tracing, given) as traced:
        assert traced is given
    telemetry.shutdown()
