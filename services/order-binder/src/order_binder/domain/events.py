"""Order events as the platform wrote them, and how a snapshot is read from one."""

from collections.abc import Collection
from datetime import datetime

from order_binder.domain.orders import OVER, OrderKey, OrderStatus, Person, Role, Snapshot
from order_binder.domain.phones import PhoneFault, readable_phones, usable_phones
from order_binder.domain.policy import Policy
from order_binder.domain.values import Value
from order_binder.domain.windows import plausible_since


class WrittenParty(Value, frozen=True):
    """A party as the platform knows it: phones in any spelling."""

    phones: tuple[str, ...]
    id: str | None = None
    label: str | None = None


class OrderEvent(Value, frozen=True):
    """One order event; `caused_at` is Kafka's time of it, `traceparent` the W3C trace it belongs to."""

    key: OrderKey
    version: int
    status: OrderStatus
    status_changed_at: datetime
    client: WrittenParty
    caused_at: datetime
    driver: WrittenParty | None = None
    scheduled_for: datetime | None = None
    consent_record: bool = True
    driver_may_call: bool = True
    client_may_call: bool = True
    city: str | None = None
    traceparent: str | None = None


class Reading(Value, frozen=True):
    """A snapshot, the fault of each phone that was dropped, and whether its time was beyond belief."""

    snapshot: Snapshot
    faults: tuple[PhoneFault, ...]
    time_replaced: bool


def phones_in(event: OrderEvent, region: str) -> set[str]:
    """Return every phone that an event names, E.164."""
    written = event.client.phones + (event.driver.phones if event.driver else ())
    return set(readable_phones(written, region))


def read_event(event: OrderEvent, policy: Policy, proxies: Collection[str]) -> Reading:
    """Read the snapshot of an event; `proxies` holds at least those of its phones that are proxy numbers of ours."""
    faults: list[PhoneFault] = []

    def person(role: Role, party: WrittenParty) -> Person:
        usable = usable_phones(party.phones, region=policy.region, proxies=proxies, prefixes=policy.allowed_prefixes)
        faults.extend(usable.faults)
        return Person(role=role, phones=usable.phones, id=party.id or None, label=party.label)

    since, replaced = plausible_since(event.status_changed_at, event.caused_at, over=event.status in OVER)
    snapshot = Snapshot(
        key=event.key,
        version=event.version,
        status=event.status,
        status_changed_at=since,
        client=person(Role.CLIENT, event.client),
        caused_at=event.caused_at,
        driver=person(Role.DRIVER, event.driver) if event.driver else None,
        scheduled_for=event.scheduled_for,
        consent_record=event.consent_record,
        driver_may_call=event.driver_may_call,
        client_may_call=event.client_may_call,
        city=event.city,
        traceparent=event.traceparent,
    )
    return Reading(snapshot, tuple(faults), replaced)
