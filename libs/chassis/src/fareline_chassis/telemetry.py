"""Traces and metrics of one service process. No global provider is set: whoever records is handed a `Telemetry`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.exporter.prometheus import PrometheusMetricReader
from opentelemetry.metrics import Meter
from opentelemetry.sdk.metrics import Histogram, MeterProvider
from opentelemetry.sdk.metrics.view import ExplicitBucketHistogramAggregation, View
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import NoOpTracer, Tracer
from prometheus_client import CollectorRegistry, ProcessCollector

from fareline_chassis.settings import TelemetrySettings
from fareline_chassis.spans import RedactingExporter
from fareline_chassis.tracing import Tracing

SECONDS_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""For every histogram in seconds; the library's own buckets are made for milliseconds."""

_EXPORT_TIMEOUT_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Telemetry:
    """What a service records with.

    `registry` is what `/metrics` shows: metrics of `meter` appear in it, and prometheus_client metrics (cheaper on a
    hot path) may be registered in it directly.
    """

    registry: CollectorRegistry
    tracing: Tracing
    meter: Meter
    tracer_provider: TracerProvider
    meter_provider: MeterProvider

    def shutdown(self) -> None:
        """Send what is not sent yet, for a few seconds at most, and stop. Blocks: call it after everything else."""
        self.tracer_provider.shutdown()
        self.meter_provider.shutdown()


def build_telemetry(
    service: str, settings: TelemetrySettings, *, span_exporter: SpanExporter | None = None
) -> Telemetry:
    """Return a new, independent `Telemetry` for `service`.

    Traces go to the OTLP endpoint of the settings; without one no span is made. `span_exporter` gets each span at once
    instead: an `InMemorySpanExporter` in tests. Phones in span attributes and events are masked on the way out in
    either case.
    """
    resource = Resource.create({"service.name": service})
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    sampler = ParentBased(TraceIdRatioBased(settings.otel_traces_sampler_arg))
    traces = TracerProvider(resource=resource, sampler=sampler, shutdown_on_exit=False)
    tracer: Tracer = traces.get_tracer("fareline")
    if span_exporter is not None:
        traces.add_span_processor(SimpleSpanProcessor(RedactingExporter(span_exporter)))
    elif settings.otel_exporter_otlp_endpoint:
        traces.add_span_processor(BatchSpanProcessor(_otlp(settings.otel_exporter_otlp_endpoint)))
    else:
        tracer = NoOpTracer()
    metrics = MeterProvider(
        metric_readers=[PrometheusMetricReader(registry=registry, scope_info_enabled=False)],
        resource=resource,
        views=_views(),
        shutdown_on_exit=False,
    )
    return Telemetry(
        registry=registry,
        tracing=Tracing(tracer),
        meter=metrics.get_meter("fareline"),
        tracer_provider=traces,
        meter_provider=metrics,
    )


def _otlp(endpoint: str) -> SpanExporter:
    exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces", timeout=_EXPORT_TIMEOUT_S)
    return RedactingExporter(exporter)


def _views() -> Sequence[View]:
    seconds = ExplicitBucketHistogramAggregation(SECONDS_BUCKETS)
    return [View(instrument_type=Histogram, instrument_unit="s", aggregation=seconds)]
