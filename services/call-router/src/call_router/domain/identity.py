"""Ids that any process derives alike, so that a repeated webhook makes the same event wherever it arrives."""

from uuid import UUID, uuid5

_CALLS = UUID("7f1c1f0e-7d5c-5c0b-9a39-3d5f7a0f6b11")


def call_id_of(account: str, pbx_call_id: str) -> str:
    """Return our id of a call, from its account and the PBX's own id."""
    return str(uuid5(_CALLS, f"{account}\n{pbx_call_id}"))


def event_id_of(call_id: str, step: str) -> str:
    """Return the id of what happened at one step of a call: `step` is unique within it."""
    return str(uuid5(UUID(call_id), step))
