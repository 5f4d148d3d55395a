"""Page cursors: they come back, and nothing else is taken for one."""

import base64
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_ingest.domain.search import BadQuestion, Cursor
from recording_ingest.inbound.cursors import Cursors
from recording_ingest.inbound.questions import CallQuestion, CallSearch, fingerprint

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
CURSOR = Cursor(NOW, "c-1", NOW.replace(hour=1), NOW.replace(hour=13))
CURSORS = Cursors([b"new", b"old"])
INSTANTS = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis wants it naive


@given(INSTANTS, st.text(st.characters(exclude_categories=["Cs"]), max_size=50), st.binary(max_size=50))
def test_a_cursor_comes_back_to_its_question(instant: datetime, call_id: str, question: bytes) -> None:
    cursor = Cursor(instant, call_id, NOW, NOW)
    assert CURSORS.decode(CURSORS.encode(cursor, question), question) == cursor


@given(st.integers(min_value=0), st.integers(1, 255))
def test_no_byte_of_a_cursor_can_be_changed(place: int, mask: int) -> None:
    word = CURSORS.encode(CURSOR, b"q")
    raw = bytearray(base64.urlsafe_b64decode(word + "=" * (-len(word) % 4)))
    raw[place % len(raw)] ^= mask
    with pytest.raises(BadQuestion):
        CURSORS.decode(base64.urlsafe_b64encode(raw).decode().rstrip("="), b"q")


@given(st.text(max_size=80))
def test_any_other_word_is_refused(word: str) -> None:
    with pytest.raises(BadQuestion):
        CURSORS.decode(word, b"q")


def test_a_cursor_of_another_question_or_key_is_refused() -> None:
    word = CURSORS.encode(CURSOR, b"q")
    with pytest.raises(BadQuestion):
        CURSORS.decode(word, b"another")
    with pytest.raises(BadQuestion):
        Cursors([b"other"]).decode(word, b"q")


def test_a_cursor_outlives_a_change_of_keys() -> None:
    before = Cursors([b"old"]).encode(CURSOR, b"q")
    assert CURSORS.decode(before, b"q") == CURSOR


def test_a_question_is_the_same_on_every_page_and_with_any_page_size() -> None:
    first = CallQuestion(tenant="demo", limit=50)
    assert fingerprint(first) == fingerprint(CallQuestion(tenant="demo", limit=10, cursor="w"))
    assert fingerprint(first) != fingerprint(CallQuestion(tenant="solo", limit=50))
    assert fingerprint(CallSearch(caller="+79031112233")) != fingerprint(CallSearch(caller="+79031112234"))
