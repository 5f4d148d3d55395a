"""The memory of calls under way: what each was answered at each step. Bounded; the longest untouched go first."""

from collections import OrderedDict

from call_router.ports import CallMemory


class CallsMemory:
    """Calls by id, at most `most` of them."""

    def __init__(self, most: int = 50_000) -> None:
        self._most = most
        self._calls: OrderedDict[str, CallMemory] = OrderedDict()

    def of(self, call_id: str) -> CallMemory:
        """Return the memory of a call, made when first asked for."""
        call = self._calls.get(call_id)
        if call is None:
            call = self._calls[call_id] = CallMemory(call_id)
            if len(self._calls) > self._most:
                self._calls.popitem(last=False)
        else:
            self._calls.move_to_end(call_id)
        return call
