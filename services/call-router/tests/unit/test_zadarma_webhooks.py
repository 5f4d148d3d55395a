import json
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pbx_messages import NOW, ZADARMA, adapter_of, zadarma_fields, zadarma_request, zadarma_signature

from call_router.domain.actions import Ask, Dial, Fallback, Hangup, Play, Reject
from call_router.domain.calls import Question, QuestionKind
from call_router.domain.decisions import Decision, Reason
from call_router.domain.reports import Ended, Progress, RecordingReady
from call_router.domain.values import replace
from call_router.pbx.zadarma_form import read_form
from call_router.pbx.zadarma_signature import Signer, verify
from call_router.ports import Echo, Ignored, PbxRequest, Played, RequestUnreadable, Restarted, SignatureRefused

CALL_ID = "in_ae6b03b3b0765d127ec0b739209346bbc4f0d52d"
VECTORS = {
    "4420712345674420794600002024-05-01 12:00:00": "NDYxNDhlMTg0ZjY2MmExYWZhNzlhNDk2YzA5MmRhYjdiYjRjYTNhOQ==",
    "4420712345671002024-05-01 12:00:00": "MTY1NTUwMDA0ODkwNjgyYzMxZWM0NjA5MDkwNzg3NDUwMmUyMjQzZg==",
    "1004420712345672024-05-01 12:00:00": "MTMyNTE3NDRlMGJmOWQ1NTcyNDk5YTM2MGQzNGRjNzEzOGQ0MGZlZg==",
    f"{CALL_ID}1458313316.343456": "M2RkMzRlNzNkYmE0MGJkNjg1OTczZjQyM2ZlYjBkOWJjOTRlNDcwNQ==",
}


@pytest.fixture
def adapter():
    return adapter_of(ZADARMA)


def test_signature_vector_of_another_secret():
    text, expected = "/v1/info/balance/d41d8cd98f00b204e9800998ecf8427e", "MTM3ZmM2NGM0ZWE1ZjFmYzlkN2NlMzJi"
    signed = Signer("6f6ebd6dff4157498150").sign(text)
    assert signed == f"{expected}ZjgxNzQwNGFmYzhmZWIwNw==".encode()
    assert len(signed) == 56


def dial(**more) -> Dial:
    return Dial(**{"targets": ("+79261234567",), "caller_id": "+74950000101", "ring_timeout_s": 30,
                   "max_duration_s": 1200, "record": "dual", "else_caller_id": "+74950000001"} | more)  # fmt: skip


def decision(*actions) -> Decision:
    return Decision(Reason.PAIR, actions, rules=())


def rendered(adapter, *actions, call: str = "c-1") -> dict:
    question = Question(QuestionKind.STARTED, None, call, "", "", NOW)
    fitted = adapter.fit(question, decision(*actions))
    response = adapter.render(question, fitted)
    assert (response.status, response.content_type) == (200, "application/json")
    return json.loads(response.body)


@pytest.mark.parametrize(("text", "expected"), VECTORS.items())
def test_signature_vectors(text, expected):
    assert Signer("test_secret").sign(text) == expected.encode()


@pytest.mark.parametrize(
    "fields",
    [
        {"event": "NOTIFY_START", "caller_id": "442071234567", "called_did": "442079460000",
         "call_start": "2024-05-01 12:00:00"},
        {"event": "NOTIFY_ANSWER", "caller_id": "442071234567", "destination": "100",
         "call_start": "2024-05-01 12:00:00"},
        {"event": "NOTIFY_OUT_START", "internal": "100", "destination": "442071234567",
         "call_start": "2024-05-01 12:00:00"},
        {"event": "NOTIFY_RECORD", "pbx_call_id": CALL_ID, "call_id_with_rec": "1458313316.343456"},
    ],
)  # fmt: skip
def test_each_event_signs_its_own_fields(fields):
    expected = dict(
        zip(("NOTIFY_START", "NOTIFY_ANSWER", "NOTIFY_OUT_START", "NOTIFY_RECORD"), VECTORS.values(), strict=True)
    )
    verify(fields, expected[fields["event"]], [Signer("wrong"), Signer("test_secret")])


@pytest.mark.parametrize(
    ("given_signature", "why"),
    [
        (None, "missing"),
        (" ", "wrong"),
        ("x", "wrong"),
        ("RhSOGE9mKhr6eaSWwJLat7tMo6k=", "wrong"),
        ("é" * 56, "wrong"),
        ("A" * 10_000, "wrong"),
    ],
)
def test_other_signatures_are_refused(adapter, given_signature, why):
    with pytest.raises(SignatureRefused) as refused:
        adapter.parse(zadarma_request(zadarma_fields("NOTIFY_START"), signature=given_signature))
    assert refused.value.reason == why


