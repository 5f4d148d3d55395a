"""Which of several orders is further on (routing rules, "most advanced")."""

from collections.abc import Sequence

from call_router.domain.bindings import Link
from call_router.domain.case import Case


def rank(case: Case, link: Link) -> int:
    """Return the place of the order's status in the tenant's `order_rank`, 0 being best; others come last."""
    order = case.policy.order_rank
    status = link.binding.order_status
    return order.index(status) if status in order else len(order)


def most_advanced(case: Case, links: Sequence[Link]) -> Link:
    """Return the link of best rank, the latest change of status deciding between equals."""
    return min(links, key=lambda link: (rank(case, link), -link.binding.status_changed_at.timestamp()))
