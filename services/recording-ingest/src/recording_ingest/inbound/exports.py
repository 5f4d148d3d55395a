"""The call log as files, made while they are sent: CSV for people with a spreadsheet, Parquet for machines."""

import asyncio
import csv
import io
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from types import UnionType
from typing import Final, get_args

import pyarrow as pa
import pyarrow.parquet as pq
from typing_extensions import Buffer

from recording_ingest.domain.search import Line
from recording_ingest.inbound.call_shapes import CallOut

COLUMNS: Final = tuple(CallOut.model_fields)
_RISKY: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""The last four are the same in full width, which East Asian spreadsheets take for the same."""
_TYPES: Final = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
}
SCHEMA_VERSION: Final = "1"


def safe(value: object) -> object:
    """Return a cell that no spreadsheet takes for a formula: text that might be one gets an apostrophe before it.

    Space before it does not help: some spreadsheets drop it.
    """
    if isinstance(value, str):
        return f"'{value}" if value.lstrip().startswith(_RISKY) or value[:1].isspace() else value
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bool):
        return "true" if value else "false"
    return value


async def csv_of(pages: AsyncIterator[Sequence[Line]]) -> AsyncIterator[bytes]:
    """Yield a CSV file: UTF-8, a header, one line a call, empty for what is not known."""
    yield (",".join(COLUMNS) + "\r\n").encode()
    async for page in pages:
        yield await asyncio.to_thread(_csv, page)


async def parquet_of(pages: AsyncIterator[Sequence[Line]]) -> AsyncIterator[bytes]:
    """Yield a Parquet file with typed columns, a row group a page."""
    sink = _Sink()
    writer = pq.ParquetWriter(sink, parquet_schema(), compression="zstd")
    async for page in pages:
        await asyncio.to_thread(writer.write_table, _table(page))
        yield sink.taken()
    await asyncio.to_thread(writer.close)
    yield sink.taken()


def parquet_schema() -> pa.Schema:
    """Return the columns and types of the Parquet file."""
    fields = [pa.field(name, _arrow_type(field.annotation)) for name, field in CallOut.model_fields.items()]
    return pa.schema(fields, metadata={"fareline.schema_version": SCHEMA_VERSION})


class _Sink(io.RawIOBase):
    """Takes what the writer writes, until it is taken away."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []
        self._written = 0

    def writable(self) -> bool:
        return True

    def write(self, data: Buffer) -> int:
        chunk = bytes(data)
        self._chunks.append(chunk)
        self._written += len(chunk)
        return len(chunk)

    def tell(self) -> int:
        return self._written

    def taken(self) -> bytes:
        """Return everything written since the last time."""
        taken = b"".join(self._chunks)
        self._chunks.clear()
        return taken


def _csv(page: Sequence[Line]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    for line in page:
        writer.writerow([safe(line[name]) for name in COLUMNS])
    return text.getvalue().encode()


def _table(page: Sequence[Line]) -> pa.Table:
    return pa.table({name: [line[name] for line in page] for name in COLUMNS}, schema=parquet_schema())


def _arrow_type(annotation: object) -> pa.DataType:
    members = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return next(_TYPES[member] for member in members if member in _TYPES)
