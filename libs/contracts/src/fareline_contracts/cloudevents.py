"""CloudEvents 1.0 over Kafka: our own records in binary mode, and reading what others may send.

Headers are bytes on the wire. One that is not UTF-8 is left out here and costs nothing else.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

Headers = tuple[tuple[str, bytes], ...]
STRUCTURED = "application/cloudevents+json"


@dataclass(frozen=True, slots=True)
class EventHead:
    """The attributes of one event; `subject` is the record's key, `traceparent` the W3C trace it belongs to."""

    id: str
    source: str
    type: str
    time: datetime
    subject: str
    traceparent: str | None = None


def to_headers(head: EventHead) -> Headers:
    """Return the Kafka headers of a binary-mode event."""
    headers = (
        ("ce_specversion", b"1.0"),
        ("ce_id", head.id.encode()),
        ("ce_source", head.source.encode()),
        ("ce_type", head.type.encode()),
        ("ce_time", head.time.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_subject", head.subject.encode()),
        ("content-type", b"application/json"),
    )
    return (*headers, ("traceparent", head.traceparent.encode())) if head.traceparent else headers


def readable_headers(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Return the headers that are text, names in lower case, the first of a repeated name winning."""
    found: dict[str, str] = {}
    for name, value in headers:
        if value is None or name.lower() in found:
            continue
        try:
            found[name.lower()] = value.decode()
        except UnicodeDecodeError:
            continue
    return found


def event_type(headers: Mapping[str, str]) -> str | None:
    """Return the `ce_type` of a binary-mode record, None where it has none."""
    return headers.get("ce_type")


class NotAnEvent(ValueError):
    """The value is neither a bare document nor an event that carries one."""


def data_of(value: bytes, headers: Mapping[str, str]) -> tuple[bytes, str | None]:
    """Return the data of a record and its trace, for binary mode, structured mode and bare documents alike.

    Raises NotAnEvent for a value that is not JSON at all, or a structured event without data.
    """
    trace = headers.get("traceparent")
    structured = headers.get("content-type", "").startswith(STRUCTURED)
    if not structured and (b'"specversion"' not in value or "ce_specversion" in headers):
        return value, trace
    try:
        envelope = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise NotAnEvent("the value is not JSON") from error
    if not isinstance(envelope, dict) or "specversion" not in envelope:
        if structured:
            raise NotAnEvent("specversion: missing in a structured event")
        return value, trace
    if not isinstance(envelope.get("data"), dict):
        raise NotAnEvent("data: missing in a structured event")
    inner = envelope.get("traceparent")
    return json.dumps(envelope["data"]).encode(), trace or (inner if isinstance(inner, str) else None)
