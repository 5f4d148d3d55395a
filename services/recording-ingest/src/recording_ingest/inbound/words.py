"""The closed words of the call log: what else is asked for is refused, as an empty answer would read "there were none".

They stand here as types, so that OpenAPI and refusals list them; tests hold them to the contracts, to the router's
reasons and to the states of recordings.
"""

from typing import Literal

Disposition = Literal["answered", "no_answer", "busy", "failed", "cancelled", "other"]
Source = Literal["replica", "binder", "default", "other"]
Direction = Literal["driver_to_client", "client_to_driver", "other"]
Recording = Literal["none", "expected", "ready", "stored", "missing", "deleted"]
Reason = Literal[
    "unknown_number", "loop", "desk", "staff", "emergency", "extension", "extension_unknown_caller", "window_closed",
    "wrong_code", "code_attempts_exceeded", "pair", "single_order", "other_number", "same_party", "callback",
    "order_state", "ambiguous", "withheld", "unknown_caller", "blocked", "too_many_calls", "caller_gone", "unanswered",
    "driver_unreachable", "client_unreachable", "dial_failed", "step_limit", "fallback_returned", "no_line",
    "internal_error", "overloaded",
]  # fmt: skip
"""Why a call went where it went. A word that the router no longer says stays: rows of then have it."""
