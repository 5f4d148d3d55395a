"""Publishes what became of recordings on `fareline.recordings.v1`."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace

from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import OutRecord
from fareline_chassis.tracing import Tracing, traceparent_of
from fareline_contracts.cloudevents import EventHead, to_headers
from fareline_contracts.recordings import (
    RECORDING_MISSING_TYPE,
    RECORDING_STORED_TYPE,
    MissingReason,
    RecordingMissing,
    RecordingStored,
)
from fareline_contracts.topics import RECORDINGS
from recording_ingest.ports.facts import Fact

_SOURCE = "recording-ingest"
SPAN = "recording.tell"


class KafkaAnnouncer:
    """Sends facts, keyed by call id; the same fact always has the same event id.

    Each is a span in the trace of its call, which its record carries on.
    """

    def __init__(self, producer: Producer, tracing: Tracing) -> None:
        self._producer = producer
        self._tracing = tracing

    async def announce(self, facts: Sequence[Fact]) -> None:
        """Send all and wait for Kafka's acknowledgement."""
        with ExitStack() as spans:
            await self._producer.send([record_of(self._traced(fact, spans)) for fact in facts])

    def _traced(self, fact: Fact, spans: ExitStack) -> Fact:
        if not self._tracing.on:
            return fact
        told = {"fareline.recording_id": fact.entry.recording_id, "fareline.state": fact.entry.state.value}
        span = self._tracing.span(SPAN, fact.traceparent, attributes=told)
        spans.callback(span.end)
        return replace(fact, traceparent=traceparent_of(span))


def record_of(fact: Fact) -> OutRecord:
    """Return a fact as the record to send."""
    stored = _stored(fact)
    head = EventHead(
        id=f"{fact.entry.recording_id}:{fact.revision}",
        source=_SOURCE,
        type=RECORDING_STORED_TYPE if stored else RECORDING_MISSING_TYPE,
        time=fact.at,
        subject=fact.entry.call_id,
        traceparent=fact.traceparent,
    )
    value = (stored or _missing(fact)).to_json()
    return OutRecord(RECORDINGS.name, fact.entry.call_id.encode(), value, to_headers(head))


def _stored(fact: Fact) -> RecordingStored | None:
    entry = fact.entry
    if entry.audio is None or entry.sha256 is None or entry.size_bytes is None:
        return None
    return RecordingStored(
        recording_id=entry.recording_id,
        call_id=entry.call_id,
        account=entry.account,
        tenant=entry.tenant,
        order_id=fact.order_id,
        part=entry.part,
        at=fact.at,
        sha256=entry.sha256,
        size_bytes=entry.size_bytes,
        duration_s=entry.audio.duration_s,
        codec=entry.audio.codec,
        channels=entry.audio.channels,
        sample_rate=entry.audio.sample_rate,
    )


def _missing(fact: Fact) -> RecordingMissing:
    entry = fact.entry
    return RecordingMissing(
        recording_id=entry.recording_id,
        call_id=entry.call_id,
        account=entry.account,
        tenant=entry.tenant,
        order_id=fact.order_id,
        part=entry.part,
        at=fact.at,
        reason=MissingReason(entry.reason or "other"),
        detail=entry.detail,
    )
