"""How often is too often: wrong codes (routing rule 2) and dials (routing rule 6)."""

from call_router.domain.bindings import Link
from call_router.domain.case import Case
from call_router.domain.policy import Limit


def no_more_codes(case: Case, *, with_this: bool) -> bool:
    """Whether the caller has no attempt at a code left; `with_this` counts one more that he has just got wrong.

    A known caller has his own limit. An unknown one has his, and shares the number's with all unknown and withheld
    callers; a withheld caller has the number's only.
    """
    policy, extra = case.policy, int(with_this)
    if case.known:
        return _reached(case, policy.wrong_codes_known, extra)
    if case.caller is not None and _reached(case, policy.wrong_codes_unknown, extra):
        return True
    limit = policy.wrong_codes_number
    typed = case.view.recent.wrong_codes_at(case.number.e164, case.now - limit.within)
    return typed + extra >= limit.count


def _reached(case: Case, limit: Limit, extra: int) -> bool:
    assert case.caller is not None
    typed = case.view.recent.wrong_codes_of(case.tenant.name, case.caller, case.now - limit.within)
    return typed + extra >= limit.count


def too_many_dials(case: Case, link: Link) -> bool:
    """Whether this caller has dialled this order so often that the next call goes to the call centre."""
    policy, binding = case.policy, link.binding
    in_grace = (policy.dials_grace_short, policy.dials_grace_long)
    for limit in (policy.dials_active,) if binding.live(case.now) else in_grace:
        dials = case.view.recent.dials(binding.tenant, binding.order_id, case.caller, case.now - limit.within)
        if dials >= limit.count:
            return True
    return False
