"""Windows: half-open spans `[opens_at, closes_at)` in which one side may call the other."""

from datetime import UTC, datetime, timedelta

from order_binder.domain.policy import WindowPolicy
from order_binder.domain.values import Value, replace

HORIZON = datetime(2099, 12, 31, 23, 59, 59, tzinfo=UTC)
"""No window reaches further: a record with a later time could not be read by anybody."""
_AHEAD = timedelta(seconds=60)
_BEHIND = timedelta(hours=48)


class Window(Value, frozen=True):
    """One direction's span, and whether the platform permits that direction at all."""

    opens_at: datetime
    closes_at: datetime
    allowed: bool = True

    def closed_at(self, now: datetime) -> "Window":
        """Return this window, closed at `now` unless it closed before."""
        closes_at = min(self.closes_at, now)
        return replace(self, opens_at=min(self.opens_at, closes_at), closes_at=closes_at)


class Directions(Value, frozen=True):
    """Both windows of a binding."""

    driver_to_client: Window
    client_to_driver: Window

    @property
    def first_opens(self) -> datetime:
        """Return when the earlier window opens."""
        return min(self.driver_to_client.opens_at, self.client_to_driver.opens_at)

    @property
    def last_closes(self) -> datetime:
        """Return when nobody can call any more."""
        return max(self.driver_to_client.closes_at, self.client_to_driver.closes_at)

    def ended(self, now: datetime) -> bool:
        """Whether both windows are over."""
        return now >= self.driver_to_client.closes_at and now >= self.client_to_driver.closes_at

    def closed_at(self, now: datetime) -> "Directions":
        """Return both windows closed at `now`."""
        return Directions(self.driver_to_client.closed_at(now), self.client_to_driver.closed_at(now))


class Timing(Value, frozen=True):
    """The times that windows are made of: since when the order stands as it does, for when it was booked, and now."""

    since: datetime
    scheduled_for: datetime | None
    now: datetime

    @property
    def effective(self) -> datetime:
        """Return `since`, but never in the future: an order that is callable is callable now."""
        return min(self.since, self.now)

    def cap(self, policy: WindowPolicy) -> datetime:
        """Return the moment after which the order is over even if nobody ever says so."""
        return min(max(self.since, self.scheduled_for or self.since) + policy.cap, HORIZON)


def open_windows(timing: Timing, policy: WindowPolicy, *, at_once: bool) -> Directions:
    """Return the windows of a live order: from now, or for a pre-booked one shortly before its time, up to the cap."""

    def opens(lead: timedelta) -> datetime:
        if at_once or timing.scheduled_for is None:
            return timing.effective
        return max(timing.effective, timing.scheduled_for - lead)

    cap = timing.cap(policy)
    return Directions(
        driver_to_client=Window(min(opens(policy.driver_opens_before), cap), cap),
        client_to_driver=Window(min(opens(policy.client_opens_before), cap), cap),
    )


def grace_windows(timing: Timing, policy: WindowPolicy, previous: Directions | None) -> Directions:
    """Return the windows of a completed order: each direction has its own grace; the cap bounds both.

    A window that was open before keeps the time it opened.
    """
    cap = timing.cap(policy)

    def window(grace: timedelta, before: Window | None) -> Window:
        closes_at = min(timing.since + grace, cap)
        opened = timing.effective if before is None else min(before.opens_at, timing.effective)
        return Window(min(opened, closes_at), closes_at)

    return Directions(
        driver_to_client=window(policy.grace_driver_to_client, previous.driver_to_client if previous else None),
        client_to_driver=window(policy.grace_client_to_driver, previous.client_to_driver if previous else None),
    )


def plausible_since(stated: datetime, kafka_time: datetime, *, over: bool) -> tuple[datetime, bool]:
    """Return the time of a status change and whether it had to be replaced by Kafka's.

    A sender's clock may be up to 60 s ahead or 48 h behind. A time of an order that is over is never moved forward:
    that would lengthen its grace.
    """
    if stated > kafka_time + _AHEAD:
        return kafka_time, True
    if stated < kafka_time - _BEHIND and not over:
        return kafka_time, True
    return stated, False
