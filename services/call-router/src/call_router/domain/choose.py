"""Rule 4: which of several orders is meant. Never the first row, never a random one."""

from collections.abc import Sequence

from call_router.domain.bindings import Link
from call_router.domain.calls import Attempt, Outcome
from call_router.domain.case import Case
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.dialling import dial, targets_of
from call_router.domain.fallback import ask
from call_router.domain.ranking import most_advanced, rank


def choose(case: Case, candidates: Sequence[Link]) -> Verdict:
    """Decide between candidates: by person, by a call to be returned, by the orders' state, or by asking."""
    people = _by_person(case, candidates)
    also = tuple(link.binding.order_id for link in candidates)
    if len(people) == 1:
        case.told.fits("4", "all of them lead to the same person; the most advanced order counts")
        return dial(case, people[0], Reason.SAME_PARTY, also=also)
    case.told.passed("4", f"they lead to {len(people)} different people")
    waiting = _called_back(case, people)
    if waiting is not None:
        case.told.fits("4", f"the {waiting.role.other} of one order has just tried to reach the caller")
        return dial(case, waiting, Reason.CALLBACK)
    case.told.passed("4", "none of them has just tried to reach the caller")
    best = min(rank(case, link) for link in people)
    leading = [link for link in people if rank(case, link) == best]
    if len(leading) == 1:
        case.told.fits("4", f"only one order is at its stage ({leading[0].binding.order_status})")
        return dial(case, leading[0], Reason.ORDER_STATE)
    case.told.fits("4", f"{len(leading)} orders are at the same stage: the caller must say which")
    return ask(case, Reason.AMBIGUOUS, "extension")


def _by_person(case: Case, candidates: Sequence[Link]) -> list[Link]:
    """Return one link for each phone that would ring, attributed to the most advanced of its orders."""
    groups: dict[str, list[Link]] = {}
    for link in candidates:
        phones = targets_of(case, link) or link.peer.phones
        groups.setdefault(next(iter(phones), link.binding.order_id), []).append(link)
    return [most_advanced(case, group) for group in groups.values()]


def _called_back(case: Case, people: Sequence[Link]) -> Link | None:
    """Return the link whose peer tried last to reach this caller, if that was just now and still means the same."""
    tried = [(attempt.at, place) for place, link in enumerate(people) if (attempt := _waiting(case, link)) is not None]
    return people[max(tried)[1]] if tried else None


def _waiting(case: Case, link: Link) -> Attempt | None:
    """Return the peer's latest attempt if the caller is likely to be returning it."""
    binding, role, policy = link.binding, link.role, case.policy
    attempt = case.view.recent.latest_attempt(binding.tenant, binding.person(role.other), binding.person(role))
    if attempt is None or case.now - attempt.at >= policy.callback_within:
        return None
    if binding.status_changed_at > attempt.at:
        return None
    just_ended = (
        attempt.outcome is Outcome.ANSWERED
        and attempt.ended_at is not None
        and case.now - attempt.ended_at < policy.callback_after_end_within
    )
    return attempt if just_ended or attempt.unanswered(case.now) else None
