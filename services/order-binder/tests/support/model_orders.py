"""What an order should be worth, written down a second time and as simply as it can be: from the rules, not the code.

An expectation knows who the two parties are and when either may call. Numbers and codes are chosen at random, so they are
watched instead: see model_slots.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

LIVE = ("accepted", "arrived", "in_progress")
MINUTE = timedelta(minutes=1)


@dataclass(frozen=True)
class Rules:
    """A tenant's figures, in minutes, as the test set them."""

    numbering: str | None = None
    driver_opens_before: int = 60
    client_opens_before: int = 30
    grace_client: int = 24 * 60
    grace_driver: int = 15
    cap: int = 48 * 60
    cool_down: int = 120
    allowed_prefixes: tuple[str, ...] = ()

    def document(self) -> dict:
        """Return the policy as a tenant's record spells it."""
        windows = {
            "driver_opens_before": self.driver_opens_before,
            "client_opens_before": self.client_opens_before,
            "grace_client_to_driver": self.grace_client,
            "grace_driver_to_client": self.grace_driver,
            "cap": self.cap,
            "cool_down": self.cool_down,
        }
        return {"numbering": self.numbering, "windows": windows, "allowed_prefixes": list(self.allowed_prefixes)}


@dataclass(frozen=True)
class Party:
    """A person with phones that can be called."""

    role: str
    id: str | None
    phones: tuple[str, ...]

    @property
    def who(self) -> str:
        return self.id or (self.phones[0] if self.phones else "nobody")


@dataclass
class Expected:
    """One order as it should be. `windows` maps the calling side to (opens, closes, allowed)."""

    version: int = -1
    driver: Party | None = None
    client: Party | None = None
    windows: dict[str, tuple[datetime, datetime, bool]] = field(default_factory=dict)

    def over(self, now: datetime) -> bool:
        return not self.windows or now >= max(closes for _, closes, _ in self.windows.values())

    def close(self, now: datetime) -> None:
        self.windows = {
            side: (min(opens, closes, now), min(closes, now), allowed)
            for side, (opens, closes, allowed) in self.windows.items()
        }

    def take(self, event, rules: Rules, usable, now: datetime) -> bool:
        """Fold one event in; `usable(texts, rules)` gives the phones that may be called. False: it was stale."""
        if event.version <= self.version:
            return False
        self.version = event.version
        status = str(event.status)
        driver = self.driver if status == "completed" and event.driver is None else None
        if event.driver is not None:
            driver = Party("driver", event.driver.id, usable(event.driver.phones, rules))
        client = Party("client", event.client.id, usable(event.client.phones, rules))
        if driver is None or status not in (*LIVE, "completed"):
            self.close(now)
            return True
        found = self._windows(event, status, (driver, client), rules, now)
        if now >= max(closes for _, closes, _ in found.values()):
            self._lapse(driver, found, now)
        elif not driver.phones or not client.phones or set(driver.phones) & set(client.phones):
            self.close(now)
        else:
            self.driver, self.client, self.windows = driver, client, found
        return True

    def _lapse(self, driver: Party, found: dict, now: datetime) -> None:
        """End what was open: with his own grace, however long ago that was, or now where it was somebody else's."""
        if self.over(now):
            return
        if self.driver.who == driver.who:
            self.windows = found
        else:
            self.close(now)

    def _windows(self, event, status, parties, rules: Rules, now: datetime) -> dict:
        since = believable(event, status)
        begin = min(since, now)
        cap = max(since, event.scheduled_for or since) + rules.cap * MINUTE
        allowed = {"driver": event.driver_may_call, "client": event.client_may_call}
        if status == "completed":
            closes = {"driver": since + rules.grace_driver * MINUTE, "client": since + rules.grace_client * MINUTE}
            same = self.driver and (self.driver.who, self.client.who) == tuple(party.who for party in parties)
            return {
                side: (
                    min(self.windows[side][0] if same else begin, begin, closes[side], cap),
                    min(closes[side], cap),
                    allowed[side],
                )
                for side in closes
            }
        opens = {"driver": begin, "client": begin}
        if status == "accepted" and event.scheduled_for:
            before = {"driver": rules.driver_opens_before, "client": rules.client_opens_before}
            opens = {side: max(begin, event.scheduled_for - before[side] * MINUTE) for side in opens}
        return {side: (opens[side], cap, allowed[side]) for side in opens}


def believable(event, status: str) -> datetime:
    """Return when the status changed: Kafka's time where the stated one is beyond belief."""
    stated, seen = event.status_changed_at, event.caused_at
    late = stated < seen - timedelta(hours=48) and status not in ("completed", "cancelled")
    return seen if late or stated > seen + timedelta(seconds=60) else stated
