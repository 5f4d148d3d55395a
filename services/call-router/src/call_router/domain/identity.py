"""Ids that any process derives alike, so that a repeated webhook makes the same event wherever it arrives.

They are UUIDs of version 5. The standard library makes them by way of objects and integers, which takes longer than
the digest itself.
"""

from hashlib import sha1
from uuid import UUID

_CALLS = UUID("7f1c1f0e-7d5c-5c0b-9a39-3d5f7a0f6b11").bytes
_VARIANTS = "89ab"


def call_id_of(account: str, pbx_call_id: str) -> str:
    """Return our id of a call, from its account and the PBX's own id."""
    return _uuid5(_CALLS, f"{account}\n{pbx_call_id}")


def event_id_of(call_id: str, step: str) -> str:
    """Return the id of what happened at one step of a call: `step` is unique within it."""
    return _uuid5(bytes.fromhex(call_id.replace("-", "")), step)


def _uuid5(namespace: bytes, name: str) -> str:
    """Return what `uuid.uuid5` does (RFC 9562, section 5.5): the digest cut to size, version and variant put in."""
    digest = sha1(namespace + name.encode(), usedforsecurity=False).hexdigest()
    variant = _VARIANTS[int(digest[16], 16) & 0b11]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"
