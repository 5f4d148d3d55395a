"""Binary mode, structured mode and bare documents; headers that are not ours cost nothing."""

import json
from datetime import UTC, datetime

import pytest

from fareline_contracts.cloudevents import EventHead, NotAnEvent, data_of, event_type, readable_headers, to_headers

HEAD = EventHead(
    "e-1", "order-binder", "fareline.binding.v1", datetime(2026, 11, 24, 10, tzinfo=UTC), "demo/o-1", "00-ab-cd-01"
)


def test_binary_headers_round_trip():
    headers = readable_headers(to_headers(HEAD))
    assert event_type(headers) == "fareline.binding.v1"
    assert headers["ce_time"] == "2026-11-24T10:00:00Z"
    assert headers["traceparent"] == "00-ab-cd-01"


def test_a_foreign_header_is_left_out_and_the_first_of_a_name_wins():
    found = readable_headers([("x", b"\xff\xfe"), ("y", None), ("Ce_Type", b"a"), ("ce_type", b"b")])
    assert found == {"ce_type": "a"}


def test_a_bare_document_is_its_own_data():
    assert data_of(b'{"tenant":"demo"}', {}) == (b'{"tenant":"demo"}', None)
    assert data_of(b"\xff", {"traceparent": "t"}) == (b"\xff", "t")


@pytest.mark.parametrize("headers", [{}, {"content-type": "application/cloudevents+json; charset=utf-8"}])
def test_a_structured_event_is_unwrapped(headers):
    value = json.dumps({"specversion": "1.0", "id": "1", "data": {"a": 1}, "traceparent": "t"}).encode()
    data, trace = data_of(value, headers)
    assert json.loads(data) == {"a": 1}
    assert trace == "t"


def test_a_snapshot_that_only_mentions_the_word_is_bare():
    value = b'{"note":{"specversion":"1.0"}}'
    assert data_of(value, {}) == (value, None)


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (b'{"specversion":"1.0"}', {}),
        (b'{"specversion":"1.0","data":"text"}', {}),
        (b"[]", {"content-type": "application/cloudevents+json"}),
        (b'{"specversion"', {}),
    ],
)
def test_a_broken_envelope_is_refused(value, headers):
    with pytest.raises(NotAnEvent):
        data_of(value, headers)
