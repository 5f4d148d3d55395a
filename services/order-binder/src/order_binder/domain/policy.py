"""A tenant's figures as far as order-binder uses them; defaults are those of the contract."""

import enum
from datetime import timedelta

from order_binder.domain.values import Value


class Numbering(enum.StrEnum):
    """Whether orders share the tenant's main number or each borrows one of its pool."""

    MAIN = "main"
    POOL = "pool"


class WindowPolicy(Value, frozen=True):
    """When windows open and close, and how long a slot or code rests afterwards."""

    driver_opens_before: timedelta = timedelta(minutes=60)
    client_opens_before: timedelta = timedelta(minutes=30)
    grace_client_to_driver: timedelta = timedelta(hours=24)
    grace_driver_to_client: timedelta = timedelta(minutes=15)
    cap: timedelta = timedelta(hours=48)
    cool_down: timedelta = timedelta(hours=2)


class CallTerms(Value, frozen=True):
    """How calls of a binding are placed; `announce_*` name the prompt that side hears first, if any."""

    record: bool = True
    announce_client: str | None = "recording"
    announce_driver: str | None = None
    ring_timeout_s: int = 30
    max_duration_s: int = 1200


class Policy(Value, frozen=True):
    """What one tenant decided. `numbering=None`: pool where the tenant has a pool number, else main.

    `region` is the ISO country whose way of writing phones its snapshots use. An empty `allowed_prefixes` allows all.
    """

    region: str
    numbering: Numbering | None = None
    windows: WindowPolicy = WindowPolicy()
    calls: CallTerms = CallTerms()
    code_digits: int = 6
    allowed_prefixes: tuple[str, ...] = ()
