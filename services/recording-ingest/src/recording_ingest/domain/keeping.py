"""How long things are kept, which calls are held, and whom we were asked to forget."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Retention:
    """For how many days a tenant's audio and calls are kept; these defaults are the policy's."""

    recording_days: int = 180
    call_days: int = 730


@dataclass(frozen=True, slots=True)
class Due:
    """What of one tenant is older than its policy allows. `held`: calls among them that a legal hold keeps."""

    tenant: str | None
    recordings: int
    bytes: int
    calls: int
    held: int


@dataclass(frozen=True, slots=True)
class Hold:
    """A call that is kept as it is until somebody lifts the hold."""

    call_id: str
    tenant: str | None
    reason: str
    actor: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Person:
    """Whom to forget: by phones (E.164), and by the ids that the platform has for him."""

    tenant: str
    phones: tuple[str, ...]
    driver_id: str | None = None
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was done about one request to forget somebody.

    `held`: calls that a legal hold keeps; they are erased when it is lifted. `finished_at`: when nothing was left to
    do, None before. `topics_clear_at`: when the retention of topics has removed what stands there.
    """

    erasure_id: str
    tenant: str
    actor: str
    asked_at: datetime
    topics_clear_at: datetime
    calls: int
    recordings: int
    held: int
    finished_at: datetime | None
