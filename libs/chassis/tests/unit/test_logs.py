import dataclasses
import io
import json
import logging
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import use_span

from fareline_chassis.logs import StructlogHandler, configure_logging, get_logger
from fareline_chassis.settings import TelemetrySettings
from fareline_chassis.telemetry import build_telemetry

PLANTED = ["+79031112233", "+7 903 111-22-33", "8(903)1112233", "79031112233"]


@dataclasses.dataclass
class Caller:
    phone: str


class Lines:
    """What was logged, and the bare text of it."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    @property
    def last(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text.splitlines()[-1])
        return found

    def hold_no_phone(self) -> bool:
        return "1112233" not in "".join(filter(str.isdigit, self.text))


@pytest.fixture
def lines() -> Iterator[Lines]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    found = Lines()
    configure_logging("order-binder", "INFO", found.stream)
    yield found
    structlog.reset_defaults()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_line_says_when_who_and_what(lines: Lines) -> None:
    get_logger("binder.consume").info("batch stored", records=17, lag_s=0.25, late=False, city=None)
    line = lines.last
    assert datetime.fromisoformat(line.pop("ts")).tzinfo == UTC
    assert line == {
        "level": "info",
        "service": "order-binder",
        "event": "batch stored",
        "logger": "binder.consume",
        "records": 17,
        "lag_s": 0.25,
        "late": False,
        "city": None,
    }


def test_the_level_is_a_threshold(lines: Lines) -> None:
    get_logger("a").debug("not this")
    logging.getLogger("a").debug("nor this")
    assert lines.text == ""


@pytest.mark.parametrize("phone", PLANTED)
def test_a_phone_is_masked_at_any_depth(lines: Lines, phone: str) -> None:
    value = {"a": [{phone: (phone, {phone}, {"b": {"c": f"to {phone}."}})}], "d": Caller(phone), "e": phone.encode()}
    get_logger("a").info(f"from {phone}", value=value, error=ValueError(phone), caller=phone)
    assert lines.last["event"].endswith("2233")
    assert lines.hold_no_phone()


@pytest.mark.parametrize("phone", PLANTED)
def test_a_phone_is_masked_in_exceptions_and_their_causes(lines: Lines, phone: str) -> None:
    def fail() -> None:
        raise ValueError(f"no slot for {phone}") from KeyError(phone)

    try:
        fail()
    except ValueError:
        get_logger("a").exception("failed")
        logging.getLogger("asyncpg").exception("failed for %s", phone)
    assert "ValueError: no slot for " in lines.last["exception"]
    assert "KeyError" in lines.last["exception"]
    assert lines.hold_no_phone()


@pytest.mark.parametrize("name", ["uvicorn.error", "aiokafka.consumer", "asyncpg", "asyncio"])
def test_other_libraries_come_out_the_same(lines: Lines, name: str) -> None:
    logging.getLogger(name).warning("peer %s left %r", "+79031112233", {"p": "79031112233"})
    line = lines.last
    assert (line["level"], line["logger"], line["service"]) == ("warning", name, "order-binder")
    assert line["event"] == "peer +7***2233 left {'p': '7***2233'}"


def test_a_warning_is_a_line_too(lines: Lines) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("call +79031112233", UserWarning, stacklevel=1)
    assert lines.last["logger"] == "py.warnings"
    assert lines.hold_no_phone()


def test_a_record_that_cannot_be_formatted_is_said_without_its_arguments(lines: Lines) -> None:
    record = logging.LogRecord("a", logging.WARNING, "a.py", 1, "%d calls", ("+79031112233",), None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, StructlogHandler):
            handler.handle(record)
    assert lines.last == {"event": "log record lost", "logger": "a"}


def test_identifiers_times_and_numbers_stay(lines: Lines) -> None:
    kept = {
        "order_id": "10012345678",
        "revision": 1764000000123456,
        "phoneless": 79031112233,
        "at": "2026-11-24T10:00:00.123456Z",
        "uuid": "550e8400-e29b-41d4-a716-446655440000",
        "trace": "4bf92f3577b34da6a3ce929d0e0e4736",
    }
    get_logger("a").info("kept", **kept)
    assert {name: lines.last[name] for name in kept} == kept


def test_a_phone_with_a_plus_is_masked_even_as_an_identifier(lines: Lines) -> None:
    get_logger("a").info("odd", call_id="x-+79031112233")
    assert lines.last["call_id"] == "x-+7***2233"


def test_awkward_values_still_make_a_line(lines: Lines) -> None:
    loop: list[object] = []
    loop.append(loop)
    get_logger("a").info(
        "odd", loop=loop, big=2**70, lone="\ud800", when=datetime(2026, 11, 24, tzinfo=UTC), nan=float("nan")
    )
    assert lines.last["big"] == str(2**70)
    assert lines.last["when"] == "2026-11-24T00:00:00+00:00"


def test_lines_of_a_span_carry_its_ids(lines: Lines) -> None:
    telemetry = build_telemetry("order-binder", TelemetrySettings(), span_exporter=InMemorySpanExporter())
    with use_span(telemetry.tracing.span("work", None), end_on_exit=True) as span:
        get_logger("a").info("inside")
        logging.getLogger("b").warning("inside too")
    context = span.get_span_context()
    for line in map(json.loads, lines.text.splitlines()):
        assert (line["trace_id"], line["span_id"]) == (f"{context.trace_id:032x}", f"{context.span_id:016x}")
    get_logger("a").info("outside")
    assert "trace_id" not in lines.last
    telemetry.shutdown()


def test_bound_context_is_in_every_line(lines: Lines) -> None:
    with structlog.contextvars.bound_contextvars(call_id="c-1"):
        get_logger("a").info("x")
    assert lines.last["call_id"] == "c-1"


def test_a_coordinator_not_yet_elected_is_no_error_and_everything_else_of_it_is(lines: Lines) -> None:
    coordinator = logging.getLogger("aiokafka.consumer.group_coordinator")
    coordinator.error("Group Coordinator Request failed: %s", "[Error 15] GroupCoordinatorNotAvailableError")
    assert lines.last["level"] == "info"
    coordinator.error("Heartbeat failed")
    assert lines.last["level"] == "error"
