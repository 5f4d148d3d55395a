"""Rule 2: digits typed. Whoever types a code wrongly never learns in which way it was wrong."""

from call_router.domain.actions import Hangup, Play
from call_router.domain.bindings import Binding, Link
from call_router.domain.calls import QuestionKind, WrongCode
from call_router.domain.case import Case
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.dialling import dial
from call_router.domain.fallback import ask, fallback
from call_router.domain.limits import no_more_codes
from call_router.domain.windows import is_open

EMERGENCY = frozenset({"112", "101", "102", "103", "911"})
SHORTEST_CODE, LONGEST_CODE = 6, 8
_STRIPPED = str.maketrans("", "", "#* ")


def typed_code(case: Case) -> Verdict | None:
    """Decide by the digits that the caller typed; None where the question brings none."""
    if case.question.kind is not QuestionKind.DIGITS:
        case.told.passed("2", "no digits were typed")
        return None
    digits = case.question.digits.translate(_STRIPPED)
    if not digits:
        return _nothing_typed(case)
    if digits in EMERGENCY:
        case.told.fits("2", "an emergency number was typed")
        return Verdict(Reason.EMERGENCY, (Play("hang_up_and_dial_112"), Hangup()))
    if case.staff:
        return _code_of_staff(case, digits)
    if no_more_codes(case, with_this=False):
        case.told.fits("2", "too many wrong codes: the digits are ignored")
        return fallback(case, Reason.CODE_ATTEMPTS_EXCEEDED)
    binding = _binding_of(case, digits)
    verdict = None if binding is None else _by_code(case, binding, digits)
    return verdict or _wrong(case)


def _nothing_typed(case: Case) -> Verdict:
    """Fall back with the reason for which digits were asked; a PBX that lost it leaves who the caller is."""
    case.told.fits("2", "nothing was typed")
    asked = case.so_far.asked
    if asked is not None and asked in Reason.__members__.values():
        return fallback(case, Reason(asked))
    return fallback(case, Reason.WITHHELD if case.caller is None else Reason.UNKNOWN_CALLER)


def _binding_of(case: Case, digits: str) -> Binding | None:
    """Return the tenant's binding, not ended, one of whose codes was typed exactly: in its length, with its zeros."""
    if not (SHORTEST_CODE <= len(digits) <= LONGEST_CODE and digits.isascii() and digits.isdecimal()):
        return None
    found = case.view.bindings.of_code(case.tenant.name, digits)
    return next((binding for binding in found if not case.ended(binding)), None)


def _by_code(case: Case, binding: Binding, digits: str) -> Verdict | None:
    """Decide by a code that exists; None if it is worth nothing from this caller."""
    role = None if case.caller is None else binding.role_of(case.caller)
    if role is not None:
        return _own_order(case, Link(binding, role))
    owner = binding.owner_of(digits)
    if case.known or owner is None or not _good_from_anybody(case, Link(binding, owner)):
        return None
    case.told.fits("2", f"the code of the {owner} was typed from a phone that nobody knows")
    return dial(case, Link(binding, owner), Reason.EXTENSION_UNKNOWN_CALLER)


def _own_order(case: Case, link: Link) -> Verdict:
    if not is_open(case, link):
        case.told.fits("2", f"the caller is the {link.role} of this order, but his window is closed")
        return fallback(case, Reason.WINDOW_CLOSED, link=link)
    case.told.fits("2", f"the caller is the {link.role} of the order whose code was typed")
    return dial(case, link, Reason.EXTENSION)


def _good_from_anybody(case: Case, link: Link) -> bool:
    """Whether a right code may stand for its owner: on the order's own number, while the order is carried out."""
    binding = link.binding
    return (
        case.policy.code_from_unknown_phone
        and binding.number == case.number.e164
        and binding.live(case.now)
        and link.window.contains(case.now)
    )


def _code_of_staff(case: Case, digits: str) -> Verdict:
    binding = _binding_of(case, digits)
    owner = binding.owner_of(digits) if binding is not None and binding.live(case.now) else None
    if binding is None or owner is None:
        return _wrong(case)
    case.told.fits("2", f"staff typed the code of the {owner}, which reaches the {owner.other}")
    return dial(case, Link(binding, owner), Reason.STAFF, for_staff=True)


def _wrong(case: Case) -> Verdict:
    """Ask again, as long as the call and the caller's limits allow."""
    case.told.fits("2", "the code is wrong")
    typed = None if case.staff else WrongCode(case.tenant.name, case.caller, case.number.e164, case.known, case.now)
    if not case.staff and no_more_codes(case, with_this=True):
        return fallback(case, Reason.CODE_ATTEMPTS_EXCEEDED, wrong_code=typed)
    if case.so_far.wrong_codes + 1 >= case.policy.code_attempts_per_call:
        return fallback(case, Reason.WRONG_CODE, wrong_code=typed)
    return ask(case, Reason.WRONG_CODE, "wrong_code", wrong_code=typed)
