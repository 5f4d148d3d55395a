"""Rule 7: what follows a dial after which nobody was bridged."""

from call_router.domain.actions import Hangup, Play
from call_router.domain.bindings import Direction, Link
from call_router.domain.calls import DialResult
from call_router.domain.case import Case
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.dialling import next_target
from call_router.domain.fallback import fallback
from call_router.domain.policy import OnUnanswered
from call_router.domain.windows import is_open


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
    rung = _ring_next(case, direction)
    if rung is not None:
        case.told.fits("7", "one phone was not answered: the next one rings")
        return rung
    if direction is Direction.DRIVER_TO_CLIENT:
        return _not_reached(case, "client", case.policy.unanswered_by_client, Reason.CLIENT_UNREACHABLE)
    return _not_reached(case, "driver", case.policy.unanswered_by_driver, Reason.DRIVER_UNREACHABLE)


def _ring_next(case: Case, direction: Direction) -> Verdict | None:
    """Go on with a dial of which the PBX has rung one target, while the caller is still who he was."""
    so_far, asked = case.so_far, case.so_far.asked
    if not case.question.targets_left or so_far.order_id is None or asked is None:
        return None
    binding = case.view.bindings.get(case.tenant.name, so_far.order_id)
    if binding is None or case.caller not in binding.party(direction.caller).phones:
        return None
    link = Link(binding, direction.caller)
    known = asked in Reason.__members__.values()
    return next_target(case, link, Reason(asked)) if known and is_open(case, link) else None


def _not_reached(case: Case, who: str, then: OnUnanswered, unreachable: Reason) -> Verdict:
    if then is OnUnanswered.ANNOUNCE:
        case.told.fits("7", f"the {who} was not reached, and the caller is told so")
        return Verdict(Reason.UNANSWERED, (Play(f"{who}_unavailable"), Hangup()))
    case.told.fits("7", f"the {who} was not reached, and an operator takes over")
    return fallback(case, unreachable)
