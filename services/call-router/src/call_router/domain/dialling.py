"""Rule 6: before dialling. Whom exactly, how often, shown as what, recorded or not."""

from datetime import timedelta

from call_router.domain.actions import Dial
from call_router.domain.bindings import Link
from call_router.domain.calls import Attempt
from call_router.domain.case import Case
from call_router.domain.context import context_of
from call_router.domain.decisions import Reason, Verdict
from call_router.domain.fallback import fallback
from call_router.domain.limits import too_many_dials

MOST_TARGETS = 2
MOST_DIALS = 2
_LONGEST_SHORT_NUMBER = 6


def dial(case: Case, link: Link, reason: Reason, *, also: tuple[str, ...] = (), for_staff: bool = False) -> Verdict:
    """Return the verdict that rings the other side of `link`, or the fallback where that must not be.

    `also` are orders between the same two people. Staff have no limits, and their calls are nobody's attempts.
    """
    targets = targets_of(case, link)
    if not targets:
        case.told.fits("6", "no phone is left that may be rung")
        return fallback(case, Reason.LOOP, link=link)
    if not link.window.allowed:
        case.told.fits("6", "calls in this direction are blocked for this order")
        return fallback(case, Reason.BLOCKED, link=link)
    if not for_staff and too_many_dials(case, link):
        case.told.fits("6", "the caller has dialled this order too often")
        return fallback(case, Reason.TOO_MANY_CALLS, link=link)
    if case.so_far.dials >= MOST_DIALS:
        case.told.fits("7", "two dials were made in this call already")
        return fallback(case, Reason.STEP_LIMIT, link=link)
    others = tuple(order for order in also if order != link.binding.order_id)
    attempt = None if for_staff else _attempt(case, link, len(targets))
    return Verdict(reason, (_action(case, link, reason, targets),), link=link, also=others, attempt=attempt)


def next_target(case: Case, link: Link, reason: Reason) -> Verdict | None:
    """Return the verdict that rings what a dial has not rung yet; None where nothing is left, or may be rung no more.

    It belongs to the attempt that was counted with the first target.
    """
    left = tuple(phone for phone in targets_of(case, link) if phone in case.question.targets_left)
    if not left or not link.window.allowed or case.so_far.dials >= MOST_DIALS:
        return None
    return Verdict(reason, (_action(case, link, reason, left),), link=link)


def targets_of(case: Case, link: Link) -> tuple[str, ...]:
    """Return the phones to ring in turn, the one that this person last used first."""
    binding = link.binding
    last = case.view.recent.last_phone(binding.tenant, binding.order_id, link.role.other)
    phones = sorted(link.peer.phones, key=lambda phone: phone != last)
    return tuple(phone for phone in phones if _may_ring(case, phone))[:MOST_TARGETS]


def _may_ring(case: Case, phone: str) -> bool:
    """Whether a target is somebody else's phone: not the caller's, not ours, no short number."""
    short = len(phone.removeprefix("+")) <= _LONGEST_SHORT_NUMBER
    return not short and phone != case.caller and not case.ours(phone)


def _action(case: Case, link: Link, reason: Reason, targets: tuple[str, ...]) -> Dial:
    so_far, call = case.so_far, link.binding.call
    from_driver = link.binding.driver is link.caller
    caller_hears = call.announce_driver if from_driver else call.announce_client
    callee_hears = call.announce_client if from_driver else call.announce_driver
    record = _recording(case, link)
    return Dial(
        targets=targets,
        caller_id=link.binding.number,
        ring_timeout_s=call.ring_timeout_s,
        max_duration_s=call.max_duration_s,
        record=record,
        announce_caller=caller_hears if record != "off" else None,
        announce_callee=callee_hears if record != "off" else None,
        context=context_of(
            so_far, reason, dials=so_far.dials + 1, wrong_codes=so_far.wrong_codes, direction=link.role.calls
        ),
        else_caller_id=case.view.inventory.main_number(case.tenant.name),
    )


def _recording(case: Case, link: Link) -> str:
    """Return how the call is recorded: never where it must be announced and cannot be."""
    call = link.binding.call
    if not call.record:
        return "off"
    announced = call.announce_driver is not None or call.announce_client is not None
    if announced and not case.account.can_announce:
        case.told.noted("6", "announce_required: the PBX cannot announce the recording, so there is none")
        return "off"
    return case.policy.recording


def _attempt(case: Case, link: Link, targets: int) -> Attempt:
    binding = link.binding
    return Attempt(
        tenant=binding.tenant,
        order_id=binding.order_id,
        from_person=binding.person(link.role),
        to_person=binding.person(link.role.other),
        caller=case.caller,
        at=case.now,
        gives_up_at=case.now + timedelta(seconds=binding.call.ring_timeout_s * targets),
    )
