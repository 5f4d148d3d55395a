"""Order events and a furnished tenant for tests on a real database."""

from datetime import UTC, datetime

from order_binder.domain.events import OrderEvent, WrittenParty
from order_binder.domain.numbers import NumberRole, NumberState
from order_binder.domain.orders import OrderKey, OrderStatus
from order_binder.ports.registry import NumberEntry, TenantEntry

MAIN = "+74950000001"
POOL = tuple(f"+749500001{index:02d}" for index in range(1, 11))


async def furnish(registry, *, tenant: str = "demo", pool: int = 10, main: str | None = MAIN, policy=None) -> None:
    """Create a tenant with its numbers."""
    await registry.put_tenant(TenantEntry(tenant, "RU", policy or {}, ()))
    numbers = [(e164, NumberRole.POOL) for e164 in POOL[:pool]] + ([(main, NumberRole.MAIN)] if main else [])
    for e164, role in numbers:
        await registry.put_number(NumberEntry(e164, tenant, role, NumberState.ACTIVE, True, None, None))


def event(order_id: str, version: int, status: str = "accepted", *, driver="1", client="1", **changes) -> OrderEvent:
    """Return an event of tenant demo; people are named by a suffix of their id and phone."""
    now = datetime.now(UTC)
    known = {
        "key": OrderKey("demo", order_id),
        "version": version,
        "status": OrderStatus(status),
        "status_changed_at": now,
        "client": WrittenParty((f"+7926{int(client):07d}",), id=f"c-{client}"),
        "driver": WrittenParty((f"+7903{int(driver):07d}",), id=f"d-{driver}") if driver else None,
        "caused_at": now,
    }
    return OrderEvent(**{**known, **changes})


async def shift(database, order_id, by):
    """Make an order older than it is."""
    async with database.acquire() as connection:
        row = await connection.fetchrow("SELECT document FROM order_binder.orders WHERE order_id = $1", order_id)
        document = row["document"]
        for name in ("driver_to_client", "client_to_driver") if document["terms"] else ():
            window = document["terms"][name]
            for place in (0, 1):
                window[place] = await connection.fetchval(
                    "SELECT to_json($1::text::timestamptz - $2::text::interval)", window[place], by
                )
        await connection.execute(
            "UPDATE order_binder.orders SET document = $2, next_change_at = next_change_at - $3::text::interval,"
            " purge_after = purge_after - $3::text::interval WHERE order_id = $1",
            order_id,
            document,
            by,
        )
