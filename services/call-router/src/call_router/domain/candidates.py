"""Rule 3: a caller who is party of one or more orders."""

from call_router.domain.bindings import Link
from call_router.domain.case import Case
from call_router.domain.choose import choose
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.dialling import dial
from call_router.domain.windows import is_open


def known_caller(case: Case) -> Verdict | None:
    """Decide by the caller's own orders; None if none of them is meant."""
    if not case.mine:
        case.told.passed("3", "the caller is party of no order")
        return None
    candidates = candidates_of(case)
    if not candidates:
        return _followed(case)
    if len(candidates) > 1:
        case.told.passed("3", f"{len(candidates)} orders of the caller are possible")
        return choose(case, candidates)
    reason = Reason.PAIR if case.on_pool else Reason.SINGLE_ORDER
    whose = "was lent this number" if case.on_pool else "is his only one now"
    case.told.fits("3", f"the caller is the {candidates[0].role} of the order that {whose}")
    return dial(case, candidates[0], reason)


def candidates_of(case: Case) -> tuple[Link, ...]:
    """Return the caller's orders that the dialled number may mean, with his window open."""
    named = (link for link in case.mine if not case.on_pool or link.binding.number == case.number.e164)
    return tuple(link for link in named if is_open(case, link))


def _followed(case: Case) -> Verdict | None:
    """Decide for somebody who redialled an old pool number while he has an order elsewhere."""
    names_it = any(link.binding.number == case.number.e164 for link in case.mine)
    if not case.on_pool or names_it or not case.policy.follow_caller:
        case.told.passed("3", "no order of the caller that this number may mean has its window open")
        return None
    live = tuple(link for link in case.mine if link.binding.live(case.now) and is_open(case, link))
    if not live:
        case.told.passed("3", "the caller has no live order on another number either")
        return None
    if len(live) > 1:
        case.told.passed("3", f"the caller has {len(live)} live orders on other numbers")
        return choose(case, live)
    case.told.fits("3", f"the caller is the {live[0].role} of a live order that has another number")
    return dial(case, live[0], Reason.OTHER_NUMBER)
