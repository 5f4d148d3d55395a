"""Call events in: each batch is one projection; what cannot be used goes to the dead-letter topic, neighbours go on."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from prometheus_client import CollectorRegistry, Counter
from pydantic import ValidationError

from fareline_chassis.kafka.dlq import dead_letter
from fareline_chassis.kafka.producer import Producer
from fareline_chassis.kafka.records import InRecord, OutRecord
from fareline_chassis.logs import get_logger
from fareline_chassis.postgres.errors import classify, sqlstate_of
from fareline_contracts.calls import CALL_ENDED_TYPE, CALL_PROGRESS_TYPE, CALL_ROUTED_TYPE, RECORDING_READY_TYPE
from fareline_contracts.cloudevents import readable_headers
from fareline_contracts.topics import CALLS
from recording_ingest.domain.events import ENDED, PROGRESS, READY, ROUTED, event_from
from recording_ingest.inbound.call_records import document_of
from recording_ingest.ports.calls import KeptEvent

GROUP = "recording-ingest"
_KINDS = {
    CALL_ROUTED_TYPE: ROUTED,
    CALL_PROGRESS_TYPE: PROGRESS,
    CALL_ENDED_TYPE: ENDED,
    RECORDING_READY_TYPE: READY,
}
Project = Callable[[Sequence[KeptEvent]], Awaitable[None]]
log = get_logger(__name__)


class Undecodable(Exception):
    """A record that is no call event; `reason` is a short code for the dead letter."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


def decode(record: InRecord) -> KeptEvent | None:
    """Return the event of a record, None for a `ce_type` this version does not know. Raises Undecodable."""
    headers = readable_headers(record.headers)
    ce_type, ce_id = headers.get("ce_type"), headers.get("ce_id")
    if not ce_type or not ce_id or "\x00" in ce_id:
        raise Undecodable("no_event", "headers ce_type and ce_id are needed")
    kind = _KINDS.get(ce_type)
    if kind is None:
        return None
    value = record.value or b""
    data = document_of(ce_type, value) or document_by_contract(ce_type, value)
    return KeptEvent(event_from(kind, ce_id, data), kind, data, headers.get("traceparent"))


def document_by_contract(ce_type: str, value: bytes) -> dict[str, Any]:
    """Return a record's value as its model of the contract writes it. Raises Undecodable naming the field."""
    try:
        return CALLS.records[ce_type].model_validate_json(value).model_dump(mode="json")
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"])
        raise Undecodable("invalid", f"{place}: {first['msg']}") from None


class CallEventsIn:
    """Handles batches of `fareline.calls.v1`. It returns only when everything is either projected or a dead letter."""

    def __init__(self, project: Project, producer: Producer, registry: CollectorRegistry) -> None:
        self._project = project
        self._producer = producer
        self._seen = Counter(
            "fareline_ingest_call_events",
            "Records of the calls topic, by outcome: projected, skipped, dead.",
            ["outcome"],
            registry=registry,
        )

    async def __call__(self, batch: Sequence[InRecord]) -> None:
        """Handle a batch. Raises what means "not now": the same batch then comes again."""
        usable: list[tuple[InRecord, KeptEvent]] = []
        dead: list[OutRecord] = []
        for record in batch:
            try:
                kept = decode(record)
            except Undecodable as error:
                dead.append(self._dead(record, error.reason, str(error)))
                continue
            if kept is None:
                self._seen.labels("skipped").inc()
            else:
                usable.append((record, kept))
        await self._project_or_bisect(usable, dead)
        await self._producer.send(dead)

    async def _project_or_bisect(self, usable: Sequence[tuple[InRecord, KeptEvent]], dead: list[OutRecord]) -> None:
        if not usable:
            return
        try:
            await self._project([kept for _, kept in usable])
        except Exception as error:
            if classify(error) == "transient":
                raise
            if len(usable) == 1:
                detail = f"{type(error).__name__}"
                dead.append(self._dead(usable[0][0], classify(error), detail, sqlstate_of(error)))
                return
            half = len(usable) // 2
            await self._project_or_bisect(usable[:half], dead)
            await self._project_or_bisect(usable[half:], dead)
        else:
            self._seen.labels("projected").inc(len(usable))

    def _dead(self, record: InRecord, reason: str, detail: str, sqlstate: str | None = None) -> OutRecord:
        self._seen.labels("dead").inc()
        log.warning("call event dead-lettered", reason=reason, partition=record.partition, offset=record.offset)
        return dead_letter(record, reason=reason, detail=detail, group=GROUP, sqlstate=sqlstate)
