"""Rule 7: what follows a dial after which nobody was bridged."""

from call_router.domain.actions import Hangup, Play
from call_router.domain.bindings import Direction
from call_router.domain.calls import DialResult
from call_router.domain.case import Case
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.fallback import fallback
from call_router.domain.policy import OnUnanswered


def dial_result(case: Case) -> Verdict:
    """Decide by the result of the dial: hang up, say that nobody answers, or bring the caller to an operator."""
    result = case.question.result
    if result is DialResult.CANCELLED:
        case.told.fits("7", "the caller hung up while it rang")
        return Verdict(Reason.CALLER_GONE, (Hangup(),))
    direction = case.so_far.direction
    if result is DialResult.FAILED or result is None or direction is None:
        case.told.fits("7", "the dial failed")
        return fallback(case, Reason.DIAL_FAILED)
    if direction is Direction.DRIVER_TO_CLIENT:
        return _not_reached(case, "client", case.policy.unanswered_by_client, Reason.CLIENT_UNREACHABLE)
    return _not_reached(case, "driver", case.policy.unanswered_by_driver, Reason.DRIVER_UNREACHABLE)


def _not_reached(case: Case, who: str, then: OnUnanswered, unreachable: Reason) -> Verdict:
    if then is OnUnanswered.ANNOUNCE:
        case.told.fits("7", f"the {who} was not reached, and the caller is told so")
        return Verdict(Reason.UNANSWERED, (Play(f"{who}_unavailable"), Hangup()))
    case.told.fits("7", f"the {who} was not reached, and an operator takes over")
    return fallback(case, unreachable)
