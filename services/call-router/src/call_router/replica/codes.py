"""How long the codes of each tenant are: mostly one length, two while longer ones take over from codes run short."""

from datetime import datetime

from call_router.domain.bindings import Binding


class CodeLengths:
    """Lengths of codes by tenant, each with the moment at which the last binding that has such a code ends."""

    def __init__(self) -> None:
        self._until: dict[str, dict[int, datetime]] = {}

    def note(self, binding: Binding) -> None:
        """Hear of a binding."""
        lengths = self._until.setdefault(binding.tenant, {})
        ends_at = binding.ends_at
        for code in (binding.driver.code, binding.client.code):
            if code is None:
                continue
            known = lengths.get(len(code))
            if known is None or ends_at > known:
                lengths[len(code)] = ends_at

    def longest(self, tenant: str, now: datetime) -> int:
        """Return the number of digits of the tenant's longest code that may still be typed, 0 if there is none."""
        lengths = self._until.get(tenant, {})
        return max((length for length, until in lengths.items() if until > now), default=0)
