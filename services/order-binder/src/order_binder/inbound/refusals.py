"""Refusing records: what of a batch goes to the dead letters, who hears of it, and when to stop refusing."""

from collections import Counter, deque
from dataclasses import dataclass, field

from fareline_chassis.kafka.dlq import dead_letter
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.privacy import redact_phones

GROUP = "order-binder"
_WINDOW = 200


class MostlyFailing(Exception):
    """Most of the last records failed for a reason nobody foresaw: the fault is ours, so nothing is put aside."""


class FailureWatch:
    """Remembers how the last 200 records went."""

    def __init__(self) -> None:
        self._last: deque[bool] = deque(maxlen=_WINDOW)

    @property
    def alarmed(self) -> bool:
        """Whether most of a full window failed unexpectedly."""
        return len(self._last) == _WINDOW and sum(self._last) > _WINDOW // 2

    def went_well(self, count: int) -> None:
        """Note records that were processed or refused for a reason of their own."""
        self._last.extend([False] * min(count, _WINDOW))

    def failed(self) -> None:
        """Note a record that failed unexpectedly. Raises MostlyFailing once most of a full window did."""
        self._last.append(True)
        if self.alarmed:
            raise MostlyFailing


@dataclass(slots=True)
class Aside:
    """What of a batch goes to the dead letters.

    `refusals` counts by (tenant, reason), the tenant being None where nobody can tell. `first` (partition/offset) and
    `detail` tell of the first one, `unexpected` is the first error that nobody foresaw.
    """

    records: list[OutRecord] = field(default_factory=list)
    refusals: Counter[tuple[str | None, str]] = field(default_factory=Counter)
    first: str | None = None
    detail: str | None = None
    unexpected: Exception | None = None

    def refuse(
        self,
        record: InRecord,
        reason: str,
        detail: str,
        *,
        tenant: str | None = None,
        sqlstate: str | None = None,
        attempts: int = 1,
    ) -> None:
        """Add a record; phones in `detail` are masked."""
        detail = redact_phones(detail)
        self.records.append(
            dead_letter(record, reason=reason, detail=detail, group=GROUP, sqlstate=sqlstate, attempts=attempts)
        )
        self.refusals[tenant, reason] += 1
        self.first = self.first or f"{record.partition}/{record.offset}"
        self.detail = self.detail or detail

    @property
    def reasons(self) -> Counter[str]:
        """Count by reason alone."""
        found: Counter[str] = Counter()
        for (_, reason), count in self.refusals.items():
            found[reason] += count
        return found
