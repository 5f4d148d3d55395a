"""Which windows are open (routing rules, "Windows")."""

from call_router.domain.bindings import Link
from call_router.domain.case import Case


def is_open(case: Case, link: Link) -> bool:
    """Whether the calling side may call now: its window is open, or the peer has just missed him."""
    if case.ended(link.binding):
        return False
    return link.window.contains(case.now) or _return_window(case, link)


def _return_window(case: Case, link: Link) -> bool:
    """Whether the peer's unanswered attempt inside his own open window lets this side call back for a while."""
    binding, role = link.binding, link.role
    attempt = case.view.recent.latest_attempt(binding.tenant, binding.person(role.other), binding.person(role))
    if attempt is None or not attempt.unanswered(case.now):
        return False
    in_window = binding.window(role.other).contains(attempt.at)
    return in_window and case.now < attempt.at + case.policy.return_window
