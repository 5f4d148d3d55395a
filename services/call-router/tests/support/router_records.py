"""Records of the compacted topics as order-binder writes them."""

from datetime import UTC, datetime, timedelta

from router_world import C1, D1, MAIN, POOL

from fareline_chassis.kafka.records import OutRecord
from fareline_contracts import bindings as contract
from fareline_contracts.bindings import (
    BINDING_TYPE,
    HEARTBEAT_TYPE,
    BindingRecord,
    Heartbeat,
    binding_key,
    heartbeat_key,
)
from fareline_contracts.cloudevents import EventHead, to_headers
from fareline_contracts.numbers import NUMBER_TYPE, NumberRecord, NumberRole
from fareline_contracts.tenants import TENANT_TYPE, TenantRecord
from fareline_contracts.topics import BINDINGS, NUMBERS, TENANTS

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def record(topic, key: bytes, kind: str, value: bytes | None, partition: int | None = None) -> OutRecord:
    head = EventHead("id", "/test", kind, datetime.now(UTC), key.decode(), TRACE)
    return OutRecord(topic.name, key, value, to_headers(head), partition)


def bound(order_id="o-1", *, driver=D1, client=C1, revision=1, order_version=None, number=POOL) -> OutRecord:
    now = datetime.now(UTC)
    window = contract.Direction(opens_at=now - timedelta(hours=1), closes_at=now + timedelta(hours=1))
    value = BindingRecord(
        tenant="demo",
        order_id=order_id,
        revision=revision,
        order_version=revision if order_version is None else order_version,
        state="active",
        order_status="accepted",
        status_changed_at=now,
        number=number,
        parties={"driver": {"phones": (driver,), "code": "482913"}, "client": {"phones": (client,), "code": "118204"}},
        directions={"driver_to_client": window, "client_to_driver": window},
        call_policy={"caller_id": number, "record": True},
        caused_at=now,
        updated_at=now,
    )
    return record(BINDINGS, binding_key("demo", order_id), BINDING_TYPE, value.to_json())


def heartbeat(partition: int, age: timedelta = timedelta(0)) -> OutRecord:
    now = datetime.now(UTC)
    value = Heartbeat(partition=partition, as_of=now, input_as_of=now - age, epoch=1)
    return record(BINDINGS, heartbeat_key(partition), HEARTBEAT_TYPE, value.to_json(), partition)


def inventory() -> list[OutRecord]:
    numbers = [(MAIN, NumberRole.MAIN), (POOL, NumberRole.POOL)]
    return [
        record(TENANTS, b"demo", TENANT_TYPE, TenantRecord(tenant="demo", revision=1, region="RU").to_json()),
        *(
            record(
                NUMBERS,
                e164.encode(),
                NUMBER_TYPE,
                NumberRecord(e164=e164, tenant="demo", revision=1, role=role).to_json(),
            )
            for e164, role in numbers
        ),
    ]
