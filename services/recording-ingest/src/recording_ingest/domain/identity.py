"""Ids of calls, the same in every process: call-router derives them in the same way (a test compares)."""

from uuid import UUID, uuid5

_CALLS = UUID("7f1c1f0e-7d5c-5c0b-9a39-3d5f7a0f6b11")


def call_id_of(account: str, pbx_call_id: str) -> str:
    """Return our id of a call, from its account and the PBX's own id."""
    return str(uuid5(_CALLS, f"{account}\n{pbx_call_id}"))
