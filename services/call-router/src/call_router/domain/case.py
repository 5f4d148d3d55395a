"""One question together with everything that the rules look at more than once."""

from datetime import datetime

from call_router.domain.bindings import Binding, Link
from call_router.domain.calls import CallSoFar, Question
from call_router.domain.decisions import Explanation
from call_router.domain.inventory import Account, NumberRole, ProxyNumber, Tenant
from call_router.domain.policy import Policy
from call_router.domain.values import Value
from call_router.domain.view import View


class Case(Value, frozen=True):
    """A question whose number is known. `caller` is E.164, None when withheld; `mine` are his bindings, not ended."""

    question: Question
    view: View
    now: datetime
    number: ProxyNumber
    tenant: Tenant
    caller: str | None
    mine: tuple[Link, ...]
    told: Explanation

    @property
    def policy(self) -> Policy:
        """The tenant's policy."""
        return self.tenant.policy

    @property
    def account(self) -> Account:
        """The PBX's account."""
        return self.question.account

    @property
    def so_far(self) -> CallSoFar:
        """What was answered in this call before."""
        return self.question.so_far

    @property
    def known(self) -> bool:
        """Whether the caller is a party of any binding of the tenant that is not ended."""
        return bool(self.mine)

    @property
    def on_pool(self) -> bool:
        """Whether a number was dialled that is lent to bindings."""
        return self.number.role is NumberRole.POOL

    @property
    def staff(self) -> bool:
        """Whether the caller is on the tenant's list of phones and PBX extensions."""
        return self.caller in self.tenant.staff or self.question.caller.strip() in self.tenant.staff

    def ours(self, phone: str) -> bool:
        """Whether a phone is one of our own numbers, by the inventory or by a live binding that names it."""
        known = self.view.inventory.number(phone) is not None
        return known or self.view.bindings.naming(phone, self.now) is not None

    def ended(self, binding: Binding) -> bool:
        """Whether a binding is over by now."""
        return binding.ended(self.now)
