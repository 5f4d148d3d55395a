"""What nobody should send, and somebody will: a clear answer each time, never a 500, never a guess."""

import base64
import hashlib
import hmac
import json
from datetime import timedelta

import pytest
from pbx_messages import GENERIC_SECRET, NOW, generic_headers, zadarma_fields, zadarma_signature
from webhook_door import Door

START = {"v": 1, "event": "call.started", "call_id": "c-1", "from": "+79031112233", "to": "+74950000101"}
START["at"] = "2026-11-24T10:00:00Z"
DEEP = "[" * 60_000


@pytest.fixture
def door():
    door = Door()
    yield door
    assert door.desk.troubles == []


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 401),
        (b"x" * 65_536, 401),
        (b"x" * 65_537, 413),
        (b"\xff\xfe\x00", 400),
        (b"event=NOTIFY_START&event=NOTIFY_END", 401),
        (b"&&&===&;", 401),
        (b"&".join([b"f=1"] * 10_000), 400),
        (b"event=%00%ff%fe", 401),
    ],
)
def test_zadarma_bodies(door, body, status):
    assert door.zadarma({}, signature="AAAA", body=body)[0] == status


@pytest.mark.parametrize("missing", ["event", "call_start", "pbx_call_id", "caller_id", "called_did"])
def test_zadarma_without_a_field(door, missing):
    fields = zadarma_fields("NOTIFY_START")
    del fields[missing]
    status, body = door.zadarma(fields)
    assert status == 200
    assert json.loads(body) is not None


def test_the_first_of_a_repeated_field_counts(door):
    fields = list(zadarma_fields("NOTIFY_START").items())
    status, body = door.zadarma([*fields, ("caller_id", "79990000000")], signature=zadarma_signature(dict(fields)))
    assert (status, json.loads(body)["rewrite_forward_number"]) == (200, "79261234567")


@pytest.mark.parametrize(
    ("boundary", "declared", "status"),
    [
        ("--x", "x", 200),
        ("--x", "--x", 200),
        ("--x", "", 200),
        ("----=_Part;1", "y", 200),
        ("x", "x", 400),
    ],
)
def test_zadarma_multipart(door, boundary, declared, status):
    fields = zadarma_fields("NOTIFY_START")
    parts = "".join(
        f'{boundary}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items()
    )
    header = f"multipart/form-data; boundary={declared}"
    body = f"{parts}{boundary}--\r\n".encode()
    assert door.zadarma(fields, body=body, **{"content-type": header})[0] == status


@pytest.mark.parametrize("value", ["", "A", "A" * 55, "A" * 57, "A" * 10_000, "ÿ" * 56, "=" * 56])
def test_signatures_of_any_length_and_letters(door, value):
    assert door.zadarma(zadarma_fields("NOTIFY_START"), signature=value or " ")[0] == 401
    status, _ = door.generic(START, **{"webhook-signature": f"v1,{value}"})
    assert status == 401


def test_a_header_without_a_comma_or_of_many_entries_is_refused(door):
    for given in ("v1", ",", "v1,", "v2,abc", "v1,a " * 500, "v1a,abc"):
        assert door.generic(START, **{"webhook-signature": given})[0] == 401


@pytest.mark.parametrize("seconds", [-(10**9), -301, 301, 10**9])
def test_messages_of_another_time_are_refused(door, seconds):
    body = json.dumps(START).encode()
    headers = generic_headers(body, at=NOW + timedelta(seconds=seconds), secret=GENERIC_SECRET)
    assert door.send("/pbx/generic/demo-generic", body, headers)[0] == 401


@pytest.mark.parametrize("stamp", ["", "now", "-1", "1e9", "9" * 5000, "0x10", "1 2"])
def test_timestamps_that_are_none_are_refused(door, stamp):
    assert door.generic(START, **{"webhook-timestamp": stamp})[0] == 401


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-13-01T00:00:00Z", "soon", 10**30])
def test_a_message_from_nowhere_in_time_is_refused(door, at):
    assert door.generic({**START, "at": at})[0] == 400


