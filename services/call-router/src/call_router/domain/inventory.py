"""Tenants, their proxy numbers, and the accounts of the PBXs that serve them."""

import enum

from call_router.domain.policy import Policy
from call_router.domain.values import Value


class NumberRole(enum.StrEnum):
    """What a proxy number is for; `other` is a role of a later version, treated as the call centre's."""

    MAIN = "main"
    POOL = "pool"
    DESK = "desk"
    OTHER = "other"


class ProxyNumber(Value, frozen=True):
    """One of our numbers."""

    e164: str
    tenant: str
    role: NumberRole
    asks_code: bool = True
    default_route: str | None = None
    revision: int = 0


class Tenant(Value, frozen=True):
    """A fleet. `staff` are phones in E.164 and PBX extensions; `known` is False while its record has not come."""

    name: str
    region: str
    policy: Policy = Policy()
    staff: frozenset[str] = frozenset()
    revision: int = 0
    known: bool = True


class Account(Value, frozen=True):
    """What the rules need to know of a configured PBX: whom it serves and what it can do."""

    name: str
    tenants: frozenset[str]
    region: str
    default_route: str
    can_ask: bool = True
    can_announce: bool = True
