"""Webhooks as PBXs send them, signed by code of the tests' own."""

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import urlencode

from call_router.pbx.loading import facts_of, load_adapter
from call_router.ports import PbxAdapter, PbxRequest
from fareline_contracts.accounts import Account

ZADARMA_SECRET = "test_secret"
GENERIC_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
_SIGNED = {
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": ("internal", "destination", "call_start"),
    "NOTIFY_OUT_END": ("internal", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}

ZADARMA = Account.model_validate(
    {
        "name": "demo-zadarma",
        "kind": "zadarma",
        "tenants": ["demo", "solo"],
        "secrets": [ZADARMA_SECRET, "second"],
        "default_region": "RU",
        "targets": {"operator": "0-main", "night": "101"},
        "prompts": {"greeting": "687a8e13a7987a5ca70a4eb7", "client_unavailable": "aaaa8e13a7987a5ca70a4eb7"},
        "lines": [
            {"ext": "201", "caller_id": "+74950000001", "record": True},
            {"ext": "301", "caller_id": "+74950000001", "record": False},
            {"ext": "202", "caller_id": "+74950000101", "record": True},
            {"ext": "222", "caller_id": "+74950000101", "record": True},
            {"ext": "302", "caller_id": "+74950000101", "record": False},
            {"ext": "203", "caller_id": "+74950000102", "record": True, "verified": False},
        ],
    }
)
GENERIC = Account.model_validate(
    {
        "name": "demo-generic",
        "kind": "generic",
        "tenants": ["demo", "solo"],
        "secrets": [GENERIC_SECRET],
        "default_region": "RU",
    }
)


def adapter_of(account: Account) -> PbxAdapter:
    facts_of(account)
    return load_adapter(account)


def zadarma_signature(fields: Mapping[str, str], secret: str = ZADARMA_SECRET) -> str:
    names = _SIGNED.get(fields.get("event", ""), ("caller_id", "called_did", "call_start"))
    text = "".join(fields.get(name, "") for name in names)
    digest = hmac.new(secret.encode(), text.encode(), hashlib.sha1).hexdigest()
    return base64.b64encode(digest.encode()).decode()


def zadarma_fields(event: str, **more: str) -> dict[str, str]:
    """Return the fields of an event; `wait_dtmf__name` becomes `wait_dtmf[name]`."""
    fields = {
        "event": event,
        "call_start": "2026-11-24 10:00:00",
        "pbx_call_id": "in_ae6b03b3b0765d127ec0b739209346bbc4f0d52d",
        "caller_id": "79031112233",
        "called_did": "74950000101",
    }
    if event == "NOTIFY_RECORD":
        fields = {"event": event, "pbx_call_id": fields["pbx_call_id"]}
    for name, value in more.items():
        outer, found, inner = name.partition("__")
        fields[f"{outer}[{inner}]" if found else name] = value
    return fields


def zadarma_request(
    fields: Mapping[str, str],
    *,
    signature: str | None = "",
    at: datetime = NOW,
    body: bytes | None = None,
    **headers: str,
) -> PbxRequest:
    """Return a webhook; `signature=None` leaves the header out, an empty one means the right one."""
    sent = {"content-type": "application/x-www-form-urlencoded", **headers}
    if signature is not None:
        sent["signature"] = signature or zadarma_signature(fields)
    encoded = urlencode(fields).encode() if body is None else body
    return PbxRequest("POST", "", b"", sent, encoded, at)


def generic_headers(body: bytes, *, at: datetime = NOW, secret: str = GENERIC_SECRET) -> dict[str, str]:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    stamp = str(int(at.timestamp()))
    signed = b"msg_1." + stamp.encode() + b"." + body
    value = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{value}"}


def generic_message(event: str, **more: object) -> bytes:
    message = {
        "v": 1,
        "event": event,
        "call_id": "c-1",
        "from": "+79031112233",
        "to": "+74950000101",
        "at": "2026-11-24T10:00:00Z",
    }
    return json.dumps(message | more).encode()


def generic_request(body: bytes, *, at: datetime = NOW, **headers: str) -> PbxRequest:
    sent = generic_headers(body) | {name.replace("_", "-"): value for name, value in headers.items()}
    return PbxRequest("POST", "", b"", sent, body, at)
