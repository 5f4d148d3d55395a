"""Rule 5: nobody was found whom this caller could mean."""

from call_router.domain.case import Case
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.fallback import ask, fallback
from call_router.domain.ranking import most_advanced


def nobody_found(case: Case) -> Verdict:
    """Fall back at once where no code could help, else offer to type one."""
    closed = tuple(link for link in case.mine if not case.on_pool or link.binding.number == case.number.e164)
    if closed:
        link = most_advanced(case, closed)
        case.told.fits("5", f"the caller is the {link.role} of an order whose window for him is closed")
        return fallback(case, Reason.WINDOW_CLOSED, link=link)
    reason = Reason.WITHHELD if case.caller is None else Reason.UNKNOWN_CALLER
    if not case.number.asks_code:
        case.told.fits("5", "nobody is found, and this number asks for no code")
        return fallback(case, reason)
    case.told.fits("5", "nobody is found; the caller may type a code")
    return ask(case, reason, "greeting")