def test_both_secrets_of_an_account_are_good(adapter):
    fields = zadarma_fields("NOTIFY_START")
    assert isinstance(adapter.parse(zadarma_request(fields, signature=zadarma_signature(fields, "second"))), Restarted)


def test_values_are_signed_as_they_were_sent(adapter):
    fields = zadarma_fields("NOTIFY_START", caller_id="+380441234567")
    assert adapter.parse(zadarma_request(fields)).question.caller == "+380441234567"


def test_a_new_call(adapter):
    question = adapter.parse(zadarma_request(zadarma_fields("NOTIFY_START"))).question
    assert (question.kind, question.pbx_call_id) == ("call.started", CALL_ID)
    assert (question.caller, question.number, question.at) == ("79031112233", "74950000101", NOW)


def test_beginning_is_trusted_only_while_the_clocks_agree(adapter):
    def began(call_start: str, received_at: datetime):
        return adapter.parse(
            zadarma_request(zadarma_fields("NOTIFY_START", call_start=call_start), at=received_at)
        ).started_at

    assert began("2026-11-24 10:00:00", NOW + timedelta(seconds=40)) is None
    assert began("2026-11-24 10:00:00", NOW + timedelta(seconds=1)) == NOW + timedelta(seconds=1)
    assert began("2026-11-24 10:00:00", NOW + timedelta(seconds=40)) == NOW + timedelta(seconds=1)
    assert began("not a time", NOW) is None


@pytest.mark.parametrize("late", [-4.5, -1, 0, 3, 4.5])
def test_a_new_call_is_new_whatever_the_clocks_differ_by(adapter, late):
    """With the shortest ring time of 5 s, an offset must not make a call look like one that came back."""
    for seconds in (0, 60, 120):
        at = NOW + timedelta(seconds=seconds)
        fields = zadarma_fields("NOTIFY_START", call_start=at.strftime("%Y-%m-%d %H:%M:%S"))
        found = adapter.parse(zadarma_request(fields, at=at + timedelta(seconds=late)))
    assert found.clock_offset == timedelta(seconds=late)
    assert at + timedelta(seconds=late) - found.started_at == timedelta(0)


def test_calls_that_came_back_do_not_spoil_the_measure(adapter):
    for seconds in (0, 1, 30, 31, 32, 33):
        fields = zadarma_fields("NOTIFY_START")
        found = adapter.parse(zadarma_request(fields, at=NOW + timedelta(seconds=seconds)))
    assert found.clock_offset == timedelta(0)


def test_the_caller_is_told_before_he_is_redirected_where_the_pbx_has_the_prompt():
    account = ZADARMA.model_copy(update={"prompts": {"recording": "6" * 24}})
    adapter = adapter_of(account)
    question = Question(QuestionKind.STARTED, None, "c-1", "", "", NOW)
    fitted = adapter.fit(question, decision(dial(announce_caller="recording")))
    assert [type(action) for action in fitted.actions] == [Play, Dial]
    assert json.loads(adapter.render(question, fitted).body) == {"ivr_play": "6" * 24}
    played = adapter.parse(zadarma_request(zadarma_fields("NOTIFY_IVR")))
    assert isinstance(played, Played)
    rest = replace(fitted, actions=fitted.actions[-1:])
    assert json.loads(adapter.render(question, rest).body)["rewrite_forward_number"] == "79261234567"
    assert [type(action) for action in adapter.fit(question, decision(dial())).actions] == [Dial]


def test_a_clock_that_is_far_off_is_never_trusted(adapter):
    for _ in range(5):
        fields = zadarma_fields("NOTIFY_START", call_start="2026-11-24 13:00:00")
        assert adapter.parse(zadarma_request(fields)).started_at is None


@pytest.mark.parametrize(
    "typed",
    [
        {
            "wait_dtmf__name": "1.0.0.unknown_caller.-",
            "wait_dtmf__digits": "482913",
            "wait_dtmf__default_behaviour": "",
        },
        {"wait_dtmf": '{"name":"1.0.0.unknown_caller.-","digits":482913,"default_behaviour":false}'},
    ],
)
def test_digits_in_brackets_or_json(adapter, typed):
    question = adapter.parse(zadarma_request(zadarma_fields("NOTIFY_IVR", **typed)))
    assert (question.kind, question.digits, question.context) == ("call.digits", "482913", "1.0.0.unknown_caller.-")


