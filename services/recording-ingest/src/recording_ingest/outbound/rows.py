"""Rows of `recordings` as the domain's values, and back."""

from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import asyncpg

from recording_ingest.domain.recordings import Audio, Reason, Recording, State

_AUDIO = tuple(field.name for field in fields(Audio))
_NAMES = tuple(field.name for field in fields(Recording) if field.name != "audio")
_PLAIN = ("call_id", "account", "pbx_call_id", "tenant", "part", "channel", "source_id", "url", "announced_channels")
_LATER = (
    "announce_by",
    "next_attempt_at",
    "made_at",
    "expires_at",
    "pushed_out_at",
    "attempts",
    "failures",
    "detail",
    "object_key",
    "sha256",
    "size_bytes",
    "stored_at",
)


def recording(row: asyncpg.Record) -> Recording:
    """Return a row of `recordings`."""
    return Recording(
        recording_id=str(row["recording_id"]),
        state=State(row["state"]),
        reason=Reason(row["reason"]) if row["reason"] else None,
        audio=_audio(row["audio"]) if row["audio"] else None,
        **{name: row[name] for name in _PLAIN + _LATER},
    )


def recording_document(entry: Recording) -> dict[str, Any]:
    """Return a ledger entry as JSON values, names as the columns."""
    return {name: _plain(getattr(entry, name)) for name in _NAMES}


def audio_document(audio: Audio | None) -> dict[str, Any] | None:
    """Return what the audio index found, as JSON values."""
    return {name: getattr(audio, name) for name in _AUDIO} if audio else None


def _audio(document: Mapping[str, Any]) -> Audio:
    return Audio(
        **{
            **document,
            "rms_dbfs": tuple(document["rms_dbfs"]),
            "silence_ratio": tuple(document["silence_ratio"]),
            "peaks": tuple(tuple(channel) for channel in document["peaks"]),
        }
    )


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
