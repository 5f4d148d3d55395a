import pytest
from hypothesis import given
from hypothesis import strategies as st

from order_binder.domain.phones import PhoneFault, to_e164, usable_phones


@pytest.mark.parametrize(
    "written",
    [
        "+79031112233",
        "8 (903) 111-22-33",
        "79031112233",
        "9031112233",
        "0079031112233",
        "+7 903 111 22 33",
        "\u202a+79031112233\u202c",
    ],
)
def test_case_45_one_phone_however_it_is_written(written):
    assert to_e164(written, "RU") == "+79031112233"


@pytest.mark.parametrize(
    ("written", "region", "e164"),
    [
        ("+52 1 55 1234 5678", "MX", "+525512345678"),
        ("011 15 2345-6789", "AR", "+5491123456789"),
        ("030 901820", "DE", "+4930901820"),
        ("0044 20 7946 0958", "RU", "+442079460958"),
    ],
)
def test_case_46_national_ways_of_writing(written, region, e164):
    assert to_e164(written, region) == e164


@pytest.mark.parametrize(
    "written", ["", " ", "0", "000", "anonymous", "Restricted", "unknown", "null", "+266696687", "Unavailable"]
)
def test_cases_47_and_48_placeholders_are_no_phones(written):
    assert to_e164(written, "RU") is PhoneFault.PLACEHOLDER


@pytest.mark.parametrize("written", ["Anna", "+7903111223x", "12", "112", "+7", "1" * 60, "tel:+79031112233", "+1234"])
def test_words_and_fragments_are_no_phones(written):
    assert to_e164(written, "RU") is PhoneFault.NOT_A_PHONE


@given(st.text(max_size=64), st.sampled_from(["RU", "DE", "MX", "US"]))
def test_any_text_is_either_a_phone_or_a_fault(written, region):
    found = to_e164(written, region)
    assert isinstance(found, PhoneFault) or (found.startswith("+") and to_e164(found, region) == found)


def test_usable_phones_keep_order_and_report_what_was_dropped():
    written = ["unknown", "+79261234567", "8 903 111 22 33", "+74950000101", "+881612345678", "+79261234567"]
    found = usable_phones(written, region="RU", proxies={"+74950000101"}, prefixes=("+7",))
    assert found.phones == ("+79261234567", "+79031112233")
    assert found.faults == (PhoneFault.PLACEHOLDER, PhoneFault.PROXY_NUMBER, PhoneFault.PREFIX_NOT_ALLOWED)
