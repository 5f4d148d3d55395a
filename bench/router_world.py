"""What the router benchmark routes by: one tenant, its numbers, many live bindings, and heartbeats that keep coming."""

import asyncio
from datetime import UTC, datetime, timedelta

from aiokafka import AIOKafkaProducer

from fareline_contracts.bindings import (
    BINDING_TYPE,
    HEARTBEAT_TYPE,
    BindingRecord,
    BindingState,
    BoundParty,
    CallPolicy,
    Direction,
    Directions,
    Heartbeat,
    Parties,
    binding_key,
    heartbeat_key,
)
from fareline_contracts.cloudevents import EventHead, to_headers
from fareline_contracts.fields import Record
from fareline_contracts.numbers import NUMBER_TYPE, NumberRecord, NumberRole
from fareline_contracts.orders import OrderStatus
from fareline_contracts.tenants import TENANT_TYPE, TenantRecord
from fareline_contracts.topics import BINDINGS, NUMBERS, TENANTS

TENANT = "demo"
PARTITIONS = 3
NUMBERS_LENT = tuple(f"+749500001{i:02d}" for i in range(1, 11))


def driver_phone(index: int) -> str:
    """Return the phone of driver `index`."""
    return f"+79{100_000_000 + index}"


def number_of(index: int) -> str:
    """Return the proxy number lent to the order of driver `index`."""
    return NUMBERS_LENT[index % len(NUMBERS_LENT)]


async def publish_world(producer: AIOKafkaProducer, prefix: str, bindings: int) -> None:
    """Write the tenant, its numbers and `bindings` live bindings, all acknowledged on return."""
    now = datetime.now(UTC)
    tenant = TenantRecord(tenant=TENANT, revision=1, region="RU")
    await _send(producer, prefix + TENANTS.name, TENANT_TYPE, TENANT.encode(), tenant)
    for number in NUMBERS_LENT:
        record = NumberRecord(e164=number, tenant=TENANT, revision=1, role=NumberRole.POOL)
        await _send(producer, prefix + NUMBERS.name, NUMBER_TYPE, number.encode(), record)
    sends = [
        await producer.send(
            prefix + BINDINGS.name,
            key=binding_key(TENANT, f"o-{index}"),
            value=_binding(index, now).to_json(),
            headers=_headers(BINDING_TYPE, f"o-{index}"),
        )
        for index in range(bindings)
    ]
    await asyncio.gather(*sends)


async def beat(producer: AIOKafkaProducer, prefix: str) -> None:
    """Write a heartbeat to every partition once a second until cancelled."""
    while True:
        now = datetime.now(UTC)
        for partition in range(PARTITIONS):
            record = Heartbeat(partition=partition, as_of=now, input_as_of=now, epoch=1)
            key = heartbeat_key(partition)
            await _send(producer, prefix + BINDINGS.name, HEARTBEAT_TYPE, key, record, partition=partition)
        await asyncio.sleep(1)


def _binding(index: int, now: datetime) -> BindingRecord:
    window = Direction(opens_at=now - timedelta(minutes=1), closes_at=now + timedelta(hours=48))
    number = number_of(index)
    return BindingRecord(
        tenant=TENANT,
        order_id=f"o-{index}",
        revision=1,
        order_version=1,
        state=BindingState.ACTIVE,
        order_status=OrderStatus.ACCEPTED,
        status_changed_at=now,
        number=number,
        parties=Parties(
            driver=BoundParty(id=f"d-{index}", phones=(driver_phone(index),), code=f"{index:08d}"),
            client=BoundParty(id=f"c-{index}", phones=(f"+79{500_000_000 + index}",), code=f"{50_000_000 + index}"),
        ),
        directions=Directions(driver_to_client=window, client_to_driver=window),
        call_policy=CallPolicy(caller_id=number, record=True),
        caused_at=now,
        updated_at=now,
    )


async def _send(
    producer: AIOKafkaProducer, topic: str, kind: str, key: bytes, record: Record, *, partition: int | None = None
) -> None:
    headers = _headers(kind, key.decode())
    await producer.send_and_wait(topic, key=key, value=record.to_json(), headers=headers, partition=partition)


def _headers(kind: str, subject: str) -> list[tuple[str, bytes]]:
    return list(to_headers(EventHead(subject, "bench", kind, datetime.now(UTC), subject)))
