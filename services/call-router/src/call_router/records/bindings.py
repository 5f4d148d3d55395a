"""Binding records and heartbeats, from JSON to the domain's values."""

from datetime import datetime

import msgspec

from call_router.domain.bindings import Binding, CallPolicy, Party, Window
from call_router.domain.values import Value


class _Party(msgspec.Struct, frozen=True, gc=False):
    id: str | None = None
    phones: tuple[str, ...] = ()
    label: str | None = None
    code: str | None = None


class _Parties(msgspec.Struct, frozen=True, gc=False):
    driver: _Party
    client: _Party


class _Direction(msgspec.Struct, frozen=True, gc=False):
    opens_at: datetime
    closes_at: datetime
    allowed: bool = True


class _Directions(msgspec.Struct, frozen=True, gc=False):
    driver_to_client: _Direction
    client_to_driver: _Direction


class _Announce(msgspec.Struct, frozen=True, gc=False):
    client: str | None = None
    driver: str | None = None


class _CallPolicy(msgspec.Struct, frozen=True, gc=False):
    record: bool
    announce: _Announce = _Announce()
    ring_timeout_s: int = 30
    max_duration_s: int = 1200


class BindingJson(msgspec.Struct, frozen=True, gc=False):
    """A binding record as `fareline_contracts.bindings.BindingRecord` writes it; what routing needs of it."""

    tenant: str
    order_id: str
    revision: int
    order_version: int
    order_status: str
    status_changed_at: datetime
    number: str
    parties: _Parties
    directions: _Directions
    call_policy: _CallPolicy
    caused_at: datetime | None = None

    def to_binding(self, trace: str | None = None) -> Binding:
        """Return the domain's value; `trace` is the record's traceparent."""
        return Binding(
            tenant=self.tenant,
            order_id=self.order_id,
            revision=self.revision,
            order_version=self.order_version,
            order_status=self.order_status,
            status_changed_at=self.status_changed_at,
            number=self.number,
            driver=_party(self.parties.driver),
            client=_party(self.parties.client),
            from_driver=_window(self.directions.driver_to_client),
            from_client=_window(self.directions.client_to_driver),
            call=_call(self.call_policy),
            trace=trace,
        )


class HeartbeatJson(msgspec.Struct, frozen=True, gc=False):
    """A heartbeat as `fareline_contracts.bindings.Heartbeat` writes it."""

    partition: int
    as_of: datetime
    input_as_of: datetime


class Unreadable(ValueError):
    """A record or answer is not what its contract says. The text holds no value of it."""


_BINDING = msgspec.json.Decoder(BindingJson)
_HEARTBEAT = msgspec.json.Decoder(HeartbeatJson)


class BindingNews(Value, frozen=True):
    """A binding, and when the order event happened that it came of."""

    binding: Binding
    caused_at: datetime | None


def read_binding(value: bytes, trace: str | None = None) -> BindingNews:
    """Return the binding in the value of a record; raises Unreadable."""
    try:
        found = _BINDING.decode(value)
        return BindingNews(found.to_binding(trace), found.caused_at)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unreadable("not a binding record") from error


def read_heartbeat(value: bytes) -> HeartbeatJson:
    """Return the heartbeat in the value of a record; raises Unreadable."""
    try:
        return _HEARTBEAT.decode(value)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unreadable("not a heartbeat") from error


def _party(party: _Party) -> Party:
    return Party(phones=party.phones, id=party.id, label=party.label, code=party.code)


def _window(direction: _Direction) -> Window:
    return Window(direction.opens_at, direction.closes_at, direction.allowed)


def _call(policy: _CallPolicy) -> CallPolicy:
    return CallPolicy(
        record=policy.record,
        ring_timeout_s=policy.ring_timeout_s,
        max_duration_s=policy.max_duration_s,
        announce_driver=policy.announce.driver,
        announce_client=policy.announce.client,
    )
