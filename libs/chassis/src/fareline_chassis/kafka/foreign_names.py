"""Header names that are not UTF-8: read anyway.

Kafka calls them strings, yet clients in Go, C or Rust can send any bytes, and one such name makes aiokafka's consumer
raise UnicodeDecodeError for ever, drop the records before it and those of other partitions in the same fetch. There is
no hook inside aiokafka for this, so its reader of record batches is replaced, once in a process.
"""

from collections.abc import Iterator
from typing import Any

from aiokafka.consumer import fetcher
from aiokafka.errors import CorruptRecordException
from aiokafka.record.default_records import DefaultRecordBatch, _DefaultRecordBatchPy
from aiokafka.record.memory_records import _MemoryRecordsPy

_MAGIC_OFFSET = _MemoryRecordsPy.MAGIC_OFFSET
_MAGIC_WITH_HEADERS = 2


def tolerate_foreign_header_names() -> None:
    """Let every consumer of this process show a header name's undecodable bytes as U+FFFD. May be called again."""
    fetcher.MemoryRecords = TolerantRecords


class TolerantRecords(_MemoryRecordsPy):
    """The batches of one fetch, each readable whatever its headers are called."""

    def next_batch(self) -> Any:  # noqa: ANN401 - aiokafka's batch, or ours which looks like it
        """Return the next batch, None after the last."""
        raw = self._next_slice
        if raw is None or len(raw) <= _MAGIC_OFFSET or raw[_MAGIC_OFFSET] < _MAGIC_WITH_HEADERS:
            return super().next_batch()
        self._cache_next()
        return _TolerantBatch(raw)


class _TolerantBatch:
    """aiokafka's fast batch, read again by the lenient one where it fails."""

    __slots__ = ("_fast", "_raw")

    def __init__(self, raw: memoryview) -> None:
        self._raw = raw
        self._fast = DefaultRecordBatch(raw)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - everything else is aiokafka's
        return getattr(self._fast, name)

    def __iter__(self) -> Iterator[Any]:
        try:
            return iter(list(self._fast))
        except (UnicodeDecodeError, CorruptRecordException):
            return iter(list(_LenientBatch(self._raw)))

    def __next__(self) -> Any:  # noqa: ANN401 - the marker of a control batch
        return next(self._fast)


class _LenientBatch(_DefaultRecordBatchPy):
    """aiokafka's batch in Python, over a buffer whose text is never refused."""

    _buffer: bytearray

    def _maybe_uncompress(self) -> None:
        super()._maybe_uncompress()
        self._buffer = _LenientBytes(self._buffer)


class _LenientBytes(bytearray):
    def __getitem__(self, place: Any) -> Any:  # noqa: ANN401 - an index gives int, a slice bytes
        found = super().__getitem__(place)
        return _LenientBytes(found) if isinstance(found, bytearray) else found

    def decode(self, encoding: str = "utf-8", errors: str = "replace") -> str:
        return super().decode(encoding, "replace" if errors == "strict" else errors)
