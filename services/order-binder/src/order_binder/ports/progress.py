"""How far the input is processed, as whoever follows it says it."""

from datetime import datetime

from order_binder.domain.values import Value


class InputProgress(Value, frozen=True):
    """How far a partition of the order topic is processed: every event of it before `as_of` is."""

    partition: int
    as_of: datetime
    next_offset: int