@pytest.mark.parametrize("start", ["1970-01-01 00:00:00", "9999-12-31 23:59:59", "2026-11-24", "", "x" * 1000])
def test_zadarmas_call_start_may_be_anything_it_is_only_not_believed(door, start):
    assert door.zadarma(zadarma_fields("NOTIFY_START", call_start=start))[0] == 200


def test_a_replay_gets_the_same_answer_and_no_second_event(door):
    answers = {door.zadarma(zadarma_fields("NOTIFY_START")) for _ in range(3)}
    answers |= {door.generic(START) for _ in range(3)}
    assert len(answers) == 2
    assert len(door.journal.events) == 2


@pytest.mark.parametrize("event", ["NOTIFY_NEW", "NOTIFY_INTERNAL_END", "X" * 5000, "\x00", "notify_start"])
def test_events_that_nobody_knows_are_200(door, event):
    assert door.zadarma(zadarma_fields(event))[0] == 200
    if event.isprintable():
        assert door.generic({**START, "event": event})[0] == 200


@pytest.mark.parametrize(
    "caller", ["\x07\x00\r\n", "+7903\n1112233", "\u202e79031112233", "\x1b[2J", "7" * 64, "' OR 1=1--", "{}"]
)
def test_callers_with_odd_letters_are_strangers(door, caller):
    """Zadarma would have been asked for the code; nobody's phone is rung for such a caller."""
    status, body = door.zadarma(zadarma_fields("NOTIFY_START", caller_id=caller))
    assert (status, "rewrite_forward_number" in json.loads(body)) == (200, False)
    status, body = door.generic({**START, "call_id": "odd", "from": caller.replace("\x00", "")})
    assert status == 200
    assert json.loads(body)["actions"][-1]["do"] == "ask"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"call.started"',
        b"\xff",
        b'{"event":',
        b'{"event":"call.started"}',
        b'{"event":1}',
        DEEP.encode(),
        b'{"event":"call.started","x":' + DEEP.encode(),
        b'{"event":"zzz","x":' + DEEP.encode() + b"]" * 60_000 + b"}",
        json.dumps({**START, "call_id": "\x00"}).encode(),
        json.dumps({**START, "call_id": ""}).encode(),
        json.dumps({**START, "from": "7" * 65}).encode(),
        b'{"v":1,"event":"call.started","call_id":"\\ud800","from":"","to":"","at":"2026-11-24T10:00:00Z"}',
        json.dumps({**START, "v": 2}).encode(),
    ],
)
def test_generic_bodies(door, body):
    status, told = door.generic(body[:65_536])
    assert status in (400, 200)
    assert b"Traceback" not in told
    assert b"79031112233" not in told


def test_wait_dtmf_that_is_neither_brackets_nor_json(door):
    for text in ("{", DEEP[:5000], "[1]", "null", '{"digits": {"a": []}}', '{"digits":' + DEEP[:5000]):
        assert door.zadarma(zadarma_fields("NOTIFY_IVR", wait_dtmf=text))[0] in (200, 400)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "OPTIONS", "HEAD", "X"])
def test_methods(door, method):
    status, _ = door.send("/pbx/generic/demo-generic", b"", {}, method=method)
    assert status == (401 if method == "GET" else 405)
    status, _ = door.send("/pbx/generic/nobody", b"", {}, method=method)
    assert status == 404


def test_whoever_hangs_up_within_the_body_is_not_answered(door):
    assert door.send("/pbx/zadarma/demo-zadarma", b"", {}, parts=0) == (0, b"")
    assert door.journal.events == []


def test_a_body_in_many_parts_is_one(door):
    body = json.dumps(START).encode()
    assert door.send("/pbx/generic/demo-generic", body, generic_headers(body), parts=len(body))[0] == 200


def test_a_signed_timestamp_of_any_length_is_refused(door):
    body = json.dumps(START).encode()
    for stamp in ("9" * 15, "9" * 5000):
        headers = signed_at(body, stamp)
        assert door.send("/pbx/generic/demo-generic", body, headers)[0] == 401


def signed_at(body, stamp):
    key = base64.b64decode(GENERIC_SECRET.removeprefix("whsec_"))
    value = base64.b64encode(hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{value}"}
