"""Any request at all, through the door of both adapters: never a 500, never an event that its readers cannot read.

A few hundred in an ordinary run; `make fuzz` goes on for FARELINE_FUZZ_S seconds each.
"""

import json
import os
import time
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pbx_messages import generic_headers, generic_message, zadarma_fields, zadarma_signature
from webhook_door import Door

SECONDS = float(os.environ.get("FARELINE_FUZZ_S", "0"))
CLEAR = frozenset({200, 400, 401, 404, 405, 413})
EVENTS = [
    "NOTIFY_START",
    "NOTIFY_INTERNAL",
    "NOTIFY_ANSWER",
    "NOTIFY_END",
    "NOTIFY_OUT_START",
    "NOTIFY_OUT_END",
    "NOTIFY_RECORD",
    "NOTIFY_IVR",
    "SMS",
    "SPEECH_RECOGNITION",
    "NOTIFY_INTERNAL_END",
    "zd_echo",
]
NAMES = [
    "event",
    "call_start",
    "pbx_call_id",
    "caller_id",
    "called_did",
    "internal",
    "destination",
    "duration",
    "disposition",
    "status_code",
    "is_recorded",
    "call_id_with_rec",
    "result",
    "zd_echo",
    "wait_dtmf",
    "wait_dtmf[digits]",
    "wait_dtmf[name]",
    "wait_dtmf[default_behaviour]",
]
letters = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
values = st.one_of(
    letters,
    st.sampled_from(("", "0", "1", "482913", "118204", "112", "answered", "line limit", "+79031112233", "74950000101")),
    st.sampled_from(("1.0.0.ambiguous.-", "1.1.0.pair.d", "9.9.9.x.c", "99.2.3.loop.d", "2026-11-24 10:00:00")),
    st.integers(-(10**12), 10**12).map(str),
)
keys = st.one_of(st.sampled_from(NAMES), letters)
DOOR = Door()
kept = settings(
    deadline=None,
    max_examples=500 if SECONDS else 250,
    suppress_health_check=list(HealthCheck),
    derandomize=not SECONDS,
    database=None,
)


def repeatedly(test):
    """Run a test of made-up requests once, or again and again while there is time."""

    def run():
        until = time.monotonic() + SECONDS
        test()
        while time.monotonic() < until:
            test()

    return run


def send(path, body, headers, **more):
    safe = {name: value for name, value in headers.items() if name.isascii() and all(ord(c) < 256 for c in value)}
    status, answer = DOOR.send(path, body, safe, **more)
    assert status in CLEAR or (status == 0 and more.get("parts") == 0), status
    assert DOOR.desk.troubles == [], DOOR.desk.troubles
    DOOR.journal.events.clear()
    return status, answer


@st.composite
def forms(draw):
    event = draw(st.sampled_from(EVENTS))
    fields = zadarma_fields(event, wait_dtmf__digits="482913", wait_dtmf__name="1.0.0.ambiguous.-")
    fields["pbx_call_id"] = draw(st.one_of(st.just("in_1"), letters))
    fields |= draw(st.dictionaries(keys, values, max_size=5))
    for name in draw(st.lists(st.sampled_from(NAMES), max_size=2)):
        fields.pop(name, None)
    return fields


@st.composite
def messages(draw):
    kinds = ("call.started", "call.digits", "call.dialed", "call.progress", "call.ended", "recording.ready", "x")
    names = [
        "v",
        "event",
        "call_id",
        "from",
        "to",
        "at",
        "digits",
        "context",
        "complete",
        "target_index",
        "result",
        "cause",
        "ring_s",
        "state",
        "leg",
        "disposition",
        "hangup_by",
        "started_at",
        "ringing_at",
        "answered_at",
        "bridged_at",
        "ended_at",
        "announced",
        "recorded",
        "recording_id",
        "part",
        "url",
    ]
    some = st.one_of(values, st.none(), st.booleans(), st.integers(), st.floats(), st.lists(st.integers(), max_size=3))
    usual = {
        "digits": "482913",
        "context": "1.1.0.pair.d",
        "result": "no_answer",
        "state": "bridged",
        "disposition": "answered",
        "recording_id": "r-1",
    }
    message = json.loads(generic_message(draw(st.sampled_from(kinds)), **usual))
    message |= draw(st.dictionaries(st.one_of(st.sampled_from(names), letters), some, max_size=4))
    for name in draw(st.lists(st.sampled_from(names), max_size=2)):
        message.pop(name, None)
    return message


@repeatedly
@kept
@given(forms(), st.booleans(), st.booleans(), st.integers(0, 5))
def zadarma_forms(fields, signed, multipart, parts):
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "signature": zadarma_signature(fields) if signed else "A",
    }
    body = urlencode(fields).encode()
    if multipart:
        headers["content-type"] = "multipart/form-data; boundary=x"
        body = b"".join(
            f'--x\r\ncontent-disposition: form-data; name="{k}"\r\n\r\n{v}\r\n'.encode() for k, v in fields.items()
        )
    status, answer = send("/pbx/zadarma/demo-zadarma", body, headers, parts=parts)
    if status == 200 and answer.startswith(b"{"):
        told = json.loads(answer)
        assert told.get("rewrite_forward_number") in (None, "79031112233", "79261234567"), "a stranger's phone"


@repeatedly
@kept
@given(messages(), st.booleans(), st.integers(0, 5))
def generic_messages(message, signed, parts):
    body = json.dumps(message).encode()
    headers = generic_headers(body) if signed else generic_headers(body + b" ")
    status, answer = send("/pbx/generic/demo-generic", body, headers, parts=parts)
    assert signed or status in (0, 401)
    if status == 200:
        actions = json.loads(answer).get("actions", [])
        dialled = {phone for action in actions for phone in action.get("targets", ())}
        assert dialled <= {"+79031112233", "+79261234567"}, "a stranger's phone"


@repeatedly
@kept
@given(
    st.sampled_from(("/pbx/zadarma/demo-zadarma", "/pbx/generic/demo-generic", "/pbx/x", "/pbx/generic/é")),
    st.binary(max_size=300),
    st.dictionaries(
        st.sampled_from(("content-type", "signature", "webhook-id", "webhook-timestamp", "webhook-signature")), values
    ),
    st.binary(max_size=60),
    st.sampled_from(("GET", "POST", "PUT")),
)
def any_bytes(path, body, headers, query, method):
    send(path, body, headers, query=query, method=method)


@repeatedly
@kept
@given(st.binary(max_size=300))
def signed_bytes(body):
    send("/pbx/generic/demo-generic", body, generic_headers(body))


@pytest.mark.timeout(300 + SECONDS * 2)
@pytest.mark.parametrize(
    "fuzz",
    [
        pytest.param(zadarma_forms, id="zadarma_forms"),
        pytest.param(generic_messages, id="generic_messages"),
        pytest.param(any_bytes, id="any_bytes"),
        pytest.param(signed_bytes, id="signed_bytes"),
    ],
)
def test_fuzz(fuzz):
    fuzz()
