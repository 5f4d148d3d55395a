"""What a PBX may be told to do; every adapter renders these. Any number of `Play`, then exactly one other."""

from call_router.domain.values import Value


class Play(Value, frozen=True):
    """Play a prompt, then do the next action."""

    prompt: str


class Dial(Value, frozen=True):
    """Ring the targets (E.164) one after the other, showing `caller_id`.

    `record` is `off`, `mono` or `dual`. A PBX that cannot show `caller_id` may show `else_caller_id`, the tenant's
    main number, or must not dial. `line` is the PBX's own way out, where its adapter has to choose one.
    """

    targets: tuple[str, ...]
    caller_id: str
    ring_timeout_s: int
    max_duration_s: int
    record: str
    announce_caller: str | None = None
    announce_callee: str | None = None
    context: str = ""
    else_caller_id: str | None = None
    line: str | None = None


class Ask(Value, frozen=True):
    """Play a prompt and collect `digits` digits, accepted while it plays.

    `otherwise` is the fallback target for a PBX that can leave on silence by itself.
    """

    prompt: str
    digits: int
    timeout_s: int
    context: str = ""
    otherwise: str = ""


class Fallback(Value, frozen=True):
    """Hand the call to a named target of the account; `display` is for the operator's screen."""

    target: str
    display: str = ""


class Reject(Value, frozen=True):
    """Refuse the call, busy, before it is answered."""


class Hangup(Value, frozen=True):
    """End the call."""


Action = Play | Dial | Ask | Fallback | Reject | Hangup
