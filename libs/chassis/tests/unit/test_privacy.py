import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fareline_chassis.privacy import mask_phone, redact_phones, redact_plus_phones


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+79031112233", "+7***2233"),
        ("79031112233", "7***2233"),
        ("8 (903) 111-22-33", "8***2233"),
        ("112", "***"),
        ("anonymous", "***"),
        ("", "***"),
    ],
)
def test_mask_hides_the_middle(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    "written",
    [
        "+79031112233",
        "79031112233",
        "89031112233",
        "9031112233",
        "0079031112233",
        "+7 903 111-22-33",
        "+7 (903) 111 22 33",
        "+7\u00a0903\u00a0111\u201122\u201133",
        "8(903)1112233",
        "8 (903) 111-22-33",
        "8-903-111-22-33",
        "+7.903.111.22.33",
        "903.111.22.33",
        "%2B79031112233",
        "%252B79031112233",
        "\\u002b79031112233",
    ],
)
@pytest.mark.parametrize(
    "around",
    [
        "{}",
        "from {} to the operator",
        "sip:{}@pbx.example",
        "from={}&to=x",
        '{{"caller_id":"{}"}}',
        "(number)=({}) already exists.",
        "rec_{}_x.wav",
        "order o-1001, {}, 2026-11-24T10:00:00Z",
        "b'a\\r\\n{}\\r\\n'",
        "sip%3A{}%40pbx",
        "{}.",
    ],
)
def test_no_spelling_of_a_phone_survives(written: str, around: str) -> None:
    redacted = redact_phones(around.format(written))
    assert "1112233" not in "".join(filter(str.isdigit, redacted))
    assert redacted.count("***2233") == 1


@pytest.mark.parametrize("phone", ["+3725123456", "+2901234", "901234567", "0171123456", "380501234567"])
def test_short_and_foreign_phones_are_masked_too(phone: str) -> None:
    assert "***" in redact_phones(f"caller {phone} unknown")


def test_several_phones_are_masked_each() -> None:
    text = "Key (number, phone)=(+74950000101, +79031112233) already exists."
    assert redact_phones(text) == "Key (number, phone)=(+7***0101, +7***2233) already exists."


def test_masking_twice_changes_nothing() -> None:
    once = redact_phones("call from +79031112233")
    assert redact_phones(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-24T10:00:00Z",
        "2026-11-24T10:00:00.123456+00:00",
        "2026-11-24 10:00:00+03:00",
        "2026-11-24",
        "20261124T100000Z",
        "20261124100000",
        "550e8400-e29b-41d4-a716-446655440000",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "12345678901234567890123456789012",
        "1764000000123456",
        "revision 1764000000123456 follows 1764000000123400",
        "192.168.100.200:43123",
        "http://127.0.0.1:54321/health/live",
        "took 12345.678901234 s",
        "1764000000.123",
        "o-1001",
        "taxi.orders.v1 partition 11 offset 1234567",
        "b8047f80318562089bde5284471258316e1ddd1c95",
        "CA1234567890abcdef1234567890abcdef",
        "line 12, in <module>",
        "+7***2233",
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert redact_phones(text) == text


def test_the_time_beside_a_phone_stays() -> None:
    assert redact_phones("2026-11-24 9031112233 20:00:01") == "2026-11-24 9***2233 20:00:01"


def test_an_identifier_loses_only_numbers_with_a_plus() -> None:
    assert redact_plus_phones("o-10012345678") == "o-10012345678"
    assert redact_plus_phones("o-+79031112233") == "o-+7***2233"


@given(
    before=st.text(alphabet=string.punctuation + " \n", max_size=8),
    phone=st.from_regex(r"\+[1-9][0-9]{9,13}", fullmatch=True),
    after=st.text(alphabet=string.ascii_letters + " ,;)]}'\"\n", max_size=8),
)
def test_a_number_in_e164_never_survives(before: str, phone: str, after: str) -> None:
    assert phone[1:] not in redact_phones(before + phone + after)


@given(st.text(alphabet=string.digits + " .-()+:%T" + string.ascii_letters, max_size=300))
def test_any_text_is_taken(text: str) -> None:
    redact_phones(text)
