import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from call_router.domain.phone_reader import PhoneReader
from call_router.domain.phones import normalise


@pytest.mark.parametrize(
    "written",
    [
        "+79031112233", "8 903 111-22-33", "7903 111 22 33", "+7 (903) 111-22-33", "9031112233", "007 903 111 22 33",
        "0 903 111 22 33", "810 7 903 1112233", "sip:+79031112233@pbx.example", "tel:+7-903-111-22-33;phone-context=x",
    ],
)  # fmt: skip
def test_one_phone_however_it_is_written(written):
    assert normalise(written, "RU") == "+79031112233"


@pytest.mark.parametrize(
    ("written", "region", "e164"),
    [
        ("442071234567", "RU", "+442071234567"),
        ("+5215512345678", "MX", "+525512345678"),
        ("5215512345678", "MX", "+525512345678"),
        ("+52 55 1234 5678", "RU", "+525512345678"),
        ("011 15 1234 5678", "AR", "+5491112345678"),
        ("+447700900123", "GB", "+447700900123"),
        ("07700 900123", "GB", "+447700900123"),
    ],
)
def test_other_countries_and_their_quirks(written, region, e164):
    assert normalise(written, region) == e164


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "anonymous", "Restricted", "unavailable", "unknown", "null", "0", "101", "112", "+266696687",
        "266696687", "7378742833", "86282452253", "\x00\x07", "+7903111\r\n2233", "٩٠٣١١١٢٢٣٣٩", "abc9031112233",
        "9" * 60, "+" + "9" * 18,
    ],
)  # fmt: skip
def test_what_is_no_phone_is_nobody(written):
    assert normalise(written, "RU") is None


@given(st.text(max_size=80), st.sampled_from(["RU", "GB", "US", "MX", "AR", "ZZ"]))
def test_any_text_is_a_phone_in_e164_or_nobody(text, region):
    found = normalise(text, region)
    assert found is None or (
        found[0] == "+" and found[1:].isascii() and found[1:].isdecimal() and 7 <= len(found) <= 16
    )


@given(st.from_regex(r"9[0-9]{9}", fullmatch=True))
def test_russian_spellings_agree_and_are_stable(national):
    spelt = {normalise(prefix + national, "RU") for prefix in ("+7", "8", "7", "", "007", "8 ")}
    assert len(spelt) == 1
    e164 = spelt.pop()
    assert e164 is None or normalise(e164, "RU") == e164


@given(
    st.from_regex(r"\+[0-9]{3,17}", fullmatch=True), st.sampled_from(["RU", "KZ", "GB", "US", "MX", "AR", "IT", "ZZ"])
)
def test_a_glance_at_e164_finds_what_reading_at_length_finds(text, region):
    assert PhoneReader()(text, region) == normalise(text, region)


@given(st.data(), st.sampled_from(sorted(phonenumbers.COUNTRY_CODE_TO_REGION_CODE)))
def test_a_glance_agrees_in_every_country(data, calling_code):
    national = data.draw(st.from_regex(r"[0-9]{5,12}", fullmatch=True))
    text = f"+{calling_code}{national}"
    assert PhoneReader()(text, "RU") == normalise(text, "RU")


@pytest.mark.parametrize("region", sorted(phonenumbers.SUPPORTED_REGIONS))
def test_a_glance_agrees_on_the_examples_of_every_region(region):
    example = phonenumbers.example_number(region)
    text = phonenumbers.format_number(example, phonenumbers.PhoneNumberFormat.E164)
    assert PhoneReader()(text, region) == normalise(text, region) == text
