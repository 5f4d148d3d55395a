"""Choosing the extension that shows the wanted number and records, or does not."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import blake2b

from call_router.domain.actions import Dial, Fallback
from call_router.domain.decisions import Decision, Outcome, Reason, RuleOutcome
from call_router.domain.values import replace
from fareline_contracts.accounts import Line

_RESTS_AFTER_LIMIT = timedelta(seconds=60)


class Lines:
    """The lines of an account; one that lately reported its limit is avoided for a minute."""

    def __init__(self, lines: Sequence[Line]) -> None:
        self._lines: dict[tuple[str, bool], list[Line]] = {}
        for line in lines:
            if line.verified:
                self._lines.setdefault((line.caller_id, line.record), []).append(line)
        self._full_until: dict[str, datetime] = {}

    def full(self, ext: str, now: datetime) -> None:
        """Note that a line had no room for another call."""
        if any(line.ext == ext for lines in self._lines.values() for line in lines):
            self._full_until[ext] = now + _RESTS_AFTER_LIMIT

    def choose(self, dial: Dial, pbx_call_id: str, now: datetime) -> Line | None:
        """Return the line for a dial: with its caller ID, else with the main number, and always with its recording."""
        record = dial.record != "off"
        fitting = self._lines.get((dial.caller_id, record))
        if fitting is None and dial.else_caller_id is not None:
            fitting = self._lines.get((dial.else_caller_id, record))
        return None if fitting is None else self._spread(fitting, pbx_call_id, now)

    def _spread(self, lines: Sequence[Line], pbx_call_id: str, now: datetime) -> Line:
        """Return one of `lines` by the call's id, so that a repeated question gets the same."""
        free = [line for line in lines if self._full_until.get(line.ext, now) <= now] or lines
        if len(free) == 1:
            return free[0]
        digest = blake2b(pbx_call_id.encode("utf-8", "replace"), digest_size=8).digest()
        return free[int.from_bytes(digest, "big") % len(free)]


def without_line(decision: Decision, target: str) -> Decision:
    """Return the fallback for a dial that no line can make."""
    told = RuleOutcome("6", Outcome.FITS, "no line of the PBX shows one of our numbers with this recording")
    return replace(
        decision,
        reason=Reason.NO_LINE,
        actions=(Fallback(target),),
        attempt=None,
        rules=(*decision.rules, told),
    )
