"""What in a call event is somebody's own: phones, labels, addresses of files. It is kept apart from the rest.

The rest is enough to fold a row without its people, so that the personal part can be sealed, and one day destroyed.
"""

from collections.abc import Mapping
from typing import Any

_OF_ACTIONS = ("targets", "display")
_OF_EVENTS = ("caller", "url", "leg")
"""A PBX names a leg by its extension, or by the phone it rings."""
_UNUSED = ("context",)
"""The router's own state within an action: nothing here reads it."""


def parted(data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the document of an event without what is personal, and what was taken out of it ({}: nothing was)."""
    plain = {name: value for name, value in data.items() if name not in _OF_EVENTS}
    personal = {name: data[name] for name in _OF_EVENTS if data.get(name) is not None}
    decision = data.get("decision")
    if decision is None:
        return plain, personal
    actions = decision["actions"]
    plain["decision"] = {**decision, "actions": [_without(action) for action in actions]}
    taken = [{name: action[name] for name in _OF_ACTIONS if action.get(name)} for action in actions]
    return plain, personal | ({"actions": taken} if any(taken) else {})


def joined(data: Mapping[str, Any], personal: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document whole again, apart from what nothing reads."""
    whole = {**data, **{name: value for name, value in personal.items() if name != "actions"}}
    if "actions" in personal:
        decision = data["decision"]
        actions = zip(decision["actions"], personal["actions"], strict=True)
        whole["decision"] = {**decision, "actions": [{**plain, **taken} for plain, taken in actions]}
    return whole


def _without(action: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in action.items() if name not in _OF_ACTIONS + _UNUSED}
