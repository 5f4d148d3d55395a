from datetime import UTC, datetime

import pytest
from opentelemetry import metrics, trace
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import get_current_span, use_span
from prometheus_client import Counter, generate_latest

from fareline_chassis.settings import TelemetrySettings
from fareline_chassis.telemetry import SECONDS_BUCKETS, build_telemetry
from fareline_chassis.tracing import context_from_traceparent, traceparent_of, traceparent_of_current_span

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
BEGUN = datetime.fromtimestamp(1_764_000_000.5, UTC)
TOLD = {"from": "79031112233", "all": ["+79031112233"], "n": 3, "on": True}


def settings(**values: object) -> TelemetrySettings:
    return TelemetrySettings.model_validate({"otel_exporter_otlp_endpoint": None, **values})


def test_no_global_provider_is_set() -> None:
    before = trace.get_tracer_provider(), metrics.get_meter_provider()
    build_telemetry("a", settings()).shutdown()
    assert (trace.get_tracer_provider(), metrics.get_meter_provider()) == before


def test_two_instances_share_nothing() -> None:
    one, other = build_telemetry("one", settings()), build_telemetry("other", settings())
    one.meter.create_counter("fareline_things").add(3)
    Counter("fareline_direct", "direct", registry=one.registry).inc()
    shown = generate_latest(one.registry).decode()
    assert "fareline_things_total 3.0" in shown
    assert "fareline_direct_total 1.0" in shown
    assert "fareline_things" not in generate_latest(other.registry).decode()
    one.shutdown()
    other.shutdown()


def test_histograms_in_seconds_have_buckets_of_seconds() -> None:
    telemetry = build_telemetry("a", settings())
    telemetry.meter.create_histogram("fareline_answer", unit="s").record(0.004)
    shown = generate_latest(telemetry.registry).decode()
    assert 'fareline_answer_seconds_bucket{le="0.0025"} 0.0' in shown
    assert 'fareline_answer_seconds_bucket{le="0.005"} 1.0' in shown
    assert f'le="{SECONDS_BUCKETS[-1]}"' in shown
    telemetry.shutdown()


@pytest.mark.parametrize("value", [TRACEPARENT, TRACEPARENT.encode()])
def test_a_trace_goes_on_where_it_came_from(value: bytes | str) -> None:
    exporter = InMemorySpanExporter()
    telemetry = build_telemetry("a", settings(), span_exporter=exporter)
    with use_span(telemetry.tracing.span("consume", value, attributes={"n": 1}, begun=BEGUN), end_on_exit=True):
        onward = traceparent_of_current_span()
    assert onward is not None
    assert onward.startswith("00-4bf92f3577b34da6a3ce929d0e0e4736-")
    (span,) = exporter.get_finished_spans()
    assert span.parent is not None
    assert f"{span.parent.span_id:016x}" == "00f067aa0ba902b7"
    assert span.start_time == 1_764_000_000_500_000_000
    telemetry.shutdown()


@pytest.mark.parametrize("value", [None, "", b"", b"\xff\xfe", "00-zz", TRACEPARENT + TRACEPARENT, "00-" + "0" * 32])
def test_an_unusable_traceparent_is_none(value: bytes | str | None) -> None:
    assert not get_current_span(context_from_traceparent(value)).get_span_context().is_valid


def test_outside_of_a_span_there_is_no_traceparent() -> None:
    assert traceparent_of_current_span() is None


def test_phones_do_not_leave_with_a_span() -> None:
    exporter = InMemorySpanExporter()
    telemetry = build_telemetry("a", settings(), span_exporter=exporter)
    with (
        pytest.raises(ValueError),
        use_span(telemetry.tracing.span("call +79031112233", None, attributes=TOLD), end_on_exit=True),
    ):
        raise ValueError("no slot for +7 903 111-22-33")
    (span,) = exporter.get_finished_spans()
    assert "1112233" not in "".join(filter(str.isdigit, span.to_json()))
    assert span.attributes is not None
    assert dict(span.attributes) == {"from": "7***2233", "all": ("+7***2233",), "n": 3, "on": True}
    assert span.status.description == "ValueError: no slot for +7***2233"
    telemetry.shutdown()


def test_what_is_not_sampled_is_not_exported() -> None:
    exporter = InMemorySpanExporter()
    telemetry = build_telemetry("a", settings(otel_traces_sampler_arg=0), span_exporter=exporter)
    span = telemetry.tracing.span("call", None)
    assert traceparent_of(span) is not None
    span.end()
    assert exporter.get_finished_spans() == ()
    telemetry.shutdown()


def test_without_an_exporter_a_traceparent_goes_on_unchanged_and_none_is_begun() -> None:
    telemetry = build_telemetry("a", settings())
    assert not telemetry.tracing.on
    assert traceparent_of(telemetry.tracing.span("call", TRACEPARENT)) == TRACEPARENT
    assert traceparent_of(telemetry.tracing.span("call", None)) is None
    telemetry.shutdown()
