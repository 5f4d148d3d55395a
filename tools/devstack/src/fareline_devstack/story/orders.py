"""An order as the taxi platform of the story keeps it: every change makes a whole new snapshot."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from fareline_contracts.orders import OrderSnapshot, OrderStatus
from fareline_devstack.story.people import Person

NOW = timedelta(0)
_MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class TaxiOrder:
    """One order of a tenant. `version` is that of the last snapshot, 0 before the first."""

    tenant: str
    order_id: str
    client: Person
    driver: Person | None = None
    status: OrderStatus = OrderStatus.CREATED
    version: int = 0
    ago: timedelta = NOW

    def become(self, status: OrderStatus, *, driver: Person | None = None, ago: timedelta = NOW) -> OrderSnapshot:
        """Change the status, and the driver if one is given, and return the snapshot; it changed `ago` before now."""
        self.status = status
        self.driver = driver or self.driver
        self.version += 1
        self.ago = ago
        return OrderSnapshot(
            tenant=self.tenant,
            order_id=self.order_id,
            version=self.version,
            status=status,
            status_changed_at=datetime.now(UTC) - ago,
            client=self.client.party,
            driver=self.driver.party if self.driver else None,
        )

    def words(self) -> str:
        """Return what the platform says now, in words."""
        with_whom = self.driver.name if self.driver else "no driver yet"
        status = self.status.replace("_", " ")
        said = f"has been {status} for {self.ago / _MINUTE:.0f} min" if self.ago else f"is {status}"
        return f"{self.order_id} {said}: {self.client.name}, {with_whom}"
