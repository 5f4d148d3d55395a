"""Our contracts' records, made from order-binder's own values; and policies, read from theirs."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from fareline_contracts.bindings import (
    Announce,
    BindingRecord,
    BindingState,
    BoundParty,
    CallPolicy,
    Direction,
    Directions,
    Parties,
)
from fareline_contracts.numbers import NumberRecord
from fareline_contracts.numbers import NumberRole as RecordedRole
from fareline_contracts.numbers import NumberState as RecordedState
from fareline_contracts.orders import OrderStatus
from fareline_contracts.tenants import Policy as RecordedPolicy
from fareline_contracts.tenants import TenantRecord
from order_binder.domain.orders import Allocation, Order, Person, Terms
from order_binder.domain.policy import CallTerms, Numbering, Policy, WindowPolicy
from order_binder.domain.states import published_state
from order_binder.domain.windows import Window
from order_binder.ports.registry import NumberEntry, TenantEntry


def binding_record(order: Order, now: datetime) -> BindingRecord | None:
    """Return the binding of an order as others see it, None for an order that has none."""
    terms, allocation = order.terms, order.allocation
    if terms is None or allocation is None:
        return None
    return BindingRecord(
        tenant=order.key.tenant,
        order_id=order.key.order_id,
        revision=order.revision,
        order_version=order.version,
        state=BindingState(published_state(order, now)),
        order_status=OrderStatus(order.status),
        status_changed_at=order.status_changed_at,
        number=allocation.number,
        parties=Parties(
            driver=_party(terms.driver, allocation.driver_code), client=_party(terms.client, allocation.client_code)
        ),
        directions=Directions(
            driver_to_client=_direction(terms.directions.driver_to_client),
            client_to_driver=_direction(terms.directions.client_to_driver),
        ),
        call_policy=_call_policy(terms, allocation),
        caused_at=order.caused_at,
        updated_at=order.updated_at or now,
    )


def _call_policy(terms: Terms, allocation: Allocation) -> CallPolicy:
    return CallPolicy(
        caller_id=allocation.number,
        record=terms.call.record,
        announce=Announce(client=terms.call.announce_client, driver=terms.call.announce_driver),
        ring_timeout_s=terms.call.ring_timeout_s,
        max_duration_s=terms.call.max_duration_s,
    )


def _party(person: Person, code: str) -> BoundParty:
    return BoundParty(id=person.id, phones=person.phones, label=person.label, code=code)


def _direction(window: Window) -> Direction:
    return Direction(opens_at=window.opens_at, closes_at=window.closes_at, allowed=window.allowed)


def number_record(entry: NumberEntry) -> NumberRecord:
    """Return a number as others see it."""
    return NumberRecord(
        e164=entry.e164,
        tenant=entry.tenant,
        revision=entry.revision,
        role=RecordedRole(entry.role),
        state=RecordedState(entry.state),
        asks_code=entry.asks_code,
        city=entry.city,
        default_route=entry.default_route,
    )


def tenant_record(entry: TenantEntry) -> TenantRecord:
    """Return a tenant as others see it."""
    return TenantRecord(
        tenant=entry.tenant,
        revision=entry.revision,
        region=entry.region,
        policy=RecordedPolicy.model_validate(entry.policy),
        staff=entry.staff,
    )


def policy_of(region: str, document: Mapping[str, Any]) -> Policy:
    """Return what order-binder uses of a tenant's policy document; absent fields take the contract's defaults."""
    policy = RecordedPolicy.model_validate(document)
    windows, calls = policy.windows, policy.calls
    return Policy(
        region=region,
        numbering=None if policy.numbering is None else Numbering(policy.numbering),
        windows=WindowPolicy(
            driver_opens_before=timedelta(minutes=windows.driver_opens_before),
            client_opens_before=timedelta(minutes=windows.client_opens_before),
            grace_client_to_driver=timedelta(minutes=windows.grace_client_to_driver),
            grace_driver_to_client=timedelta(minutes=windows.grace_driver_to_client),
            cap=timedelta(minutes=windows.cap),
            cool_down=timedelta(minutes=windows.cool_down),
        ),
        calls=CallTerms(
            record=calls.record,
            announce_client=calls.announce.client,
            announce_driver=calls.announce.driver,
            ring_timeout_s=calls.ring_timeout_s,
            max_duration_s=calls.max_duration_s,
        ),
        code_digits=policy.code_digits,
        allowed_prefixes=policy.allowed_prefixes,
    )
