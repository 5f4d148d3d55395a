"""Order events as a busy company's platform writes them: every order through its life, many orders at once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

from fareline_chassis.kafka.records import InRecord

TENANTS, NUMBERS, DRIVERS = 20, 50, 200
LIFE = ("accepted", "arrived", "in_progress", "completed")
CONCURRENT = 2_000


def tenant_of(order: int) -> str:
    """Return the tenant of an order."""
    return f"bench-{order % TENANTS}"


def number_of(tenant: int, index: int) -> str:
    """Return one of a tenant's pool numbers, E.164."""
    return f"+7495{tenant:03d}{index:04d}"


def snapshot(order: int, version: int) -> tuple[bytes, bytes]:
    """Return (key, value) of an order's snapshot number `version`, from 1 to 4."""
    tenant, driver = order % TENANTS, order // TENANTS % DRIVERS
    document = {
        "tenant": tenant_of(order),
        "order_id": f"o-{order}",
        "version": version,
        "status": LIFE[version - 1],
        "status_changed_at": datetime.now(UTC).isoformat(),
        "scheduled_for": None,
        "client": {"id": f"c-{order}", "phones": [f"+7926{order % 10_000_000:07d}"], "label": "Anna"},
        "driver": {"id": f"d-{driver}", "phones": [f"+7903{tenant:03d}{driver:04d}"], "label": "white Camry 123"},
        "consent": {"record": True},
        "contact": {"driver_to_client": True, "client_to_driver": True},
        "city": None,
    }
    return f"o-{order}".encode(), json.dumps(document).encode()


def history(count: int, first_order: int = 0) -> Iterator[tuple[bytes, bytes]]:
    """Return `count` events: some thousand orders live at a time, each event of an order well after the one before."""
    made, wave = 0, 0
    while made < count:
        for version in range(1, len(LIFE) + 1):
            for order in range(CONCURRENT):
                if made == count:
                    return
                yield snapshot(first_order + wave * CONCURRENT + order, version)
                made += 1
        wave += 1


def records(count: int, first_order: int = 0) -> list[InRecord]:
    """Return a history as records of the order topic."""
    now_ms = int(datetime.now(UTC).timestamp() * 1000)
    return [
        InRecord("taxi.orders.v1", 0, offset, now_ms, key, value)
        for offset, (key, value) in enumerate(history(count, first_order))
    ]
