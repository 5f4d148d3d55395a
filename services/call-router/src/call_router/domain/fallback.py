"""Where a call goes when nobody is to be rung, and what the operator sees of it (routing rules, "Fallback target")."""

from call_router.domain.actions import Ask, Fallback
from call_router.domain.bindings import Link
from call_router.domain.calls import WrongCode
from call_router.domain.case import Case
from call_router.domain.context import context_of
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.limits import no_more_codes
from call_router.domain.ranking import most_advanced


def fallback(case: Case, reason: Reason, *, link: Link | None = None, wrong_code: WrongCode | None = None) -> Verdict:
    """Return the verdict that hands the call to the call centre."""
    action = Fallback(target=target(case), display=display(case, link))
    return Verdict(reason, (action,), link=link, wrong_code=wrong_code)


def ask(case: Case, reason: Reason, prompt: str, *, wrong_code: WrongCode | None = None) -> Verdict:
    """Return the verdict that asks for a code, or the fallback where the PBX cannot ask or the caller may not try."""
    if not case.account.can_ask:
        case.told.noted("5", "the PBX cannot ask for digits")
        return fallback(case, reason, wrong_code=wrong_code)
    if not case.staff and no_more_codes(case, with_this=wrong_code is not None):
        case.told.noted("2", "too many wrong codes: no more until the time is over")
        return fallback(case, Reason.CODE_ATTEMPTS_EXCEEDED, wrong_code=wrong_code)
    so_far, policy = case.so_far, case.policy
    wrong = so_far.wrong_codes + (wrong_code is not None)
    action = Ask(
        prompt=prompt,
        digits=max(policy.code_digits, case.view.codes.longest(case.tenant.name, case.now)),
        timeout_s=policy.ask_timeout_pool_s if case.on_pool else policy.ask_timeout_main_s,
        context=context_of(so_far, reason, dials=so_far.dials, wrong_codes=wrong, direction=so_far.direction),
        otherwise=target(case),
    )
    return Verdict(reason, (action,), wrong_code=wrong_code)


def target(case: Case) -> str:
    """Return the name of the fallback target: the number's, else the tenant's, else the account's."""
    return case.number.default_route or case.policy.default_route or case.account.default_route


def display(case: Case, link: Link | None = None) -> str:
    """Return the caller's current order and role for the operator's screen, empty for somebody unknown."""
    if link is None and case.mine:
        live = tuple(mine for mine in case.mine if mine.binding.live(case.now))
        link = most_advanced(case, live or case.mine)
    if link is None:
        return ""
    label = f" / {link.peer.label}" if link.peer.label else ""
    return f"{link.binding.order_id} {link.role}{label}"
