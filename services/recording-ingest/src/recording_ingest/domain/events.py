"""Call events as values: what happened to one call, as the fold reads it.

`event_from` takes the data of a validated `fareline.calls.v1` record as plain JSON values; the same document is kept in
the database, so that a row can be folded again at any time. What is made with every event of a call anew is a tuple: it
takes half as long to make as a frozen dataclass.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

ROUTED = "call.routed"
PROGRESS = "call.progress"
ENDED = "call.ended"
READY = "recording.ready"

Json = Mapping[str, Any]


class Head(NamedTuple):
    """What every event says: which call, on which account, when by the PBX (`at`) and when by us (`received_at`)."""

    ce_id: str
    call_id: str
    account: str
    pbx_call_id: str
    tenant: str | None
    at: datetime
    received_at: datetime


class Rule(NamedTuple):
    """One routing rule that was tried, what came of it, and why."""

    rule: str
    outcome: str
    why: str


class Decision(NamedTuple):
    """An answer of call-router. `deed` is its last action: `dial ask fallback reject hangup`."""

    reason: str
    source: str
    deed: str
    targets: tuple[str, ...]
    fallback_target: str | None
    prompts: tuple[str, ...]
    record: bool
    data_age_s: float | None
    took_ms: float | None
    order_id: str | None
    also_order_ids: tuple[str, ...]
    revision: int | None
    order_version: int | None
    order_status: str | None
    direction: str | None
    driver_id: str | None
    client_id: str | None
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Routed:
    """A question of the PBX and the answer. `caller` is None for a withheld number."""

    head: Head
    step: int
    question: str
    caller: str | None
    number: str
    dial_result: str | None
    decision: Decision


@dataclass(frozen=True, slots=True)
class Progress:
    """A leg rang, was answered, bridged or transferred."""

    head: Head
    state: str
    leg: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over. Times are the PBX's own; `bridged_at` marks the start of talking."""

    head: Head
    disposition: str
    cause: int | None
    hangup_by: str | None
    started_at: datetime | None
    ringing_at: datetime | None
    answered_at: datetime | None
    bridged_at: datetime | None
    ended_at: datetime | None
    duration_s: float | None
    announced: bool | None
    recorded: bool | None
    line: str | None


@dataclass(frozen=True, slots=True)
class Ready:
    """Audio can be had: from `url`, or by asking the PBX for `source_id` where there is none."""

    head: Head
    source_id: str
    part: int
    channels: int | None
    url: str | None


CallEvent = Routed | Progress | Ended | Ready


class UnknownEvent(Exception):
    """An event of a kind that this version does not know: skipped and counted."""


def event_from(kind: str, ce_id: str, data: Json) -> CallEvent:
    """Return the event of `kind` (one of the constants above) from its JSON document.

    Raises UnknownEvent for another kind. The document was validated before: a missing required field is a KeyError.
    """
    head = _head(ce_id, data)
    match kind:
        case "call.routed":
            return _routed(head, data)
        case "call.progress":
            return Progress(head, state=data["state"], leg=data.get("leg"))
        case "call.ended":
            return _ended(head, data)
        case "recording.ready":
            return Ready(
                head,
                source_id=data["recording_id"],
                part=data.get("part", 1),
                channels=data.get("channels"),
                url=data.get("url"),
            )
        case _:
            raise UnknownEvent(kind)


def _head(ce_id: str, data: Json) -> Head:
    return Head(
        ce_id=ce_id,
        call_id=data["call_id"],
        account=data["account"],
        pbx_call_id=data["pbx_call_id"],
        tenant=data.get("tenant"),
        at=datetime.fromisoformat(data["at"]),
        received_at=datetime.fromisoformat(data["received_at"]),
    )


def _routed(head: Head, data: Json) -> Routed:
    return Routed(
        head,
        step=data["step"],
        question=data["question"],
        caller=data.get("caller"),
        number=data["number"],
        dial_result=data.get("dial_result"),
        decision=_decision(data["decision"]),
    )


def _decision(data: Json) -> Decision:
    *before, last = data["actions"]
    return Decision(
        reason=data["reason"],
        source=data["source"],
        deed=last["do"],
        targets=tuple(last.get("targets", ())),
        fallback_target=last.get("target"),
        prompts=tuple(action["prompt"] for action in (*before, last) if action.get("prompt")),
        record=last["do"] == "dial" and last.get("record", "off") != "off" and bool(data.get("recorded")),
        data_age_s=data.get("data_age_s"),
        took_ms=data.get("took_ms"),
        order_id=data.get("order_id"),
        also_order_ids=tuple(data.get("also_order_ids", ())),
        revision=data.get("revision"),
        order_version=data.get("order_version"),
        order_status=data.get("order_status"),
        direction=data.get("direction"),
        driver_id=data.get("driver_id"),
        client_id=data.get("client_id"),
        rules=tuple(Rule(rule["rule"], rule["outcome"], rule["why"]) for rule in data.get("rules", ())),
    )


def _ended(head: Head, data: Json) -> Ended:
    return Ended(
        head,
        disposition=data["disposition"],
        cause=data.get("cause"),
        hangup_by=data.get("hangup_by"),
        started_at=_instant(data.get("started_at")),
        ringing_at=_instant(data.get("ringing_at")),
        answered_at=_instant(data.get("answered_at")),
        bridged_at=_instant(data.get("bridged_at")),
        ended_at=_instant(data.get("ended_at")),
        duration_s=data.get("duration_s"),
        announced=data.get("announced"),
        recorded=data.get("recorded"),
        line=data.get("line"),
    )


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
