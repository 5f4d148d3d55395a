from collections import Counter

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from order_binder.inbound.alarms import TenantAlarms
from order_binder.inbound.metrics import BinderMetrics
from order_binder.usecases.ingest_orders import IngestReport


@pytest.fixture
def logs():
    with capture_logs() as lines:
        yield lines


def test_a_dry_pool_is_counted_each_time_and_said_once_a_minute(logs):
    registry, now = CollectorRegistry(), [100.0]
    alarms = TenantAlarms(BinderMetrics(registry), monotonic=lambda: now[0])
    for _ in range(3):
        alarms.took(IngestReport(pool_dry=Counter(demo=2), longer_codes={"demo": 7}))
        now[0] += 25
    alarms.took(IngestReport(pool_dry=Counter(solo=1)))
    alarms.took(IngestReport(pool_dry=Counter(demo=1)))

    def counted(tenant):
        return registry.get_sample_value("fareline_binder_pool_dry_total", {"tenant": tenant})

    assert (counted("demo"), counted("solo")) == (7, 1)
    assert [line["tenant"] for line in logs if line["event"] == "pool.dry"] == ["demo", "solo", "demo"]
    assert [line["digits"] for line in logs if line["event"] == "codes.longer"] == [7]
    assert registry.get_sample_value("fareline_binder_longer_code_digits", {"tenant": "demo"}) == 7
