"""Bindings packed into bytes: a million take a few hundred megabytes, and the garbage collector never visits them."""

import zlib

import msgspec

from call_router.domain.bindings import Binding, CallPolicy, Party, Window

_FIELDS = [
    (name, str(kind))
    for packed in (Binding, Party, Window, CallPolicy)
    for name, kind in packed.__annotations__.items()
]
# Rows are kept on disk; those of another layout are not read but loaded from Kafka anew.
LAYOUT = zlib.crc32(repr(_FIELDS).encode())
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Binding)


def pack(binding: Binding) -> bytes:
    """Return a binding as bytes that `unpack` reads: a MessagePack array of its fields in their order."""
    return _ENCODER.encode(binding)


def unpack(row: bytes) -> Binding:
    """Return the binding that `pack` made bytes of."""
    return _DECODER.decode(row)
