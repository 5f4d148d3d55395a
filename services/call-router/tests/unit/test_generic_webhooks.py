import json
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pbx_messages import GENERIC, GENERIC_SECRET, NOW, adapter_of, generic_headers, generic_message, generic_request

from call_router.domain.actions import Ask, Dial, Fallback, Hangup, Play, Reject
from call_router.domain.calls import Question
from call_router.domain.decisions import Decision, Reason
from call_router.domain.reports import Ended, Progress, RecordingReady
from call_router.pbx.generic import GenericAdapter
from call_router.ports import Ignored, PbxRequest, RequestUnreadable, SignatureRefused
from fareline_contracts import pbx_generic as contract

OFFICIAL = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
OFFICIAL_BODY = b'{"test": 2432232314}'


@pytest.fixture
def adapter() -> GenericAdapter:
    return adapter_of(GENERIC)


def at_vector(seconds: int = 0):
    return NOW.fromtimestamp(1614265330 + seconds, tz=NOW.tzinfo)


def test_official_vector_is_accepted(adapter):
    request = PbxRequest("POST", "", b"", OFFICIAL, OFFICIAL_BODY, at_vector())
    with pytest.raises(RequestUnreadable):  # signed, but no message of ours
        adapter.parse(request)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="}, "wrong"),
        ({"webhook-signature": ""}, "missing"),
        ({"webhook-signature": "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="}, "wrong"),
        ({"webhook-signature": "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE= , é"}, "wrong"),
        ({"webhook-timestamp": "soon"}, "malformed"),
        ({"webhook-timestamp": "١٦١٤"}, "malformed"),
        ({"webhook-timestamp": "1614265331"}, "wrong"),
        ({"webhook-id": ""}, "missing"),
    ],
)
def test_other_signatures_are_refused(adapter, headers, why):
    with pytest.raises(SignatureRefused) as refused:
        adapter.parse(PbxRequest("POST", "", b"", OFFICIAL | headers, OFFICIAL_BODY, at_vector()))
    assert refused.value.reason == why


@pytest.mark.parametrize("seconds", [-301, 301])
def test_old_and_future_messages_are_refused(adapter, seconds):
    with pytest.raises(SignatureRefused) as refused:
        adapter.parse(PbxRequest("POST", "", b"", OFFICIAL, OFFICIAL_BODY, at_vector(seconds)))
    assert refused.value.reason == "outdated"


def test_one_good_signature_among_several_is_enough(adapter):
    headers = OFFICIAL | {"webhook-signature": "v1a,AAAA nonsense v1,AAAA " + OFFICIAL["webhook-signature"]}
    with pytest.raises(RequestUnreadable):
        adapter.parse(PbxRequest("POST", "", b"", headers, OFFICIAL_BODY, at_vector(299)))


def test_questions(adapter):
    started = adapter.parse(generic_request(generic_message("call.started")))
    assert isinstance(started, Question)
    assert (started.kind, started.caller, started.number) == ("call.started", "+79031112233", "+74950000101")
    digits = adapter.parse(generic_request(generic_message("call.digits", digits="12", context="x", complete="length")))
    assert (digits.kind, digits.digits, digits.context) == ("call.digits", "12", "x")
    dialed = adapter.parse(generic_request(generic_message("call.dialed", result="busy", ring_s=3.5, context="y")))
    assert (dialed.kind, dialed.result, dialed.ring, dialed.context) == (
        "call.dialed",
        "busy",
        timedelta(seconds=3.5),
        "y",
    )


def test_reports(adapter):
    progress = adapter.parse(generic_request(generic_message("call.progress", state="bridged", leg="b")))
    assert progress == Progress("c-1", NOW, "bridged", "b")
    times = {"bridged_at": "2026-11-24T10:00:09Z", "ended_at": "2026-11-24T10:01:00Z"}
    ended = adapter.parse(
        generic_request(generic_message("call.ended", disposition="answered", hangup_by="caller", **times))
    )
    assert isinstance(ended, Ended)
    assert (ended.disposition, ended.hangup_by, ended.duration) == ("answered", "caller", timedelta(seconds=51))
    ready = adapter.parse(
        generic_request(generic_message("recording.ready", recording_id="r-1", part=2, channels=2, url="https://pbx/r"))
    )
    assert ready == RecordingReady("c-1", NOW, "r-1", 2, 2, "https://pbx/r")


