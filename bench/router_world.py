"""What the router benchmarks route by: tenants with their numbers and lines, live bindings, heartbeats, and news.

Bindings are written from one template, which the contract's model made, a thousand records to a batch: a million of
them are to be in Kafka within a minute.
"""

import asyncio
import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from fareline_contracts.bindings import (
    BINDING_TYPE,
    HEARTBEAT_TYPE,
    Announce,
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
from fareline_devstack.story.signatures import zadarma_webhook

ACCOUNT, SECRET = "bench", "bench-secret"
PARTITIONS = 3
NUMBERS_A_TENANT = 10
STRANGER_EVERY = 5
_BATCH = 1000
_TRACE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
_MARKS = {
    "tenant": "t-mark",
    "order": "o-mark",
    "number": "+77700001",
    "driver": "+77700002",
    "client": "+77700003",
    "driver_code": "77700004",
    "client_code": "77700005",
    "revision": "77700006",
}


@dataclass(frozen=True, slots=True)
class World:
    """So many live bindings, shared out evenly among so many tenants; `made_at` dates them."""

    bindings: int
    tenants: int
    made_at: datetime

    def tenant(self, index: int) -> str:
        """Return the tenant of a binding."""
        return f"t-{index % self.tenants:02d}"

    def number(self, index: int) -> str:
        """Return the pool number that a binding was lent."""
        return f"+7495{100 + index % self.tenants}{1000 + index // self.tenants % NUMBERS_A_TENANT}"

    def accounts_file(self, folder: Path) -> Path:
        """Write an accounts file with one Zadarma PBX of all tenants, a recording line for each number."""
        owned = sorted({self.number(index) for index in range(self.tenants * NUMBERS_A_TENANT)})
        account = {
            "name": ACCOUNT,
            "kind": "zadarma",
            "tenants": sorted({self.tenant(index) for index in range(self.tenants)}),
            "secrets": [SECRET],
            "default_region": "RU",
            "targets": {"operator": "0-main"},
            "lines": [{"ext": str(100 + place), "caller_id": e164, "record": True} for place, e164 in enumerate(owned)],
        }
        path = folder / "accounts.json"
        path.write_text(json.dumps({"accounts": [account]}))
        return path

    def webhooks(self, path: str, count: int) -> list[bytes]:
        """Return signed NOTIFY_START requests, one caller in five a stranger, every call a new one."""
        return [self._webhook(path, stranger=number % STRANGER_EVERY == 0) for number in range(count)]

    def _webhook(self, path: str, *, stranger: bool) -> bytes:
        index = secrets.randbelow(self.bindings)
        form = {
            "event": "NOTIFY_START",
            "caller_id": f"+79{900_000_000 + index % 100_000_000}" if stranger else driver_phone(index),
            "called_did": self.number(index).removeprefix("+"),
            "call_start": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}",
            "pbx_call_id": "in_" + secrets.token_hex(20),
        }
        body = urlencode(form)
        return (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"
            f"Signature: {zadarma_webhook(SECRET, form)}\r\nContent-Length: {len(body)}\r\n\r\n{body}"
        ).encode()


def driver_phone(index: int) -> str:
    """Return the phone of the driver of binding `index`."""
    return f"+79{100_000_000 + index}"


