"""For every test of the repository: the devstack's fixtures (real Kafka and PostgreSQL on demand), and plain logs."""

import sys
from collections.abc import Iterator

import pytest
import structlog

pytest_plugins = ["fareline_devstack.pytest_plugin"]


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
