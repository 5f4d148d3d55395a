"""What stands in our compacted topics: values, headers, and how a record is recognised when read back."""

from datetime import UTC, datetime

from asyncpg import Record

from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.publication.source import Publishable
from fareline_contracts.bindings import BINDING_TYPE, HEARTBEAT_TYPE, Heartbeat, binding_key, heartbeat_key
from fareline_contracts.cloudevents import EventHead, Headers, to_headers
from fareline_contracts.numbers import NUMBER_TYPE
from fareline_contracts.tenants import TENANT_TYPE
from fareline_contracts.topics import BINDINGS
from order_binder.outbound.binding_json import binding_json
from order_binder.outbound.documents import order_of
from order_binder.outbound.registry import number_of, tenant_of
from order_binder.records import number_record, tenant_record

SOURCE = "fareline/order-binder"
# A tombstone has no value to carry its revision, so every record has it in an extension attribute.
REVISION_HEADER = "ce_revision"


def binding_publishable(row: Record) -> Publishable:
    """Return an order's row as its binding's record, or as a tombstone where it has no binding any more."""
    order, at = order_of(row), row["updated_at"]
    key = binding_key(order.key.tenant, order.key.order_id)
    headers = _headers(BINDING_TYPE, key, order.revision, at, order.traceparent)
    return Publishable(key, order.revision, binding_json(order, at), headers)


def tenant_publishable(row: Record) -> Publishable:
    """Return a tenant's row as its record."""
    record = tenant_record(tenant_of(row))
    key = record.tenant.encode()
    headers = _headers(TENANT_TYPE, key, record.revision, row["updated_at"])
    return Publishable(key, record.revision, record.to_json(), headers)


def number_publishable(row: Record) -> Publishable:
    """Return a number's row as its record, or as a tombstone once it is withdrawn."""
    record = number_record(number_of(row))
    key = record.e164.encode()
    headers = _headers(NUMBER_TYPE, key, record.revision, row["updated_at"])
    return Publishable(key, record.revision, None if row["withdrawn"] else record.to_json(), headers)


def heartbeat_record(partition: int, epoch: int, as_of: datetime, input_as_of: datetime) -> OutRecord:
    """Return the heartbeat of a partition of the bindings topic."""
    beat = Heartbeat(partition=partition, as_of=as_of, input_as_of=input_as_of, epoch=epoch)
    key = heartbeat_key(partition)
    head = EventHead(
        id=f"{key.decode()}/{epoch}/{as_of.isoformat()}",
        source=SOURCE,
        type=HEARTBEAT_TYPE,
        time=as_of,
        subject=key.decode(),
    )
    return OutRecord(BINDINGS.name, key, beat.to_json(), to_headers(head), partition=partition)


def revision_of(record: InRecord) -> tuple[bytes, int] | None:
    """Return key and revision of a record read back; None for a heartbeat."""
    revision = record.header(REVISION_HEADER)
    return None if record.key is None or revision is None else (record.key, int(revision))


def _headers(kind: str, key: bytes, revision: int, at: datetime, traceparent: str | None = None) -> Headers:
    """Return what `to_headers` would say of the record, and its revision; a test holds both to the same."""
    number = b"%d" % revision
    trace = (("traceparent", traceparent.encode()),) if traceparent else ()
    return (
        ("ce_specversion", b"1.0"),
        ("ce_id", key + b"/" + number),
        ("ce_source", SOURCE.encode()),
        ("ce_type", kind.encode()),
        ("ce_time", at.astimezone(UTC).isoformat().replace("+00:00", "Z").encode()),
        ("ce_subject", key),
        ("content-type", b"application/json"),
        *trace,
        (REVISION_HEADER, number),
    )