class Publisher:
    """Writes the world into topics with a prefix."""

    def __init__(self, producer: AIOKafkaProducer, prefix: str, world: World) -> None:
        self._producer = producer
        self._prefix = prefix
        self._world = world
        self._template = _template(world.made_at)

    async def publish(self) -> None:
        """Write tenants, numbers and bindings, all acknowledged on return."""
        world = self._world
        for place in range(world.tenants):
            tenant = TenantRecord(tenant=world.tenant(place), revision=1, region="RU")
            await self._send(TENANTS.name, TENANT_TYPE, tenant.tenant.encode(), tenant)
        for index in range(world.tenants * NUMBERS_A_TENANT):
            e164 = world.number(index)
            number = NumberRecord(e164=e164, tenant=world.tenant(index), revision=1, role=NumberRole.POOL)
            await self._send(NUMBERS.name, NUMBER_TYPE, e164.encode(), number)
        for start in range(0, world.bindings, _BATCH):
            await self._batch(range(start, min(start + _BATCH, world.bindings)), revision=1)

    async def change(self, a_second: int) -> None:
        """Write so many new revisions of bindings a second, until cancelled."""
        revision = 1
        while True:
            revision += 1
            for _ in range(10):
                begin = secrets.randbelow(max(self._world.bindings - a_second, 1))
                await self._batch(range(begin, begin + a_second // 10), revision=revision)
                await asyncio.sleep(0.1)

    async def beat(self) -> None:
        """Write a heartbeat to every partition once a second until cancelled."""
        while True:
            now = datetime.now(UTC)
            for partition in range(PARTITIONS):
                record = Heartbeat(partition=partition, as_of=now, input_as_of=now, epoch=1)
                await self._send(BINDINGS.name, HEARTBEAT_TYPE, heartbeat_key(partition), record, partition=partition)
            await asyncio.sleep(1)

    async def _batch(self, indexes: range, *, revision: int) -> None:
        """Write bindings, acknowledged, to the partitions in turn; who reads all does not care which holds a key."""
        waiting = list(indexes)
        while waiting:
            batch = self._producer.create_batch()
            partition = waiting[0] // _BATCH % PARTITIONS
            while waiting and self._append(batch, waiting[0], revision):
                waiting.pop(0)
            batch.close()
            await (await self._producer.send_batch(batch, self._prefix + BINDINGS.name, partition=partition))

    def _append(self, batch: BatchBuilder, index: int, revision: int) -> bool:
        """Add a binding to a batch; False when that is full."""
        world = self._world
        values = {
            "tenant": world.tenant(index),
            "order": f"o-{index}",
            "number": world.number(index),
            "driver": driver_phone(index),
            "client": f"+79{500_000_000 + index}",
            "driver_code": 10_000_000 + index,
            "client_code": 20_000_000 + index,
            "revision": revision,
        }
        key = binding_key(world.tenant(index), f"o-{index}")
        headers = _headers(BINDING_TYPE, key.decode())
        value = (self._template % values).encode()
        return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None

    async def _send(self, topic: str, kind: str, key: bytes, record: Record, *, partition: int | None = None) -> None:
        await self._producer.send_and_wait(
            self._prefix + topic,
            key=key,
            value=record.to_json(),
            headers=_headers(kind, key.decode()),
            partition=partition,
        )


def _template(now: datetime) -> str:
    """Return a binding record as JSON to be filled in with `%`."""
    window = Direction(opens_at=now - timedelta(minutes=1), closes_at=now + timedelta(hours=48))
    mark = _MARKS
    driver = BoundParty(id="d-o-mark", phones=(mark["driver"],), label="white Camry 123", code=mark["driver_code"])
    client = BoundParty(id="c-o-mark", phones=(mark["client"],), label="Anna", code=mark["client_code"])
    record = BindingRecord(
        tenant=mark["tenant"],
        order_id=mark["order"],
        revision=int(mark["revision"]),
        order_version=1,
        state=BindingState.ACTIVE,
        order_status=OrderStatus.ACCEPTED,
        status_changed_at=now,
        number=mark["number"],
        parties=Parties(driver=driver, client=client),
        directions=Directions(driver_to_client=window, client_to_driver=window),
        call_policy=CallPolicy(caller_id=mark["number"], record=True, announce=Announce(client="recording")),
        caused_at=now,
        updated_at=now,
    )
    text = record.to_json().decode()
    for name, mark_of_it in mark.items():
        text = text.replace(mark_of_it, f"%({name})s")
    return text


def _headers(kind: str, subject: str) -> list[tuple[str, bytes]]:
    return list(to_headers(EventHead(subject, "bench", kind, datetime.now(UTC), subject, _TRACE)))
