"""How the PBXs of the story sign: Zadarma's webhooks, Zadarma's REST API, Standard Webhooks.

Zadarma signs with HMAC-SHA1, takes the digest's *hexadecimal text* and encodes that in base64 (56 characters).
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

_CALLED = ("caller_id", "called_did", "call_start")
_SIGNED_FIELDS: Mapping[str, tuple[str, ...]] = {
    "NOTIFY_START": _CALLED,
    "NOTIFY_INTERNAL": _CALLED,
    "NOTIFY_IVR": _CALLED,
    "NOTIFY_END": _CALLED,
    "NOTIFY_ANSWER": ("caller_id", "destination", "call_start"),
    "NOTIFY_OUT_START": ("internal", "destination", "call_start"),
    "NOTIFY_OUT_END": ("internal", "destination", "call_start"),
    "NOTIFY_RECORD": ("pbx_call_id", "call_id_with_rec"),
}


def zadarma_webhook(secret: str, form: Mapping[str, str]) -> str:
    """Return the `Signature` header of a webhook; `form["event"]` names which of its fields are signed."""
    text = "".join(form.get(name, "") for name in _SIGNED_FIELDS[form["event"]])
    return _hex_in_base64(secret, text)


def zadarma_api(secret: str, path: str, query: str) -> str:
    """Return the signature of a REST request: `path` as requested, `query` in any order of its parameters."""
    ordered = urlencode(sorted(parse_qsl(query, keep_blank_values=True)))
    digest = hashlib.md5(ordered.encode(), usedforsecurity=False).hexdigest()
    return _hex_in_base64(secret, path + ordered + digest)


def standard_webhook(secret: str, *, message_id: str, timestamp: int, body: bytes) -> str:
    """Return the `webhook-signature` header over `id.timestamp.body`; `secret` is `whsec_` and base64."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _hex_in_base64(secret: str, text: str) -> str:
    digest = hmac.digest(secret.encode(), text.encode(), "sha1").hex()
    return base64.b64encode(digest.encode()).decode()
