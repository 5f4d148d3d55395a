"""The inventory of proxy numbers."""

from fareline_contracts.fields import E164, OpenEnum, Record, Revision, Tenant, Text

NUMBER_TYPE = "fareline.number.v1"


class NumberRole(OpenEnum):
    """What a proxy number is for: shared by all orders, lent to bindings, or the dispatch line that is never masked."""

    MAIN = "main"
    POOL = "pool"
    DESK = "desk"
    OTHER = "other"


class NumberState(OpenEnum):
    """Whether new bindings may be lent a number."""

    ACTIVE = "active"
    PENDING_LABEL = "pending_label"
    DRAINING = "draining"
    RESTING = "resting"
    OTHER = "other"


class NumberRecord(Record):
    """One proxy number of a tenant after its change number `revision`."""

    e164: E164
    tenant: Tenant
    revision: Revision
    role: NumberRole
    state: NumberState = NumberState.ACTIVE
    asks_code: bool = True
    city: Text | None = None
    default_route: Text | None = None
