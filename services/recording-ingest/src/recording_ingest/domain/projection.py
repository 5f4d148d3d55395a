"""The projection: a call's row is the fold of its events, whatever their order and however often each arrives.

Nothing here depends on the order of arrival: events are made unique by `ce_id` and sorted by what they say themselves.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any, TypeVar

from recording_ingest.domain.calls import CallRow
from recording_ingest.domain.events import CallEvent, Ended, Progress, Ready, Routed

_KINDS: tuple[type[CallEvent], ...] = (Routed, Progress, Ended, Ready)
_STARTING = (Routed, Progress)
_ANSWERED = "answered"
# Columns that are named as what they come from.
_OF_DECISION = (
    "deed", "reason", "source", "direction", "data_age_s", "order_id", "order_version", "order_status", "driver_id",
    "client_id",
)  # fmt: skip
_OF_END = ("disposition", "cause", "hangup_by", "announced", "line")
_from_decision, _from_end = attrgetter(*_OF_DECISION), attrgetter(*_OF_END)
E = TypeVar("E", Routed, Progress, Ended, Ready)


def ordered(events: Iterable[CallEvent]) -> list[CallEvent]:
    """Return each event once, in the order in which things happened by the PBX's clock.

    Of two contents under one `ce_id` (two processes that answered one question differently) the earlier received wins.
    """
    unique: dict[str, CallEvent] = {}
    for event in events:
        known = unique.setdefault(event.head.ce_id, event)
        if known is not event and _arrived(event) < _arrived(known):
            unique[event.head.ce_id] = event
    return sorted(unique.values(), key=_place)


def fold(events: Iterable[CallEvent]) -> CallRow:
    """Return the row of one call from all its events known so far. Raises ValueError without any event."""
    return row_of(ordered(events))


def row_of(story: Sequence[CallEvent]) -> CallRow:
    """Return the row of one call from its story, which `ordered` made. Raises ValueError without any event."""
    if not story:
        raise ValueError("a call without events")
    routed, ended = of_kind(story, Routed), of_kind(story, Ended)
    last, end = _deciding(routed), ended[-1] if ended else None
    first = story[0].head
    return CallRow(
        call_id=first.call_id,
        account=first.account,
        pbx_call_id=first.pbx_call_id,
        tenant=next((event.head.tenant for event in story if event.head.tenant), None),
        row_state="complete" if routed and end else "partial",
        recording_due=_recording_due(end, told_to_record=last.decision.record if last else False),
        **_asked(routed),
        **_decided(last),
        **_timed(_Times(story, end), end),
        **(dict(zip(_OF_END, _from_end(end), strict=True)) if end else dict.fromkeys(_OF_END)),
    )


def of_kind(story: Sequence[CallEvent], kind: type[E]) -> list[E]:
    """Return the events of one kind, in their order."""
    return [event for event in story if isinstance(event, kind)]


class _Times:
    """When the call did what, from its end report first and from progress reports where that is silent."""

    def __init__(self, story: Sequence[CallEvent], end: Ended | None) -> None:
        starts = [event.head.at for event in story if isinstance(event, _STARTING)]
        said = end.started_at if end else None
        first: dict[str, datetime] = {}
        for event in of_kind(story, Progress):
            first.setdefault(event.state, event.head.at)
        self.started_at: datetime = said or min(starts, default=story[0].head.at)
        self.ringing_at = (end.ringing_at if end else None) or first.get("ringing")
        self.answered_at = (end.answered_at if end else None) or first.get("answered")
        self.bridged_at = (end.bridged_at if end else None) or first.get("bridged")
        self.ended_at = (end.ended_at or end.head.at) if end else None

    @property
    def talking_since(self) -> datetime | None:
        """The bridge; a PBX that tells no bridge says `answered` when the callee answers."""
        return self.bridged_at or self.answered_at

    @property
    def ring_s(self) -> float | None:
        return _seconds(self.ringing_at, self.talking_since or self.ended_at)

    @property
    def talk_s(self) -> float | None:
        return _seconds(self.talking_since, self.ended_at)


def _asked(routed: Sequence[Routed]) -> dict[str, Any]:
    """Return the columns that all questions and answers of a call give together."""
    last = routed[-1].decision if routed else None
    return {
        "number": routed[0].number if routed else None,
        "caller": next((event.caller for event in routed if event.caller), None),
        "last_deed": last.deed if last else None,
        "last_reason": last.reason if last else None,
        "target_index": _target_index(routed),
        "dials": sum(event.decision.deed == "dial" for event in routed),
        "steps": len(routed),
    }


def _decided(last: Routed | None) -> dict[str, Any]:
    """Return the columns of the decision that counts."""
    decision = last.decision if last else None
    return {
        "decided_at": last.head.received_at if last else None,
        "decision_ms": decision.took_ms if decision else None,
        "binding_revision": decision.revision if decision else None,
        "target": decision.targets[0] if decision and decision.targets else None,
        **(dict(zip(_OF_DECISION, _from_decision(decision), strict=True)) if decision else dict.fromkeys(_OF_DECISION)),
    }


def _timed(times: _Times, end: Ended | None) -> dict[str, Any]:
    """Return when the call did what, and for how long."""
    return {
        "started_at": times.started_at,
        "ringing_at": times.ringing_at,
        "answered_at": times.answered_at,
        "bridged_at": times.bridged_at,
        "ended_at": times.ended_at,
        "ring_s": times.ring_s,
        "talk_s": times.talk_s if end and end.disposition == _ANSWERED else None,
        "total_s": _seconds(times.started_at, times.ended_at),
    }


def _arrived(event: CallEvent) -> tuple[datetime, str]:
    return event.head.received_at, repr(event)


def _place(event: CallEvent) -> tuple[datetime, int, int, datetime, str]:
    step = event.step if isinstance(event, Routed) else 0
    return (event.head.at, _KINDS.index(type(event)), step, event.head.received_at, event.head.ce_id)


def _deciding(routed: Sequence[Routed]) -> Routed | None:
    dials = [event for event in routed if event.decision.deed == "dial"]
    return (dials or list(routed))[-1] if routed else None


def _target_index(routed: Sequence[Routed]) -> int | None:
    tried = [event.decision.targets[0] for event in routed if event.decision.deed == "dial" and event.decision.targets]
    return list(dict.fromkeys(tried)).index(tried[-1]) if tried else None


def _recording_due(end: Ended | None, *, told_to_record: bool) -> bool:
    """Tell whether audio must come: somebody talked, and we asked for a recording or the PBX says it made one."""
    if end is None or end.disposition != _ANSWERED or end.recorded is False:
        return False
    return told_to_record or bool(end.recorded)


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return max(0.0, (until - since).total_seconds()) if since and until else None
