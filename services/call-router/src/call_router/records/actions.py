"""Actions as the generic contract writes them: in answers to PBXs and in the call log alike."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, assert_never

import msgspec

from call_router.domain.actions import Action, Ask, Dial, Fallback, Hangup, Play, Reject


def action_json(action: Action) -> dict[str, Any]:
    """Return an action as `fareline_contracts.pbx_generic.Action` describes it."""
    match action:
        case Play():
            return {"do": "play", "prompt": action.prompt}
        case Dial():
            return _dial(action)
        case Ask():
            return {
                "do": "ask",
                "prompt": action.prompt,
                "digits": action.digits,
                "timeout_s": action.timeout_s,
                "context": action.context,
            }
        case Fallback():
            return {"do": "fallback", "target": action.target, "display": action.display}
        case Reject():
            return {"do": "reject", "cause": "busy"}
        case Hangup():
            return {"do": "hangup"}
        case _:
            assert_never(action)


def _dial(action: Dial) -> dict[str, Any]:
    return {
        "do": "dial",
        "targets": action.targets,
        "caller_id": action.caller_id,
        "ring_timeout_s": action.ring_timeout_s,
        "max_duration_s": action.max_duration_s,
        "record": action.record,
        "announce": {"caller": action.announce_caller, "callee": action.announce_callee},
        "context": action.context,
    }


class _DialJson(msgspec.Struct, frozen=True, gc=False):
    targets: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    caller_id: str
    ring_timeout_s: int
    max_duration_s: int
    record: str
    announce: dict[str, str | None] = {}
    context: str = ""

    def to_action(self) -> Dial:
        return Dial(
            targets=self.targets,
            caller_id=self.caller_id,
            ring_timeout_s=self.ring_timeout_s,
            max_duration_s=self.max_duration_s,
            record=self.record,
            announce_caller=self.announce.get("caller"),
            announce_callee=self.announce.get("callee"),
            context=self.context,
        )


_READERS: Mapping[object, Callable[[Mapping[str, Any]], Action]] = {
    "dial": lambda shown: msgspec.convert(shown, _DialJson).to_action(),
    "ask": lambda shown: msgspec.convert(shown, Ask),
    "fallback": lambda shown: msgspec.convert(shown, Fallback),
    "play": lambda shown: msgspec.convert(shown, Play),
    "reject": lambda _: Reject(),
    "hangup": lambda _: Hangup(),
}


def action_of(shown: Mapping[str, Any]) -> Action | None:
    """Return the action that `action_json` wrote, None for one of a later version; raises msgspec.ValidationError."""
    read = _READERS.get(shown.get("do"))
    return None if read is None else read(shown)
