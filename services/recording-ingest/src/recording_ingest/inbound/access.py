"""Who asks, and what of it he may see."""

from typing import Final

from starlette.requests import Request

from fareline_chassis.auth import Grant, TokenBook
from fareline_chassis.problems import Problem
from recording_ingest.inbound.shown import Shown, in_full, masked

READ: Final = "calls:read"
READ_NUMBERS: Final = "calls:read_numbers"
LISTEN: Final = "recordings:read"
WRITE: Final = "recordings:write"
AUDIT: Final = "recordings:audit"
ERASE: Final = "calls:erase"
HOLD: Final = "calls:hold"


class Gate:
    """Turns a request's token into what it may read."""

    def __init__(self, tokens: TokenBook) -> None:
        self._tokens = tokens

    def known(self, request: Request) -> Grant | None:
        """Return what the request's token grants, whatever that is; None without a known one."""
        return self._tokens.grant_for(request.headers.get("authorization"))

    def admit(self, request: Request, scope: str, tenant: str | None = None) -> Grant:
        """Return the grant behind the request. Raises Problem 401 or 403."""
        return self._tokens.require(request, tenant, scope)


def may_see(grant: Grant, tenant: str | None) -> bool:
    """Tell whether something of `tenant` exists for this reader; what has no tenant is for grants over all."""
    return grant.all_tenants if tenant is None else grant.serves(tenant)


def tenants_of(grant: Grant, asked: str | None) -> tuple[str, ...] | None:
    """Return the tenants to filter by, None for all."""
    if asked is not None:
        return (asked,)
    return None if grant.all_tenants else tuple(sorted(grant.tenants))


def shown_to(grant: Grant) -> Shown:
    """Return how this reader sees phones."""
    return in_full if grant.may(READ_NUMBERS) else masked


def unknown(what: str) -> Problem:
    """Return the 404 for something that does not exist, or not for this reader."""
    return Problem(404, detail=f"There is no such {what}.")
