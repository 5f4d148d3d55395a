"""Order-binder's lookup: the question as JSON, its answer as the domain's values."""

from datetime import datetime
from typing import Any

import msgspec

from call_router.ports import Found, Wanted
from call_router.records.bindings import BindingJson, Unreadable
from call_router.records.inventory import read_number, read_tenant


class _Answer(msgspec.Struct, frozen=True):
    as_of: datetime
    bindings: tuple[BindingJson, ...] = ()
    number: msgspec.Raw = msgspec.Raw(b"null")
    tenant: msgspec.Raw = msgspec.Raw(b"null")


_DECODER = msgspec.json.Decoder(_Answer)
_NULL = b"null"


def lookup_body(wanted: Wanted) -> bytes:
    """Return the question as `fareline_contracts.lookup.LookupRequest` describes it."""
    body: dict[str, Any] = {"number": wanted.number, "phone": wanted.phone, "code": wanted.code}
    return msgspec.json.encode(body)


def read_found(body: bytes) -> Found:
    """Return what order-binder knows; raises Unreadable."""
    try:
        answer = _DECODER.decode(body)
    except (msgspec.MsgspecError, ValueError) as error:
        raise Unreadable("not a lookup answer") from error
    number, tenant = bytes(answer.number), bytes(answer.tenant)
    return Found(
        bindings=tuple(binding.to_binding() for binding in answer.bindings),
        number=None if number == _NULL else read_number(number),
        tenant=None if tenant == _NULL else read_tenant(tenant),
    )