@pytest.mark.parametrize("default", ["1", "true", "operator"])
def test_silence_is_an_empty_answer(adapter, default):
    fields = zadarma_fields(
        "NOTIFY_IVR", wait_dtmf__name="n", wait_dtmf__digits="", wait_dtmf__default_behaviour=default
    )
    assert adapter.parse(zadarma_request(fields)).digits == ""


def test_prompt_was_played(adapter):
    assert isinstance(adapter.parse(zadarma_request(zadarma_fields("NOTIFY_IVR"))), Played)


def test_reports(adapter):
    def report(event, **more):
        return adapter.parse(zadarma_request(zadarma_fields(event, **more)))

    assert report("NOTIFY_INTERNAL", internal="202") == Progress(CALL_ID, NOW, "ringing", "202")
    assert report("NOTIFY_ANSWER", destination="79261234567", internal="202") == Progress(
        CALL_ID, NOW, "bridged", "202"
    )
    assert report("NOTIFY_OUT_START", internal="100", destination="7926") == Progress(CALL_ID, NOW, "ringing", "100")
    assert report("NOTIFY_RECORD", call_id_with_rec="145.3") == RecordingReady(CALL_ID, NOW, "145.3")
    ended = report(
        "NOTIFY_END", internal="202", duration="51", disposition="answered", status_code="16", is_recorded="1"
    )
    assert (ended.disposition, ended.duration, ended.cause, ended.recorded, ended.line) == (
        "answered",
        timedelta(seconds=51),
        16,
        True,
        "202",
    )
    assert ended.started_at == datetime(2026, 11, 24, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "disposition", "recorded"),
    [
        ({"disposition": "answered", "duration": "51"}, "no_answer", True),
        ({"disposition": "answered", "duration": "0", "internal": "202"}, "no_answer", False),
        ({"disposition": "cancel", "duration": "0", "is_recorded": "1"}, "cancelled", False),
        ({"disposition": "No Answer", "duration": ""}, "no_answer", False),
        ({"disposition": "line limit", "duration": "-1"}, "failed", False),
        ({"disposition": "enchanted", "duration": "9" * 30}, "other", False),
        ({}, "other", False),
    ],
)
def test_an_end_proves_a_talk_only_by_talk_time_on_an_extension(adapter, fields, disposition, recorded):
    ended = adapter.parse(zadarma_request(zadarma_fields("NOTIFY_END", **{"is_recorded": "1"} | fields)))
    assert isinstance(ended, Ended)
    assert (ended.disposition, ended.recorded) == (disposition, recorded)


def test_unknown_events_are_nothing_to_us_once_they_are_signed(adapter):
    fields = {"event": "SPEECH_RECOGNITION\r\n+79031112233", "result": "{}"}
    text = zadarma_signature({"caller_id": "{}"})
    assert adapter.parse(zadarma_request(fields, signature=text)) == Ignored("SPEECH_RECOGNITION79031112233")
    with pytest.raises(SignatureRefused):
        adapter.parse(zadarma_request(fields, signature="nonsense"))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("where", ["query", "body"])
def test_echo(adapter, method, where):
    text = b"zd_echo=abc-123_Z"
    request = PbxRequest(method, "", text if where == "query" else b"", {}, text if where == "body" else b"", NOW)
    echo = adapter.parse(request)
    assert isinstance(echo, Echo)
    assert (echo.response.body, echo.response.content_type) == (b"abc-123_Z", "text/plain; charset=utf-8")


def test_echo_reflects_no_markup(adapter):
    with pytest.raises(RequestUnreadable):
        adapter.parse(PbxRequest("GET", "", b"zd_echo=%3Cscript%3E", {}, b"", NOW))


