"""Records of the calls topic as events: every released example is understood, everything else is named."""

from pathlib import Path

import pytest

from fareline_chassis.kafka.records import InRecord
from fareline_contracts.topics import CALLS
from recording_ingest.domain.projection import fold
from recording_ingest.inbound.kafka import Undecodable, decode


def record(value: bytes | None, **headers: bytes) -> InRecord:
    return InRecord(CALLS.name, 0, 0, 0, b"c-1", value, tuple(headers.items()))


@pytest.mark.parametrize("ce_type", sorted(CALLS.records))
def test_released_examples_fold(ce_type: str, repository_root: Path) -> None:
    examples = sorted((repository_root / "libs/contracts/examples" / ce_type).glob("*.json"))
    assert examples
    for example in examples:
        kept = decode(record(example.read_bytes(), ce_type=ce_type.encode(), ce_id=b"1", odd=b"\xff"))
        assert kept is not None
        assert fold([kept.event]).call_id == kept.event.head.call_id


def test_an_unknown_type_is_skipped() -> None:
    assert decode(record(b"{}", ce_type=b"fareline.call.hummed.v1", ce_id=b"1")) is None


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        (record(b"{}"), "no_event"),
        (record(b"{}", ce_type=b"fareline.call.ended.v1"), "no_event"),
        (record(b"{}", ce_type=b"\xff", ce_id=b"1"), "no_event"),
        (record(b"{}", ce_type=b"fareline.call.ended.v1", ce_id=b"a\x00b"), "no_event"),
        (record(b"{}", ce_type=b"fareline.call.ended.v1", ce_id=b"1"), "invalid"),
        (record(None, ce_type=b"fareline.call.ended.v1", ce_id=b"1"), "invalid"),
        (record(b"\xff", ce_type=b"fareline.call.ended.v1", ce_id=b"1"), "invalid"),
    ],
)
def test_what_is_no_event(given: InRecord, reason: str) -> None:
    with pytest.raises(Undecodable) as caught:
        decode(given)
    assert caught.value.reason == reason
