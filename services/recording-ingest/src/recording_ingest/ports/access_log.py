"""The log of who listened, who looked for a person, and who took the call log away: as it is written and read."""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Outcome(enum.StrEnum):
    """What came of an access. `granted`: bytes may have gone out; how it ended is not known (yet)."""

    GRANTED = "granted"
    REFUSED = "refused"
    SERVED = "served"
    CUT = "cut"
    """The reader went away, or the storage failed, before everything was sent."""
    LOST = "lost"
    """Storage did not have what the ledger names; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the token's name, how it was known, the reason given, where from, and the request's id."""

    actor: str
    auth_method: str
    request_id: str
    ip: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Access:
    """Who is about to be given what: of a recording which bytes, of the call log whose calls.

    `byte_range` as in Content-Range; None for the whole. `begun` is the id of the row that this one tells the end of;
    such a row has `bytes_sent`. Of the call log there is no recording, call and tenant; `tenants` says whose calls were
    asked for (None: everybody's), `phone` (E.164) for whom: only its hash is kept.
    """

    recording_id: str | None
    call_id: str | None
    tenant: str | None
    asker: Asker
    action: str
    at: datetime
    byte_range: str | None = None
    outcome: Outcome = Outcome.GRANTED
    bytes_sent: int | None = None
    begun: int | None = None
    tenants: tuple[str, ...] | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class NotedAccess:
    """An access as it stands in the log, with its end where that is known: `outcome` and `bytes_sent` are the end's.

    `intact`: the content of both rows is what their hashes were made of. `outcome` None: of before outcomes were noted.
    `phone_hash` is hexadecimal, the same for the same phone as long as the lookup key is.
    """

    access_id: int
    recording_id: str | None
    call_id: str | None
    actor: str
    auth_method: str | None
    request_id: str | None
    ip: str | None
    reason: str | None
    action: str
    byte_range: str | None
    phone_hash: str | None
    at: datetime
    outcome: Outcome | None
    bytes_sent: int | None
    ended_at: datetime | None
    intact: bool


@dataclass(frozen=True, slots=True)
class AccessFilter:
    """Which accesses: of some tenants (None: of all), within a period, of an actor, of an action; the newest `limit`.

    What was asked of every tenant's calls was asked of each one's. `phone` (E.164): who looked for that person.
    `before` is the id of the last one of the page before.
    """

    tenants: Sequence[str] | None
    since: datetime
    until: datetime
    actor: str | None = None
    action: str | None = None
    phone: str | None = None
    before: int | None = None
    limit: int = 100


class AccessLog(Protocol):
    """The log of who read what."""

    async def log_access(self, access: Access) -> int:
        """Write the audit row and return its id once it is committed."""

    async def accesses(self, recording_id: str) -> Sequence[NotedAccess]:
        """Return the accesses to a recording, oldest first."""

    async def find_accesses(self, wanted: AccessFilter) -> Sequence[NotedAccess]:
        """Return accesses, newest first. Raises BadQuestion where `before` is no access of these tenants."""
