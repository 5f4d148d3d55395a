"""Alarms about a tenant: counted each time, said in the log at most once a minute."""

import time
from collections.abc import Mapping
from datetime import timedelta

from fareline_chassis.clock import Monotonic
from fareline_chassis.logs import get_logger
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.refusals import Aside
from order_binder.usecases.ingest_orders import IngestReport

_QUIET_FOR = timedelta(minutes=1)
log = get_logger(__name__)


class TenantAlarms:
    """Tells of refusals, dry pools and crowded codes, by tenant."""

    def __init__(self, metrics: BinderMetrics, monotonic: Monotonic = time.monotonic) -> None:
        self._metrics = metrics
        self._monotonic = monotonic
        self._said_at: dict[tuple[str, str], float] = {}

    def took(self, report: IngestReport) -> None:
        """Look at what a batch came to."""
        self._metrics.took(report)
        for tenant, count in report.pool_dry.items():
            self._say("pool.dry", tenant, bindings=count)
        for tenant, digits in report.longer_codes.items():
            self._say("codes.longer", tenant, digits=digits)

    def refused(self, aside: Aside) -> None:
        """Count what was put aside and say so once for the whole batch."""
        for (tenant, reason), count in aside.refusals.items():
            self._metrics.refuse(tenant, reason, count)
        log.warning(
            "orders.refused",
            reasons=dict(aside.reasons),
            tenants=sorted({tenant for tenant, _ in aside.refusals if tenant}),
            first=aside.first,
            detail=aside.detail,
            exc_info=aside.unexpected,
        )

    def paused(self, *, now: bool) -> None:
        """Show whether consuming pauses because most records fail unexpectedly."""
        self._metrics.paused.set(now)
        if now:
            self._say("orders.paused", "", why="most of the last 200 records failed unexpectedly")

    def _say(self, event: str, tenant: str, **about: object) -> None:
        now = self._monotonic()
        if now - self._said_at.get((event, tenant), -_QUIET_FOR.total_seconds()) >= _QUIET_FOR.total_seconds():
            self._said_at[event, tenant] = now
            known: Mapping[str, object] = {"tenant": tenant} if tenant else {}
            log.warning(event, **known, **about)
