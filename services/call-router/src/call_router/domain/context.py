"""What we give a PBX to carry from one step of a call to the next, so that any process can go on with the call.

A short text such as `3.1.0.ambiguous.d`: the step just answered, dials and wrong codes so far, the reason, and the
direction of a dial. No phone and no order stands in it. A PBX may lose or change it: what cannot be read counts as
absent.
"""

import re

from call_router.domain.bindings import Direction
from call_router.domain.calls import CallSoFar

_CONTEXT = re.compile(r"(\d{1,2})\.(\d)\.(\d)\.([a-z_0-9]{1,40})\.([dc-])")
_LETTERS = {Direction.DRIVER_TO_CLIENT: "d", Direction.CLIENT_TO_DRIVER: "c", None: "-"}
_DIRECTIONS = {letter: direction for direction, letter in _LETTERS.items()}


def context_of(so_far: CallSoFar, reason: str, *, dials: int, wrong_codes: int, direction: Direction | None) -> str:
    """Return the context to send with the answer to step `so_far.step`; counts include that answer."""
    return f"{so_far.step}.{min(dials, 9)}.{min(wrong_codes, 9)}.{reason}.{_LETTERS[direction]}"


def read_context(text: str) -> CallSoFar | None:
    """Return the call so far as the next question finds it, None where `text` says nothing."""
    found = _CONTEXT.fullmatch(text)
    if found is None:
        return None
    step, dials, wrong_codes, reason, letter = found.groups()
    return CallSoFar(
        step=int(step) + 1,
        dials=int(dials),
        wrong_codes=int(wrong_codes),
        asked=reason,
        direction=_DIRECTIONS[letter],
    )
