"""Examples of what the HTTP interface takes and gives, as OpenAPI shows them."""

from typing import Any

_TENANT = "/v1/tenants/{tenant}"
_AT = "2026-11-24T10:00:00Z"
_WINDOW = {"opens_at": _AT, "closes_at": "2026-11-26T10:00:00Z", "allowed": True}
_BOTH_WINDOWS = {"driver_to_client": _WINDOW, "client_to_driver": _WINDOW}

SNAPSHOT: dict[str, Any] = {
    "tenant": "demo",
    "order_id": "o-1001",
    "version": 3,
    "status": "accepted",
    "status_changed_at": _AT,
    "scheduled_for": None,
    "client": {"id": "c-77", "phones": ["+79261234567"], "label": "Anna"},
    "driver": {"id": "d-5", "phones": ["+79031112233"], "label": "white Camry 123"},
    "consent": {"record": True},
    "contact": {"driver_to_client": True, "client_to_driver": True},
    "city": "moscow",
}
PROBLEM: dict[str, Any] = {
    "type": "about:blank",
    "title": "The request is not valid",
    "status": 400,
    "errors": [{"pointer": "#/client/phones/0", "detail": "Input should be a valid string"}],
}
ACCEPTED: dict[str, Any] = {"accepted": 1}
BINDING: dict[str, Any] = {
    "tenant": "demo",
    "order_id": "o-1001",
    "state": "active",
    "reason": None,
    "order_version": 3,
    "revision": 1764000000123456,
    "reached": True,
    "number": "+74950000101",
    "codes": {"driver": "482913", "client": "118204"},
    "dial": {"driver": "tel:+74950000101", "client": "tel:+74950000101"},
    "directions": _BOTH_WINDOWS,
    "as_of": "2026-11-24T10:00:01Z",
}
NUMBER: dict[str, Any] = {
    "e164": "+74950000101",
    "tenant": "demo",
    "revision": 1764000000000001,
    "role": "pool",
    "state": "active",
    "asks_code": True,
    "city": None,
    "default_route": None,
}
TENANT: dict[str, Any] = {
    "tenant": "demo",
    "revision": 1764000000000002,
    "region": "RU",
    "policy": {"numbering": "pool", "code_digits": 6},
    "staff": ["+7***0001", "201"],
}
LOOKUP: dict[str, Any] = {
    "bindings": [
        {
            "tenant": "demo",
            "order_id": "o-1001",
            "revision": 1764000000123456,
            "order_version": 3,
            "state": "active",
            "order_status": "accepted",
            "status_changed_at": _AT,
            "number": "+74950000101",
            "parties": {
                "driver": {**SNAPSHOT["driver"], "code": "482913"},
                "client": {**SNAPSHOT["client"], "code": "118204"},
            },
            "directions": _BOTH_WINDOWS,
            "call_policy": {"caller_id": "+74950000101", "record": True},
            "caused_at": _AT,
            "updated_at": _AT,
        }
    ],
    "as_of": "2026-11-24T10:00:01Z",
    "input_as_of": _AT,
    "number": NUMBER,
    "tenant": TENANT,
}
ANSWERS: dict[str, dict[str, Any]] = {
    f"PUT {_TENANT}/orders/{{order_id}}": {"202": ACCEPTED},
    f"POST {_TENANT}/orders": {"202": ACCEPTED},
    f"GET {_TENANT}/orders/{{order_id}}/binding": {"200": BINDING},
    f"POST {_TENANT}/bindings/lookup": {"200": LOOKUP},
    f"PUT {_TENANT}/numbers/{{e164}}": {"200": NUMBER},
    f"GET {_TENANT}/numbers/{{e164}}": {"200": NUMBER},
    f"DELETE {_TENANT}/numbers/{{e164}}": {"202": {**NUMBER, "state": "draining"}},
    f"GET {_TENANT}/numbers": {"200": {"numbers": [NUMBER]}},
    f"PUT {_TENANT}": {"200": TENANT},
    f"GET {_TENANT}": {"200": TENANT},
}
"""What each operation answers, by status."""
