"""HTTP byte ranges (RFC 9110 §14): which bytes of a representation a client asked for."""

import re
from dataclasses import dataclass

_ONE = re.compile(r"(\d*)-(\d*)")
_DIGITS_AT_MOST = 18


@dataclass(frozen=True, slots=True)
class ByteRange:
    """Bytes `start` up to, not including, `end` of `size`."""

    start: int
    end: int
    size: int

    @property
    def content_range(self) -> str:
        """Return the value of the `Content-Range` header."""
        return f"bytes {self.start}-{self.end - 1}/{self.size}"


class RangeNotSatisfiable(Exception):
    """No byte asked for exists: the answer is 416 with `Content-Range: bytes */size`."""


def parse_range(header: str | None, size: int) -> ByteRange | None:
    """Return the range asked for, None for the whole: no header, another unit, malformed, or several ranges.

    A malformed header is ignored, as the RFC demands; a server may ignore several ranges. Raises RangeNotSatisfiable
    for a range that begins at or after the end, and for a suffix of nothing.
    """
    unit, _, text = (header or "").partition("=")
    found = _ONE.fullmatch(text.strip())
    if unit.strip().lower() != "bytes" or found is None or len(text) > 2 * _DIGITS_AT_MOST:
        return None
    first, last = found.groups()
    if first and last and int(last) < int(first):
        return None
    if not first and not last:
        return None
    if first:
        start, end = int(first), min(int(last) + 1, size) if last else size
    else:
        start, end = max(0, size - int(last)), size
    if start >= size or start >= end:
        raise RangeNotSatisfiable
    return ByteRange(start, end, size)
