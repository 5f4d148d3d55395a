"""What the models refuse, and that the refusal names the field."""

import json

import pytest
from pydantic import ValidationError

from fareline_contracts.orders import OrderSnapshot
from fareline_contracts.pbx_generic import REQUEST

GOOD = {
    "tenant": "demo",
    "order_id": "o-1",
    "version": 1,
    "status": "accepted",
    "status_changed_at": "2026-11-24T10:00:00Z",
    "client": {"phones": ["+79261234567"]},
    "driver": {"phones": ["+79031112233"]},
}
BAD = [
    ("tenant", "Demo", "tenant"),
    ("tenant", "-demo", "tenant"),
    ("order_id", "a b", "order_id"),
    ("order_id", "x" * 129, "order_id"),
    ("version", -1, "version"),
    ("version", 2**53, "version"),
    ("version", "3", "version"),
    ("version", 1.5, "version"),
    ("status", "paused", "status"),
    ("status", None, "status"),
    ("status_changed_at", "1999-12-31T23:59:59Z", "status_changed_at"),
    ("status_changed_at", "2100-01-01T00:00:00Z", "status_changed_at"),
    ("status_changed_at", "2026-11-24T10:00:00", "status_changed_at"),
    ("status_changed_at", "+999999-01-01T00:00:00Z", "status_changed_at"),
    ("status_changed_at", "9999-12-31T23:59:59-23:59", "status_changed_at"),
    ("client", None, "client"),
    ("client", {"phones": ["1"] * 6}, "client.phones"),
    ("client", {"phones": [None]}, "client.phones.0"),
    ("client", {"phones": ["a\x00b"]}, "client.phones.0"),
    ("driver", {"phones": [], "label": "x\x00"}, "driver.label"),
    ("city", "x" * 257, "city"),
]


@pytest.mark.parametrize(("field", "value", "place"), BAD)
def test_a_bad_field_is_named(field, value, place):
    with pytest.raises(ValidationError) as caught:
        OrderSnapshot.model_validate_json(json.dumps({**GOOD, field: value}))
    assert place in {".".join(map(str, error["loc"])) for error in caught.value.errors()}


@pytest.mark.parametrize("field", ["tenant", "order_id", "version", "status", "status_changed_at", "client"])
def test_a_missing_field_is_named(field):
    with pytest.raises(ValidationError) as caught:
        OrderSnapshot.model_validate({name: value for name, value in GOOD.items() if name != field})
    assert caught.value.errors()[0]["loc"] == (field,)


def test_times_are_kept_in_utc():
    snapshot = OrderSnapshot.model_validate({**GOOD, "status_changed_at": "2026-11-24T13:00:00+03:00"})
    assert b'"status_changed_at":"2026-11-24T10:00:00Z"' in snapshot.to_json()


def test_the_generic_contract_tells_its_messages_apart_by_event():
    message = {"v": 1, "event": "call.digits", "call_id": "c-1", "from": "+79031112233", "to": "+74950000101",
               "at": "2026-11-24T10:00:00Z", "digits": "0042", "context": "x", "complete": "length"}  # fmt: skip
    parsed = REQUEST.validate_python(message)
    assert (parsed.event, parsed.from_, parsed.digits) == ("call.digits", "+79031112233", "0042")
    with pytest.raises(ValidationError):
        REQUEST.validate_python({**message, "event": "call.vanished"})
