"""For every test of the repository: the devstack's fixtures (real Kafka, real PostgreSQL), plain logs, and no haste."""

import sys
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

pytest_plugins = ["fareline_devstack.pytest_plugin"]

# By default an example may take 200 ms and its making a second or so, which a busy machine exceeds.
settings.register_profile("no haste", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("no haste")


@pytest.fixture(autouse=True)
def plain_logs() -> Iterator[None]:
    """Write log lines plainly: structlog's default draws the locals of every frame of a traceback, phones and all."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.format_exc_info,
            structlog.processors.KeyValueRenderer(key_order=["level", "event"]),
        ],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )
    yield
    structlog.reset_defaults()
