"""Bindings packed into bytes: a million take a few hundred megabytes, and the garbage collector never visits them."""

from datetime import datetime

import msgspec

from call_router.domain.bindings import Binding, CallPolicy, Party, Window


class _Packed(msgspec.Struct, frozen=True, array_like=True, gc=False):
    tenant: str
    order_id: str
    revision: int
    order_version: int
    order_status: str
    status_changed_at: datetime
    number: str
    driver: tuple[tuple[str, ...], str | None, str | None, str | None]
    client: tuple[tuple[str, ...], str | None, str | None, str | None]
    from_driver: tuple[datetime, datetime, bool]
    from_client: tuple[datetime, datetime, bool]
    call: tuple[bool, int, int, str | None, str | None]
    trace: str | None


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_Packed)


def pack(binding: Binding) -> bytes:
    """Return a binding as bytes that `unpack` reads."""
    driver, client, call = binding.driver, binding.client, binding.call
    return _ENCODER.encode(
        _Packed(
            binding.tenant,
            binding.order_id,
            binding.revision,
            binding.order_version,
            binding.order_status,
            binding.status_changed_at,
            binding.number,
            (driver.phones, driver.id, driver.label, driver.code),
            (client.phones, client.id, client.label, client.code),
            _window(binding.from_driver),
            _window(binding.from_client),
            (call.record, call.ring_timeout_s, call.max_duration_s, call.announce_driver, call.announce_client),
            binding.trace,
        )
    )


def unpack(row: bytes) -> Binding:
    """Return the binding that `pack` made bytes of."""
    packed = _DECODER.decode(row)
    return Binding(
        tenant=packed.tenant,
        order_id=packed.order_id,
        revision=packed.revision,
        order_version=packed.order_version,
        order_status=packed.order_status,
        status_changed_at=packed.status_changed_at,
        number=packed.number,
        driver=Party(*packed.driver),
        client=Party(*packed.client),
        from_driver=Window(*packed.from_driver),
        from_client=Window(*packed.from_client),
        call=CallPolicy(*packed.call),
        trace=packed.trace,
    )


def _window(window: Window) -> tuple[datetime, datetime, bool]:
    return (window.opens_at, window.closes_at, window.allowed)
