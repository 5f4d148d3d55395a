"""Zadarma's reports: who rings, who answered, how the call ended, which recording is there."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from call_router.domain.reports import Ended, Progress, RecordingReady, Report
from call_router.pbx.zadarma_clock import AccountClock
from call_router.pbx.zadarma_form import text_of
from call_router.ports import RequestUnreadable

LINE_LIMIT = "line limit"
_LONGEST_TEXT = 256
_HIGHEST_CAUSE = 127
_DISPOSITIONS = {
    "busy": "busy",
    "cancel": "cancelled",
    "no answer": "no_answer",
    "failed": "failed",
    "call failed": "failed",
    "no money": "failed",
    "unallocated number": "failed",
    "no limit": "failed",
    "no day limit": "failed",
    LINE_LIMIT: "failed",
}


def read_report(fields: Mapping[str, str], clock: AccountClock, received_at: datetime) -> Report | None:
    """Return the report of a NOTIFY_* event, None for an event that reports nothing we keep."""
    pbx_call_id = text_of(fields, "pbx_call_id")[:_LONGEST_TEXT]
    leg = (text_of(fields, "internal") or text_of(fields, "destination"))[:_LONGEST_TEXT] or None
    match text_of(fields, "event"):
        case "NOTIFY_INTERNAL" | "NOTIFY_OUT_START":
            return Progress(pbx_call_id, received_at, "ringing", leg)
        case "NOTIFY_ANSWER":
            return Progress(pbx_call_id, received_at, "bridged", leg)
        case "NOTIFY_END" | "NOTIFY_OUT_END":
            return _ended(fields, clock, received_at)
        case "NOTIFY_RECORD":
            recording = text_of(fields, "call_id_with_rec")[:_LONGEST_TEXT]
            if not recording:
                raise RequestUnreadable("call_id_with_rec: missing")
            return RecordingReady(pbx_call_id, received_at, recording)
        case _:
            return None


def _ended(fields: Mapping[str, str], clock: AccountClock, received_at: datetime) -> Ended:
    raw = text_of(fields, "disposition")[:_LONGEST_TEXT]
    seconds, line = _number(text_of(fields, "duration")), text_of(fields, "internal")[:_LONGEST_TEXT] or None
    cause = _number(text_of(fields, "status_code"))
    return Ended(
        pbx_call_id=text_of(fields, "pbx_call_id")[:_LONGEST_TEXT],
        at=received_at,
        disposition=_disposition(raw, talked=bool(seconds) and line is not None),
        cause=cause if cause is not None and cause <= _HIGHEST_CAUSE else None,
        started_at=clock.read(text_of(fields, "call_start")),
        ended_at=received_at,
        duration=None if seconds is None else timedelta(seconds=seconds),
        recorded=text_of(fields, "is_recorded") == "1" and bool(seconds),
        line=line,
        raw_disposition=raw or None,
    )


def _disposition(raw: str, *, talked: bool) -> str:
    """Return our word. `answered` alone may be the menu's doing: only talk time on an extension proves a talk."""
    word = raw.strip().lower()
    if word == "answered":
        return "answered" if talked else "no_answer"
    return _DISPOSITIONS.get(word, "other")


def _number(text: str) -> int | None:
    digits = text.strip()
    return int(digits) if digits.isascii() and digits.isdecimal() and len(digits) < len("1000000") else None
