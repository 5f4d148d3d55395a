"""How much is waiting, as metrics."""

from prometheus_client import CollectorRegistry, Gauge

from recording_ingest.outbound.postgres_ledger import PostgresLedger


class Backlog:
    """Sets the gauge of recordings not stored yet, by state; `at_risk`: their PBX deletes them within a day."""

    def __init__(self, ledger: PostgresLedger, registry: CollectorRegistry) -> None:
        self._ledger = ledger
        self._gauge = Gauge(
            "fareline_ingest_backlog", "Recordings that are not stored yet.", ["state"], registry=registry
        )

    async def measure(self) -> None:
        """Ask the ledger once."""
        for state, count in (await self._ledger.backlog()).items():
            self._gauge.labels(state).set(count)
