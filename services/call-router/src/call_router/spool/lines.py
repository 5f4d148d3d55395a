"""One record as one line: eight hexadecimal digits of CRC-32, a space, JSON, a newline."""

import zlib

import msgspec

from call_router.records.events import EventRecord

_CRC_DIGITS = 8


class _Line(msgspec.Struct, frozen=True, array_like=True, gc=False):
    topic: str
    key: str
    value: msgspec.Raw
    headers: tuple[tuple[str, str], ...]


class LineBroken(ValueError):
    """A line is cut short or changed."""


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(_Line)


def to_line(record: EventRecord) -> bytes:
    """Return the line of a record, its newline included. The value is JSON without newlines, the rest UTF-8."""
    headers = tuple([(name, value.decode()) for name, value in record.headers])
    text = _ENCODER.encode(_Line(record.topic, record.key.decode(), msgspec.Raw(record.value), headers))
    return b"%08x %s\n" % (zlib.crc32(text), text)


def from_line(line: bytes) -> EventRecord:
    """Return the record of a whole line; raises LineBroken."""
    crc, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or len(crc) != _CRC_DIGITS:
        raise LineBroken("cut short")
    try:
        if int(crc, 16) != zlib.crc32(text):
            raise LineBroken("checksum differs")
        found = _DECODER.decode(text)
    except (msgspec.MsgspecError, ValueError) as error:
        raise LineBroken("not a record") from error
    headers = tuple([(name, value.encode()) for name, value in found.headers])
    return EventRecord(found.topic, found.key.encode(), bytes(found.value), headers)
