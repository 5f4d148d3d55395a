"""What may be asked of the call log, and where a page ends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from recording_ingest.domain.calls import CallRow

LONGEST = timedelta(days=31)
BY_DEFAULT = timedelta(hours=24)
MOST = 1000
Line = Mapping[str, Any]
"""A call as a list shows it, by column and in their order; `caller` and `target` masked unless asked for in full."""


class BadQuestion(ValueError):
    """A filter that cannot be answered; `field` names the parameter."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.field = field
        self.why = why


@dataclass(frozen=True, slots=True)
class Cursor:
    """The last call of a page, after which the next one begins, and the period that was asked for."""

    started_at: datetime
    call_id: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class CallFilter:
    """A question to the call log: calls started in `[since, until)`. None does not filter.

    `tenants` None means every tenant. `updated_since` serves incremental pulls: rows change until they are complete.
    `caller` and `party` are phones in full (E.164); a party is whoever called or was rung.
    """

    tenants: tuple[str, ...] | None
    since: datetime
    until: datetime
    number: str | None = None
    order_id: str | None = None
    disposition: str | None = None
    reason: str | None = None
    source: str | None = None
    direction: str | None = None
    recording: str | None = None
    driver_id: str | None = None
    client_id: str | None = None
    min_talk_s: float | None = None
    updated_since: datetime | None = None
    caller: str | None = None
    party: str | None = None
    cursor: Cursor | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Listed:
    """A call with its phones. `recording` sums its parts up: the worst state of any, None without parts."""

    row: CallRow
    updated_at: datetime
    recording: str | None


@dataclass(frozen=True, slots=True)
class Page:
    """Some calls, newest first, and where the next ones begin (None: there are no more)."""

    calls: Sequence[Line]
    next: Cursor | None


def period(since: datetime | None, until: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Return the period asked for: by default the 24 h before `until`, which is now. Raises BadQuestion (over 31 d)."""
    for name, given in (("since", since), ("until", until)):
        if given is not None and given.tzinfo is None:
            raise BadQuestion(name, "needs a time zone")
    until = until or now
    since = since or until - BY_DEFAULT
    if since >= until:
        raise BadQuestion("since", "must be before until")
    if until - since > LONGEST:
        raise BadQuestion("since", "a question may span 31 days at most")
    return since, until
