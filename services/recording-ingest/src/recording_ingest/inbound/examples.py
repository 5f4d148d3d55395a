"""What each answer looks like, for OpenAPI: the same call, its recording and its listener throughout."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from recording_ingest.inbound.call_shapes import CALL_EXAMPLE

_RECORDING_ID: Final = "6f1c3c0e-55a2-5d0b-9a55-0c7c3c1f2a10"
_RECORDING: Final = {
    "recording_id": _RECORDING_ID, "call_id": "b6c2", "part": 1, "channel": "both", "state": "stored", "reason": None,
    "detail": "", "attempts": 1, "next_attempt_at": None, "expires_at": "2026-12-24T10:01:02Z", "pushed_out_at": None,
    "stored_at": "2026-11-24T10:01:31Z", "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "size_bytes": 816044, "duration_s": 51.0, "codec": "PCM_16", "channels": 1, "sample_rate": 8000,
    "rms_dbfs": [-21.4], "silence_ratio": [0.18], "contradicts_call": False,
}  # fmt: skip
_MEASURES: Final = {
    "key": "2026-11-24", "attempts": 5, "ended": 4, "answered": 2, "answer_rate": 0.5, "talk_s": 90.0,
    "talk_s_mean": 45.0, "answer_s_p50": 15.0, "answer_s_p90": 19.8, "fallbacks": 2, "fallback_rate": 0.4,
    "recordings_due": 2, "recordings_stored": 1, "recordings_missing": 1, "recording_coverage": 0.5,
}  # fmt: skip
_PAGE: Final = {
    "call": CALL_EXAMPLE,
    "decisions": [{
        "step": 1, "at": "2026-11-24T10:00:02.010Z", "question": "call.started", "deed": "dial", "reason": "pair",
        "source": "replica", "data_age_s": 0.8, "took_ms": 0.4, "order_id": "o-1001", "also_order_ids": [],
        "revision": 1764000000123456,
        "rules": [{"rule": "number", "outcome": "pool", "why": "it is lent to o-1001"}],
    }],
    "attempts": [{
        "step": 1, "at": "2026-11-24T10:00:02.010Z", "targets": ["+7***4567"], "direction": "driver_to_client",
        "order_id": "o-1001", "order_status": "accepted", "result": "answered",
    }],
    "legs": [{"name": "203", "ringing_at": None, "answered_at": None, "bridged_at": "2026-11-24T10:00:09Z"}],
    "timeline": [{
        "at": "2026-11-24T10:00:02Z", "received_at": "2026-11-24T10:00:02.009Z", "what": "call.started",
        "detail": "dial +7***4567: pair",
    }],
    "recordings": [_RECORDING],
}  # fmt: skip
_ACCESS: Final = {
    "access_id": 17, "recording_id": _RECORDING_ID, "call_id": "b6c2", "actor": "analyst",
    "auth_method": "bearer token", "action": "listen", "byte_range": "bytes 0-99999/816044", "reason": "case 17",
    "phone_hash": None, "ip": "192.0.2.7", "request_id": "0af7651916cd43dd8448eb211c80319c", "outcome": "served",
    "bytes_sent": 100000, "at": "2026-11-25T09:00:00Z", "ended_at": "2026-11-25T09:00:01Z",
}  # fmt: skip
_HOLD: Final = {
    "call_id": "b6c2", "tenant": "demo", "reason": "case 17", "actor": "lawyer", "since": "2026-11-25T09:00:00Z",
}  # fmt: skip
_RECEIPT: Final = {
    "erasure_id": "0b8e5f52-6a0c-4d5e-8f59-3e2a1c0d9b71", "tenant": "demo", "asked_at": "2026-11-25T09:00:00Z",
    "finished_at": "2026-11-25T09:00:01Z", "calls": 12, "recordings": 9, "held": 1,
    "topics_clear_at": "2026-12-25T09:00:00Z",
}  # fmt: skip
_OF_MODELS: Final[Mapping[str, Any]] = {
    "CallsOut": {"calls": [CALL_EXAMPLE], "next": None},
    "OrderCallsOut": {"calls": [{**CALL_EXAMPLE, "attempt": 1}]},
    "StatsOut": {
        "group_by": "day", "tz": "Europe/Moscow", "since": "2026-11-23T21:00:00Z", "until": "2026-11-24T21:00:00Z",
        "groups": [_MEASURES],
    },
    "CallPageOut": _PAGE,
    "RecordingOut": _RECORDING,
    "RecordingsOut": {"recordings": [_RECORDING]},
    "WaveformOut": {"recording_id": _RECORDING_ID, "duration_s": 51.0, "peaks": [[0, 12, 201, 187, 34]]},
    "AccessLogOut": {"recording_id": _RECORDING_ID, "intact": True, "accesses": [_ACCESS]},
    "AccessesOut": {"intact": True, "accesses": [_ACCESS], "next": None},
    "HoldOut": _HOLD,
    "HoldsOut": {"holds": [_HOLD]},
    "ReceiptOut": _RECEIPT,
}  # fmt: skip
CSV_EXAMPLE: Final = (
    "call_id,account,tenant,number,caller,started_at,reason\r\n"
    "b6c2,demo-zadarma,demo,'+74950000101,'+7***2233,2026-11-24T10:00:02Z,pair\r\n"
)
"""Some of the columns only."""


def with_examples(document: dict[str, Any]) -> None:
    """Put its example into every JSON answer of an OpenAPI document that has a model."""
    for content in _contents(document):
        _, _, model = content.get("schema", {}).get("$ref", "").rpartition("/")
        if model in _OF_MODELS:
            content["example"] = _OF_MODELS[model]


def header(meaning: str, example: str) -> dict[str, Any]:
    """Return what OpenAPI says of a header of an answer."""
    return {"description": meaning, "schema": {"type": "string"}, "example": example}


REQUEST_ID_HEADER: Final = header("The request's id in the access log.", "0af7651916cd43dd8448eb211c80319c")
"""Of answers that stand in the access log."""


def _contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                yield from response.get("content", {}).values()
