"""The call log's row, and what can be shown of a call besides it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

RowState = Literal["partial", "complete"]


class CallRow(NamedTuple):
    """One call: the fold of its events. Times are UTC; durations are seconds; None means not known (yet).

    A tuple: a frozen dataclass of forty fields takes twice as long to make, and one is made with every event.
    """

    call_id: str
    account: str
    pbx_call_id: str
    tenant: str | None
    row_state: RowState
    # what was asked
    number: str | None
    caller: str | None
    started_at: datetime
    # what was decided: the last dial, or the last decision where nothing was dialled
    deed: str | None
    reason: str | None
    # what was answered last: `fallback` where the call was handed to the call centre in the end
    last_deed: str | None
    last_reason: str | None
    source: str | None
    direction: str | None
    decided_at: datetime | None
    decision_ms: float | None
    data_age_s: float | None
    binding_revision: int | None
    order_id: str | None
    order_version: int | None
    order_status: str | None
    driver_id: str | None
    client_id: str | None
    target: str | None
    # 0 for the first phone that was tried in this call, 1 for the second; None where nothing was dialled
    target_index: int | None
    dials: int
    steps: int
    # what came of it
    ringing_at: datetime | None
    answered_at: datetime | None
    bridged_at: datetime | None
    ended_at: datetime | None
    ring_s: float | None
    talk_s: float | None
    total_s: float | None
    disposition: str | None
    cause: int | None
    hangup_by: str | None
    announced: bool | None
    line: str | None
    recording_due: bool


@dataclass(frozen=True, slots=True)
class Attempt:
    """One dial: whom, for which order, and what the PBX said of it."""

    step: int
    at: datetime
    targets: tuple[str, ...]
    direction: str | None
    order_id: str | None
    order_status: str | None
    result: str | None


@dataclass(frozen=True, slots=True)
class Leg:
    """One leg of the call as the PBX names it (None where it names none) and when it reached each state."""

    name: str | None
    ringing_at: datetime | None
    answered_at: datetime | None
    bridged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of a call's timeline: a message of the PBX and what was answered, without any phone number."""

    at: datetime
    received_at: datetime
    what: str
    detail: str
