"""The quick reading of call events is the contract's: the same fields, the same documents, and nothing else accepted."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from fareline_contracts import calls, pbx_generic
from fareline_contracts.topics import CALLS
from recording_ingest.inbound import call_records
from recording_ingest.inbound.call_records import RECORDS, document_of
from recording_ingest.inbound.kafka import Undecodable, document_by_contract

HEAD = {
    "call_id": "c-1", "account": "demo", "pbx_call_id": "in_1", "tenant": "demo", "at": "2026-11-24T10:00:00Z",
    "received_at": "2026-11-24T10:00:00.020000+00:00",
}  # fmt: skip
ACTIONS: list[dict[str, Any]] = [
    {"do": "play", "prompt": "wait"},
    {"do": "ask", "prompt": "code", "digits": 4, "timeout_s": 10, "context": "x"},
    {"do": "dial", "targets": ["+79031112233"], "caller_id": "+74950000101", "ring_timeout_s": 30, "max_duration_s": 9,
     "record": "dual", "announce": {"caller": "a", "callee": None}},
    {"do": "fallback", "target": "100", "display": "d-5"},
    {"do": "reject", "cause": "busy"},
    {"do": "hangup"},
]  # fmt: skip
DECISION = {
    "decision_id": "1", "reason": "pair", "source": "replica", "data_age_s": 0.5, "took_ms": 1, "actions": ACTIONS,
    "order_id": "o-1", "also_order_ids": ["o-2"], "revision": 1764000000123456, "order_version": 3,
    "order_status": "accepted", "status_changed_at": "2026-11-24T09:59:00Z", "direction": "driver_to_client",
    "driver_id": "d-5", "client_id": "c-7", "recorded": True, "wrong_code": False, "caller_known": True,
    "rules": [{"rule": "pair", "outcome": "decides", "why": "an order of both"}],
}  # fmt: skip
WHOLE: dict[str, dict[str, Any]] = {
    calls.CALL_ROUTED_TYPE: {
        **HEAD, "step": 1, "question": "call.started", "caller": "+79031112233", "number": "+74950000101",
        "dial_result": "busy", "decision": DECISION,
    },
    calls.CALL_PROGRESS_TYPE: {**HEAD, "state": "ringing", "leg": "201"},
    calls.CALL_ENDED_TYPE: {
        **HEAD, "disposition": "answered", "cause": 16, "hangup_by": "caller", "started_at": "2026-11-24T10:00:00Z",
        "ringing_at": "2026-11-24T10:00:01.5Z", "answered_at": "2026-11-24T10:00:02Z",
        "bridged_at": "2026-11-24T10:00:03Z", "ended_at": "2026-11-24T10:01:00Z", "duration_s": 60, "announced": True,
        "recorded": True, "line": "203", "raw_disposition": "answered",
    },
    calls.RECORDING_READY_TYPE: {**HEAD, "recording_id": "r-1", "part": 2, "channels": 1, "url": "https://pbx/r-1"},
}  # fmt: skip
TIMES = (
    "2026-11-24T10:00:00.1234567Z", "2026-11-24T10:00:00.999999500Z", "2026-11-24T10:00:00", "2026-11-24",
    "2026-11-24T13:00:00+03:00", "2026-11-24t10:00:00z", "2026-11-24 10:00:00Z", "2026-11-24T10:00Z", "1764000000",
    "1999-12-31T23:59:59Z", "2100-01-01T00:00:00Z", "2099-12-31T23:59:59.999999Z", "2026-11-24T23:59:60Z",
    "2026-11-24T24:00:00Z", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "2026-11-24T10:00:00-00:00",
)  # fmt: skip
ODD: list[Any] = [
    None, True, False, 0, 1, 100, 101, -1, 2**53, 2**63, 2**64, 10**30, 5.0, 0.1, 1e22, 1e300, float("inf"), "", "5", "1.5",
    "true", "other", "OTHER", "answered", "dial", "\x00", "a\x00b", "\ufeff", "é" * 256, "x" * 256, "x" * 257, "x" * 4096,
    "x" * 4097, "+79031112233", "+79031112233\n", "+0123456", [], {}, [None], ["a"], ["a", "b"], ["a", "b", "c"],
    {"do": "dial"}, {"do": "sing"}, [{"do": "hangup"}], *TIMES,
]  # fmt: skip


def places(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    items = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for name, value in items:
        yield (*path, name)
        yield from places(value, (*path, name))


def replaced(document: Any, path: tuple[Any, ...], value: object) -> Any:
    if not path:
        return value
    copy = document.copy()
    copy[path[0]] = replaced(document[path[0]], path[1:], value)
    return copy


@st.composite
def spoilt(draw: st.DrawFn) -> tuple[str, bytes]:
    """Return a record with up to three fields that were left out, added, or given another value."""
    odd = st.one_of(st.sampled_from(ODD), st.text(max_size=8), st.floats(), st.integers())
    ce_type = draw(st.sampled_from(sorted(WHOLE)))
    document = deepcopy(WHOLE[ce_type])
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from(sorted(places(document), key=repr)))
        held = document
        for part in path[:-1]:
            held = held[part]
        deed = draw(st.sampled_from(["drop", "set", "set", "set", "add"]))
        if deed == "drop":
            del held[path[-1]]
        elif deed == "set":
            held[path[-1]] = deepcopy(draw(odd))
        elif isinstance(held, dict):
            held[draw(st.sampled_from(["colour", "do", "tenant", "at"]))] = deepcopy(draw(odd))
    return ce_type, json.dumps(document, ensure_ascii=draw(st.booleans())).encode("utf-8", "surrogatepass")


@given(spoilt())
def test_what_is_read_quickly_is_what_the_contract_reads(record: tuple[str, bytes]) -> None:
    quick = document_of(*record)
    assert quick is None or quick == document_by_contract(*record)


@pytest.mark.parametrize("ce_type", sorted(WHOLE))
def test_no_odd_value_anywhere_is_read_quickly_in_another_way(ce_type: str) -> None:
    for path in places(WHOLE[ce_type]):
        for value in ODD:
            record = ce_type, json.dumps(replaced(WHOLE[ce_type], path, value)).encode()
            quick = document_of(*record)
            assert quick is None or quick == document_by_contract(*record), (path, value)


RAW = (
    b'{"do":"hangup","do":"play","prompt":"a"}', b'{"do":"hangup","colour":"\xff"}', b'{"do":"play","prompt":"\xff"}',
    b'{"do":"play","prompt":"\\ud800"}', b'{"do":"ask","prompt":"a","digits":1e1,"timeout_s":5.0}',
    b'{"do":"ask","prompt":"a","digits":NaN,"timeout_s":5}', b'{"do":"ask","prompt":"a","digits":1.5,"timeout_s":5}',
    b'{"prompt":"a","do":"play"}', b'{"do":"play","prompt":"a","prompt":"b"}', b'{"do":"play","prompt":"a\\u0000"}',
    b'{"do":"hangup"} ', b'{"do":"hangup",}', b'{"do":"ask","prompt":"a","digits":-0,"timeout_s":1E400}',
)  # fmt: skip


@pytest.mark.parametrize("action", RAW)
def test_json_that_no_library_of_ours_writes(action: bytes) -> None:
    whole = json.dumps(WHOLE[calls.CALL_ROUTED_TYPE] | {"decision": {**DECISION, "actions": ["here"]}}).encode()
    record = calls.CALL_ROUTED_TYPE, whole.replace(b'"here"', action)
    quick = document_of(*record)
    assert quick is None or quick == document_by_contract(*record)


@pytest.mark.parametrize("field", ["took_ms", "data_age_s"])
@pytest.mark.parametrize(
    "number", ["1e400", "-0.0", "1e-400", "NaN", "0.1000000000000000055511151231257827", "1" * 400]
)
def test_numbers_at_the_edge(field: str, number: str) -> None:
    whole = json.dumps(WHOLE[calls.CALL_ROUTED_TYPE] | {"decision": {**DECISION, field: "here"}})
    record = calls.CALL_ROUTED_TYPE, whole.replace('"here"', number).encode()
    quick = document_of(*record)
    assert quick is None or quick == document_by_contract(*record)


@pytest.mark.parametrize("ce_type", sorted(CALLS.records))
def test_what_is_in_order_is_read_quickly(ce_type: str, repository_root: Path) -> None:
    examples = [path.read_bytes() for path in (repository_root / "libs/contracts/examples" / ce_type).glob("*.json")]
    for value in (*examples, json.dumps(WHOLE[ce_type]).encode()):
        written = CALLS.records[ce_type].model_validate_json(value).to_json()
        assert document_of(ce_type, written) == document_by_contract(ce_type, value)


def test_the_whole_documents_leave_no_field_out() -> None:
    assert set(WHOLE) == set(CALLS.records)
    for ce_type, document in WHOLE.items():
        assert set(document) == set(CALLS.records[ce_type].model_fields)
    assert set(DECISION) == set(calls.DecisionRecord.model_fields)


def models(ce_type: str) -> Iterator[tuple[type[msgspec.Struct], type[BaseModel]]]:
    yield RECORDS[ce_type], CALLS.records[ce_type]
    if ce_type == calls.CALL_ROUTED_TYPE:
        for name in ("DecisionRecord", "RuleOutcome"):
            yield getattr(call_records, name), getattr(calls, name)
        for name in ("Play", "Dial", "Ask", "Fallback", "Reject", "Hangup", "CallAnnounce"):
            yield getattr(call_records, name), getattr(pbx_generic, name)


@pytest.mark.parametrize("ce_type", sorted(CALLS.records))
def test_every_structure_has_the_fields_of_its_model(ce_type: str) -> None:
    for structure, model in models(ce_type):
        needed = {name for name, field in model.model_fields.items() if field.is_required()}
        fields = msgspec.structs.fields(structure)
        assert {field.name for field in fields} == set(model.model_fields) - {"do"}, structure
        assert {field.name for field in fields if field.required} == needed, structure


def test_a_field_that_is_new_is_left_to_the_contract() -> None:
    value = json.dumps({**WHOLE[calls.CALL_PROGRESS_TYPE], "colour": "red"}).encode()
    assert document_of(calls.CALL_PROGRESS_TYPE, value) is None
    assert "colour" not in document_by_contract(calls.CALL_PROGRESS_TYPE, value)


def test_what_is_refused_names_its_field() -> None:
    value = json.dumps({**WHOLE[calls.CALL_ROUTED_TYPE], "decision": {**DECISION, "rules": [{"rule": 1}]}}).encode()
    assert document_of(calls.CALL_ROUTED_TYPE, value) is None
    with pytest.raises(Undecodable, match=r"^decision/rules/0/rule: "):
        document_by_contract(calls.CALL_ROUTED_TYPE, value)
