"""Rule 1: what was dialled, and callers who are not people of an order."""

from datetime import datetime

from call_router.domain.actions import Fallback, Reject
from call_router.domain.bindings import Link
from call_router.domain.calls import Question, QuestionKind
from call_router.domain.case import Case
from call_router.domain.decisions import Explanation, Reason, Verdict
from call_router.domain.fallback import ask, fallback
from call_router.domain.inventory import NumberRole, ProxyNumber, Tenant
from call_router.domain.view import View


def open_case(question: Question, view: View, now: datetime, told: Explanation) -> Case | Verdict:
    """Return the case of a call to one of our numbers, or the fallback of the account for any other (rules 0 and 1)."""
    account = question.account
    dialled = view.phones(question.number, account.region)
    number = _number(view, dialled, now) if dialled else None
    if number is None or number.tenant not in account.tenants:
        told.fits("1", "the dialled number is not one that this account serves")
        return Verdict(Reason.UNKNOWN_NUMBER, (Fallback(account.default_route),))
    tenant = view.inventory.tenant(number.tenant) or Tenant(number.tenant, account.region, known=False)
    caller = view.phones(question.caller, tenant.region)
    if caller is None:
        told.noted("0", "the caller withholds his number, or it is no phone")
    return Case(question, view, now, number, tenant, caller, _links(view, tenant.name, caller, now), told)


def _number(view: View, dialled: str, now: datetime) -> ProxyNumber | None:
    """Return the dialled number; one that a live binding names counts as a pool number until its record comes."""
    number = view.inventory.number(dialled)
    if number is None and (tenant := view.bindings.naming(dialled, now)) is not None:
        return ProxyNumber(dialled, tenant, NumberRole.POOL)
    return number


def _links(view: View, tenant: str, caller: str | None, now: datetime) -> tuple[Link, ...]:
    if caller is None:
        return ()
    found = (binding for binding in view.bindings.of_phone(tenant, caller) if not binding.ended(now))
    return tuple(Link(binding, role) for binding in found if (role := binding.role_of(caller)) is not None)


def special_call(case: Case) -> Verdict | None:
    """Decide calls from our own numbers, calls to the desk, and calls of the fleet's own people (rule 1)."""
    told = case.told
    if case.caller is not None and case.ours(case.caller):
        told.fits("1", "the caller is one of our own numbers: the call went in a circle")
        return Verdict(Reason.LOOP, (Reject(),))
    if case.number.role in (NumberRole.DESK, NumberRole.OTHER):
        told.fits("1", "the dispatch line always reaches the call centre")
        return fallback(case, Reason.DESK)
    if case.staff and case.question.kind is QuestionKind.STARTED:
        told.fits("1", "the caller belongs to the fleet's staff and may type any live code")
        return ask(case, Reason.STAFF, "extension")
    told.passed("1", f"a {case.number.role} number of tenant {case.tenant.name}")
    return None