@pytest.mark.parametrize("declared", ["----x", "x", "somethingelse"])
def test_multipart_whatever_boundary_the_header_names(adapter, declared):
    fields = zadarma_fields("NOTIFY_START")
    parts = "".join(f'----x\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
    kind = {"content-type": f"multipart/form-data; boundary={declared}"}
    request = zadarma_request(fields, body=f"{parts}----x--\r\n".encode(), **kind)
    assert adapter.parse(request).question.number == "74950000101"


def test_dial_goes_over_a_line_with_caller_id_and_recording(adapter):
    answer = rendered(adapter, dial())
    assert answer.pop("redirect") in {"202", "222"}
    assert answer == {"return_timeout": 30, "rewrite_forward_number": "79261234567"}


def test_unrecorded_dial_never_takes_a_recording_line(adapter):
    assert rendered(adapter, dial(record="off"))["redirect"] == "302"


def test_main_number_stands_in_for_a_number_without_a_line(adapter):
    assert rendered(adapter, dial(caller_id="+74950000102"))["redirect"] == "201"
    assert rendered(adapter, dial(caller_id="+74950000102", record="off"))["redirect"] == "301"


def test_no_line_is_a_fallback_and_no_attempt(adapter):
    question = Question(QuestionKind.STARTED, None, "c-1", "", "", NOW)
    fitted = adapter.fit(question, decision(dial(caller_id="+74950000102", else_caller_id=None)))
    assert (fitted.reason, fitted.actions, fitted.attempt) == ("no_line", (Fallback("operator"),), None)


def test_calls_spread_over_lines_and_avoid_a_full_one(adapter):
    calls = [f"c-{number}" for number in range(40)]
    assert {rendered(adapter, dial(), call=call)["redirect"] for call in calls} == {"202", "222"}
    adapter.parse(zadarma_request(zadarma_fields("NOTIFY_END", internal="202", disposition="line limit")))
    assert {rendered(adapter, dial(), call=call)["redirect"] for call in calls} == {"222"}
    adapter.parse(zadarma_request(zadarma_fields("NOTIFY_START"), at=NOW + timedelta(seconds=61)))
    assert {rendered(adapter, dial(), call=call)["redirect"] for call in calls} == {"202", "222"}


def test_ask_counts_on_one_attempt_and_ends_at_people(adapter):
    ask = Ask(prompt="extension", digits=6, timeout_s=7, context="1.0.0.ambiguous.-", otherwise="operator")
    assert rendered(adapter, ask) == {
        "ivr_play": "687a8e13a7987a5ca70a4eb7",
        "wait_dtmf": {"timeout": 7, "attempts": 1, "maxdigits": 6, "name": "1.0.0.ambiguous.-", "default": "0-main"},
    }


@pytest.mark.parametrize(
    ("action", "answer"),
    [
        (
            Fallback("operator", "o-1 client / white Camry"),
            {"redirect": "0-main", "caller_name": "o-1 client / white Camry"},
        ),
        (Fallback("night"), {"redirect": "101", "return_timeout": 0}),
        (Reject(), {"redirect": "blacklist"}),
        (Hangup(), {"hangup": 1}),
    ],
)
def test_other_answers(adapter, action, answer):
    assert rendered(adapter, action) == answer


def test_prompt_comes_first_and_is_left_out_where_the_pbx_has_none(adapter):
    assert rendered(adapter, Play("client_unavailable"), Hangup()) == {"ivr_play": "aaaa8e13a7987a5ca70a4eb7"}
    assert rendered(adapter, Play("hang_up_and_dial_112"), Hangup()) == {"hangup": 1}


@given(
    st.binary(max_size=300),
    st.sampled_from(["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]),
)
def test_any_body_is_refused_or_read(body, kind):
    request = PbxRequest("POST", "", b"", {"content-type": kind, "signature": "x"}, body, NOW)
    with pytest.raises((SignatureRefused, RequestUnreadable)):
        adapter_of(ZADARMA).parse(request)


@given(st.dictionaries(st.sampled_from([*zadarma_fields("NOTIFY_END"), "duration", "wait_dtmf", "internal", "disposition",
                                        "status_code", "call_id_with_rec", "wait_dtmf[digits]"]), st.text(max_size=30)))  # fmt: skip
def test_any_signed_fields_are_understood_or_refused(fields):
    try:
        adapter_of(ZADARMA).parse(zadarma_request(fields))
    except (RequestUnreadable, SignatureRefused):
        pass


def test_too_many_fields_are_refused(adapter):
    body = "&".join(f"f{number}=1" for number in range(10_000)).encode()
    with pytest.raises(RequestUnreadable):
        adapter.parse(zadarma_request({}, body=body))


@given(st.text(alphabet="ab=&+%2B0é\x00;", max_size=60))
def test_a_form_is_read_as_the_standard_library_reads_it(body):
    expected = dict(reversed(parse_qsl(body, keep_blank_values=True)))
    assert read_form(PbxRequest("POST", "", b"", {}, body.encode(), NOW)) == expected
