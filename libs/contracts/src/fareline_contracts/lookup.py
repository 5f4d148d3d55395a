"""What call-router asks order-binder when its own replica cannot be sure."""

from typing import Annotated

from pydantic import Field

from fareline_contracts.bindings import BindingRecord
from fareline_contracts.fields import E164, Code, Instant, Record
from fareline_contracts.numbers import NumberRecord
from fareline_contracts.tenants import TenantRecord


class LookupRequest(Record):
    """A question about one call; every part may be absent, but not all."""

    number: Annotated[E164 | None, Field(description="The proxy number dialled, E.164.")] = None
    phone: Annotated[E164 | None, Field(description="The caller's phone, E.164.")] = None
    code: Annotated[Code | None, Field(description="The digits that the caller typed.")] = None


class LookupAnswer(Record):
    """The tenant's bindings that name the number's phone pair, the phone or the code, ended ones left out.

    `number` and `tenant` come along for a router that has not met them yet;
    `number` is null where it is not the tenant's.
    """

    bindings: Annotated[tuple[BindingRecord, ...], Field(max_length=200)] = ()
    as_of: Instant
    input_as_of: Instant
    number: NumberRecord | None = None
    tenant: TenantRecord | None = None
