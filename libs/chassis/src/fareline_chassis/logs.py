"""Logs: one JSON object a line, with trace ids and without phone numbers.

Fields: `ts` (UTC, RFC 3339), `level`, `event`, `service`, `logger`, `trace_id` and `span_id` of the current
OpenTelemetry span if there is one, `exception` (a traceback) where there was one, then whatever the caller gave.
What other libraries say through the standard library's logging comes out the same way.

Every string at any depth goes through `redact_phones`, keys and exception texts included; numbers stay numbers. The
values of `IDENTIFIER_FIELDS` are vouched for as identifiers, so that an order id of eleven digits stays readable:
there only a number with a plus sign is masked.
"""

import logging
import sys
import traceback
from collections.abc import Mapping, MutableMapping, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, TextIO, cast

import orjson
import structlog
from opentelemetry.trace import get_current_span
from structlog.typing import EventDict, ExcInfo, FilteringBoundLogger, Processor

from fareline_chassis.privacy import redact_phones, redact_plus_phones

IDENTIFIER_FIELDS: Final = frozenset(
    {"call_id", "ce_id", "decision_id", "lease_id", "order_id", "recording_id", "request_id", "span_id", "trace_id"}
)
_QUIET_BELOW_WARNING: Final = ("aiokafka", "asyncio", "faststream", "httpx", "httpcore")
_COORDINATOR: Final = "aiokafka.consumer.group_coordinator"
_NAME_FIELD: Final = "_logger"  # get_logger has a parameter `logger` of its own
_DEPTH: Final = 8
_LARGEST_JSON_INT: Final = 2**63


def configure_logging(service: str, level: str, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's log records of `level` and above to `stream` (standard output).

    The one process-wide setting of the chassis: call it once, first thing in an entry point.
    """
    out = stream if stream is not None else sys.stdout
    threshold = logging.getLevelNamesMapping()[level.upper()]
    pipeline: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        _Stamp(service),
        _add_exception,
        _render,
    ]
    structlog.configure(
        processors=pipeline,
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(out),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=threshold, handlers=[StructlogHandler(pipeline, out)], force=True)
    logging.captureWarnings(capture=True)
    for name in _QUIET_BELOW_WARNING:
        logging.getLogger(name).setLevel(max(threshold, logging.WARNING))
    logging.getLogger(_COORDINATOR).addFilter(_no_error_yet)


def get_logger(name: str) -> FilteringBoundLogger:
    """Return a logger whose lines carry `logger: name`; it may be made before logging is configured."""
    return cast("FilteringBoundLogger", structlog.get_logger(**{_NAME_FIELD: name}))


def _no_error_yet(record: logging.LogRecord) -> bool:
    """Make little of a coordinator that a new cluster is still electing: aiokafka asks again until there is one."""
    if record.levelno == logging.ERROR and "GroupCoordinatorNotAvailable" in record.getMessage():
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


class StructlogHandler(logging.Handler):
    """Brings the standard library's log records into the same pipeline and onto the same stream."""

    def __init__(self, pipeline: Sequence[Processor], out: TextIO) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._out = out

    def emit(self, record: logging.LogRecord) -> None:
        """Write `record` as one JSON line."""
        try:
            event: Any = {"event": record.getMessage(), "logger": record.name, "exc_info": record.exc_info}
            for processor in self._pipeline:
                event = processor(self, record.levelname.lower(), event)
            self._out.write(f"{event}\n")
            self._out.flush()
        except Exception:  # noqa: BLE001 - logging must not break what it tells about
            self.handleError(record)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """Say that a record was lost, without its content: the default would print arguments in full."""
        self._out.write(orjson.dumps({"event": "log record lost", "logger": record.name}).decode() + "\n")


class _Stamp:
    """Adds service, time and the ids of the current span."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, _: object, __: str, event: EventDict) -> EventDict:
        event["service"] = self._service
        if _NAME_FIELD in event:
            event["logger"] = event.pop(_NAME_FIELD)
        event["ts"] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        span = get_current_span().get_span_context()
        if span.is_valid:
            event["trace_id"] = f"{span.trace_id:032x}"
            event["span_id"] = f"{span.span_id:016x}"
        return event


def _add_exception(_: object, __: str, event: EventDict) -> EventDict:
    found: ExcInfo | BaseException | bool | None = event.pop("exc_info", None)
    error = _exception_of(found)
    if error is not None:
        event["exception"] = "".join(traceback.format_exception(error))
    return event


def _exception_of(found: ExcInfo | BaseException | bool | None) -> BaseException | None:  # noqa: FBT001 - structlog's
    if isinstance(found, BaseException):
        return found
    if isinstance(found, tuple):
        return found[1]
    return sys.exc_info()[1] if found else None


_FIRST = ("ts", "level", "service", "event")


def _render(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    ordered = {name: event.pop(name) for name in _FIRST if name in event} | dict(event)
    return orjson.dumps(_clean_mapping(ordered, _DEPTH)).decode()


def _clean_mapping(values: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    return {redact_phones(str(key)): _clean_field(key, value, depth) for key, value in values.items()}


def _clean_field(key: object, value: object, depth: int) -> object:
    if key in IDENTIFIER_FIELDS and isinstance(value, str):
        return redact_plus_phones(_text(value))
    return _clean(value, depth)


def _clean(value: object, depth: int) -> object:
    match value:
        case None | bool() | float():
            return value
        case int():
            return int(value) if abs(value) < _LARGEST_JSON_INT else str(value)
        case Mapping() if depth:
            return _clean_mapping(value, depth - 1)
        case list() | tuple() | set() | frozenset() if depth:
            return [_clean(one, depth - 1) for one in value]
        case _:
            return redact_phones(_text(value))


def _text(value: object) -> str:
    match value:
        case str():
            text = str(value)
        case datetime() | date():
            text = value.isoformat()
        case BaseException():
            text = f"{type(value).__name__}: {value}"
        case _:
            text = repr(value)
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()
