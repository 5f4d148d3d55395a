"""Rows of `calls` and `call_events` as values, and back: phones are opened and sealed here and nowhere else."""

from typing import Any

import asyncpg
import orjson

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import CallEvent, event_from
from recording_ingest.domain.personal import joined, parted
from recording_ingest.domain.search import Line, Listed
from recording_ingest.outbound.phone_vault import PhoneVault
from recording_ingest.ports.calls import KeptEvent

_PHONES = ("caller", "target")
_PHONE_COLUMNS = {name: (f"{name}_hash", f"{name}_sealed", f"{name}_masked") for name in _PHONES}
_NO_PHONE = (None, None, None)
_COLUMNS = tuple(name for name in CallRow._fields if name not in _PHONES)


def listed(row: asyncpg.Record, vault: PhoneVault) -> Listed:
    """Return a row of `calls` with its phones in full."""
    values: dict[str, Any] = {name: opened(row[f"{name}_sealed"], row["call_id"], vault) for name in _PHONES}
    values |= {name: row[name] for name in _COLUMNS}
    return Listed(
        row=CallRow(**values),
        updated_at=row["updated_at"],
        recording=row["recording"],
    )


def line_in_full(row: asyncpg.Record, vault: PhoneVault) -> Line:
    """Return a line whose `caller` and `target` came as ciphertexts with the phones in their place."""
    line = dict(row)
    for name in _PHONES:
        line[name] = opened(line[name], line["call_id"], vault)
    return line


def opened(sealed: bytes | None, call_id: str, vault: PhoneVault) -> str | None:
    """Return the phone behind a ciphertext of a call; None where there is none (any more)."""
    return vault.open(sealed, of=call_id).decode() if sealed else None


def call_document(row: CallRow, vault: PhoneVault) -> dict[str, Any]:
    """Return a call's row as a document for orjson, names as the columns."""
    document = row._asdict()
    for name, columns in _PHONE_COLUMNS.items():
        phone = document.pop(name)
        kept = vault.at_rest(phone, row.call_id) if phone is not None else _NO_PHONE
        document.update(zip(columns, kept, strict=True))
    return document


def event_columns(kept: KeptEvent, vault: PhoneVault) -> tuple[dict[str, Any], bytes | None]:
    """Return the `data` and the `sealed` of an event."""
    plain, personal = parted(kept.data)
    return plain, vault.seal(orjson.dumps(personal), of=kept.event.head.call_id) if personal else None


def event(row: asyncpg.Record, vault: PhoneVault) -> CallEvent:
    """Return the event of a row with `call_id kind ce_id data sealed`; what was destroyed of it is simply not there."""
    data, sealed = row["data"], row["sealed"]
    if sealed:
        data = joined(data, orjson.loads(vault.open(sealed, of=row["call_id"])))
    return event_from(row["kind"], row["ce_id"], data)