def test_unknown_events_are_nothing_to_us(adapter):
    assert adapter.parse(generic_request(generic_message("call.teleported"))) == Ignored("call.teleported")


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b'"call.started"', b"\xff\xfe", b'{"event":"call.started"}', b'{"event":5}',
        generic_message("call.started", at="yesterday"), generic_message("call.started", v=2),
        generic_message("call.dialed", result="eaten"), generic_message("call.started", call_id=""),
        b"[" * 100_000, generic_message("call.started", to="x" * 65),
    ],
)  # fmt: skip
def test_what_is_no_message_is_refused_without_repeating_it(adapter, body):
    with pytest.raises(RequestUnreadable) as refused:
        adapter.parse(generic_request(body))
    assert len(str(refused.value)) < 200
    assert "yesterday" not in str(refused.value)


EVENT = "event: should be one of call.started, call.digits, call.dialed, call.progress, call.ended, recording.ready"
RESULTS = "result: Input should be 'busy', 'no_answer', 'rejected', 'unreachable', 'failed' or 'cancelled'"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"{}", EVENT),
        (b'{"event": 79031112233}', EVENT),
        (b'{"event": null}', EVENT),
        (b"[]", "body: Input should be an object"),
        (b'{"event":', "body: Invalid JSON: EOF while parsing a value at line 1 column 9"),
        (b'{"event": "call.started"}', "call_id: Field required; at: Field required"),
        (generic_message("call.started", at="x"), "at: Input should be a valid datetime or date, input is too short"),
        (generic_message("call.started", at="2026-11-24T10:00:00"), "at: Input should have timezone info"),
        (generic_message("call.dialed", result="+79031112233"), RESULTS),
        (generic_message("call.started", **{"from": "+79031112233" * 6}), "from: String should have at most 64 characters"),
        (generic_message("call.started", call_id="\x00"), "call_id: must not contain U+0000"),
    ],
)  # fmt: skip
def test_a_refusal_names_the_field_in_words_and_repeats_no_value(adapter, body, told):
    with pytest.raises(RequestUnreadable) as refused:
        adapter.parse(generic_request(body))
    assert str(refused.value) == told


ACTIONS = [
    Dial(("+79261234567",), "+74950000101", 30, 1200, "dual", None, "recording", "1.1.0.pair.d", "+74950000001", "201"),
    Ask("extension", 6, 7, "1.0.0.ambiguous.-", "operator"),
    Fallback("operator", "o-1001 client / white Camry 123"),
    Reject(),
    Hangup(),
]


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: type(action).__name__)
def test_answers_are_those_of_the_contract(adapter, action):
    question = adapter.parse(generic_request(generic_message("call.started")))
    decision = Decision(Reason.PAIR, (Play("client_unavailable"), action), rules=())
    assert adapter.fit(question, decision) is decision
    response = adapter.render(question, decision)
    answer = contract.Answer.model_validate_json(response.body)
    assert (answer.call_id, answer.reason, answer.actions[0].do) == ("c-1", "pair", "play")
    assert json.loads(answer.to_json()) == json.loads(response.body)
    assert contract.Accepted.model_validate_json(adapter.accepted().body)


def test_secret_without_padding_or_prefix_is_taken():
    entry = GENERIC.model_copy(update={"secrets": (type(GENERIC.secrets[0])(GENERIC_SECRET.rstrip("=")),)})
    body = generic_message("call.started")
    assert isinstance(adapter_of(entry).parse(PbxRequest("POST", "", b"", generic_headers(body), body, NOW)), Question)


@given(st.binary(max_size=200))
def test_any_signed_body_is_read_or_refused(body):
    try:
        adapter_of(GENERIC).parse(generic_request(body))
    except RequestUnreadable:
        pass
