"""How much is waiting, and how long PBXs keep it, as metrics."""

from collections.abc import Mapping
from datetime import timedelta

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


class SpaceLasts:
    """Sets the gauge of how long a PBX that keeps a number of bytes keeps a recording."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._gauge = Gauge(
            "fareline_ingest_pbx_keeps_seconds",
            "How long the PBX of an account with retention_bytes keeps a recording, if every day is like the last.",
            ["account"],
            registry=registry,
        )

    def show(self, kept: Mapping[str, timedelta | None]) -> None:
        """Show what was found, and nothing of accounts of which nothing can be told."""
        self._gauge.clear()
        for account, length in kept.items():
            if length is not None:
                self._gauge.labels(account).set(length.total_seconds())
