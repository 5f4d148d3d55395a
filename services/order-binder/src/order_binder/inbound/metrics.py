"""What order-binder counts. Labels are closed sets: tenants only those that exist, phones never."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from order_binder.usecases.ingest_orders import IngestReport

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)


class BinderMetrics:
    """All metrics of one process."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"fareline_binder_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"fareline_binder_{name}", text, labels, registry=registry)

        self._tenants: set[str] = set()
        self.events = counter("order_events", "Order events by what they did.", "outcome")
        self.refused = counter(
            "order_events_refused", "Order events that went to the dead letters.", "tenant", "reason"
        )
        self.skipped = counter("order_events_skipped", "Records of a type that this release does not know.")
        self.phone_faults = counter("phones_dropped", "Phones of snapshots that may not be called.", "fault")
        self.unroutable = counter("orders_unroutable", "Orders that became unroutable.", "reason")
        self.times_replaced = counter("status_times_replaced", "Times of status changes beyond belief.")
        self.pool_dry = counter("pool_dry", "Bindings that wanted a pool number and got the main one.", "tenant")
        self.code_digits = gauge(
            "longer_code_digits", "Digits of new codes where the policy's would crowd the space.", "tenant"
        )
        self.paused = gauge("consuming_paused", "1 while most of the last 200 records failed unexpectedly.")
        self.unpublishable = counter("unpublishable_bindings", "Bindings that could not be made a record.")
        self.moved = counter("moved_bindings", "Bindings that got another number because theirs is withdrawn.")
        self.batch_retries = counter("batch_retries", "Batches given back to be delivered again.", "why")
        self.sweeps = counter("swept_orders", "Orders whose state the clock changed.")
        self.ingest_delay = Histogram(
            "fareline_binder_ingest_delay_seconds",
            "From Kafka's time of an order event to the commit of its binding.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.publication_delay = Histogram(
            "fareline_binder_publication_delay_seconds",
            "From the commit of a binding to Kafka's acknowledgement of its record.",
            buckets=_SECONDS,
            registry=registry,
        )
        self.input_lag = gauge("input_lag_records", "Order events not yet processed, in this process' partitions.")

    def took(self, report: IngestReport) -> None:
        """Count what a batch came to."""
        for outcome, count in report.outcomes.items():
            self.events.labels(outcome).inc(count)
        for fault, count in report.phone_faults.items():
            self.phone_faults.labels(fault).inc(count)
        for reason, count in report.unroutable.items():
            self.unroutable.labels(reason).inc(count)
        self.times_replaced.inc(report.times_replaced)
        for tenant, count in report.pool_dry.items():
            self.pool_dry.labels(tenant).inc(count)
        for tenant, digits in report.longer_codes.items():
            self.code_digits.labels(tenant).set(digits)
        self._tenants |= report.tenants

    def refuse(self, tenant: str | None, reason: str, count: int) -> None:
        """Count refused events; a tenant that nothing was ever ingested for is `unknown`, lest anybody make labels."""
        self.refused.labels(tenant if tenant in self._tenants else "unknown", reason).inc(count)
