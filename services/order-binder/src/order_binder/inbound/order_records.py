"""Order events as records: decoding them, or saying why not."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pydantic import ValidationError
from pydantic_core import from_json

from fareline_chassis.kafka.records import InRecord
from fareline_contracts.cloudevents import NotAnEvent, data_of, event_type, readable_headers
from fareline_contracts.fields import EARLIEST, LATEST
from fareline_contracts.orders import MAX_SNAPSHOT_BYTES, ORDER_TYPE, OrderParty, OrderSnapshot
from order_binder.domain.events import OrderEvent, WrittenParty
from order_binder.domain.orders import OrderKey, OrderStatus

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_EARLIEST_MS = int(EARLIEST.timestamp() * 1000)
_LATEST_MS = int(LATEST.timestamp() * 1000)


@dataclass(frozen=True, slots=True)
class Undecodable:
    """Why a record is no order event: a short reason, and for people the path of what is wrong.

    `tenant` is whom it names, if it gets that far; nobody has checked that there is such a tenant.
    """

    reason: str
    detail: str
    tenant: str | None = None


@dataclass(frozen=True, slots=True)
class OtherType:
    """An event of a type that this release does not know: skipped and counted."""


def kafka_time(timestamp_ms: int, now: datetime) -> datetime:
    """Return the time of a record, which senders may make up: one still to come, or before 2000, counts as now."""
    if not _EARLIEST_MS <= timestamp_ms < _LATEST_MS:
        return now
    return min(datetime.fromtimestamp(timestamp_ms / 1000, UTC), now)


def decode(record: InRecord, now: datetime) -> OrderEvent | Undecodable | OtherType:
    """Return the order event of a record. Headers that are no text are ignored, whatever they are."""
    if record.value is None:
        return Undecodable("empty", "the record has no value")
    if len(record.value) > MAX_SNAPSHOT_BYTES:
        return Undecodable("too_large", f"{len(record.value)} bytes, at most {MAX_SNAPSHOT_BYTES} are accepted")
    headers = readable_headers(record.headers)
    if event_type(headers) not in (None, ORDER_TYPE):
        return OtherType()
    try:
        data, traceparent = data_of(record.value, headers)
        snapshot = OrderSnapshot.model_validate_json(data)
    except NotAnEvent as error:
        return Undecodable("undecodable", str(error))
    except ValidationError as error:
        return _invalid(error, data)
    return order_event(snapshot, kafka_time(record.timestamp_ms, now), traceparent)


def order_event(snapshot: OrderSnapshot, caused_at: datetime, traceparent: str | None) -> OrderEvent:
    """Translate a contract's snapshot."""
    return OrderEvent(
        key=OrderKey(snapshot.tenant, snapshot.order_id),
        version=snapshot.version,
        status=OrderStatus(snapshot.status),
        status_changed_at=snapshot.status_changed_at,
        client=_party(snapshot.client),
        caused_at=caused_at,
        driver=None if snapshot.driver is None else _party(snapshot.driver),
        scheduled_for=snapshot.scheduled_for,
        consent_record=snapshot.consent.record,
        driver_may_call=snapshot.contact.driver_to_client,
        client_may_call=snapshot.contact.client_to_driver,
        city=snapshot.city,
        traceparent=traceparent if traceparent and _TRACEPARENT.fullmatch(traceparent) else None,
    )


def _party(party: OrderParty) -> WrittenParty:
    return WrittenParty(phones=party.phones, id=party.id, label=party.label)


def _invalid(error: ValidationError, data: bytes) -> Undecodable:
    found = error.errors(include_url=False, include_input=False, include_context=False)
    json_broken = any(each["type"].startswith("json_") for each in found)
    places = "; ".join(f"{'/'.join(map(str, each['loc']))}: {each['msg']}" for each in found[:10])
    if json_broken:
        return Undecodable("undecodable", places)
    return Undecodable("invalid", places, _named_tenant(data))


def _named_tenant(data: bytes) -> str | None:
    document = from_json(data)
    tenant = document.get("tenant") if isinstance(document, dict) else None
    return tenant if isinstance(tenant, str) else None
