"""Actions as the generic contract writes them: in answers to PBXs and in the call log alike."""

from typing import Any, assert_never

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
