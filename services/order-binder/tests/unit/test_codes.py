import pytest
from binder_support import seeded
from hypothesis import given
from hypothesis import strategies as st

from order_binder.domain.codes import EMERGENCY, acceptable, code_digits, draw_codes


@pytest.mark.parametrize(
    "code", ["111119", "900000", "012345", "912345", "987650", "543210", "112358", "911911", "103000"]
)
def test_case_53_codes_that_are_never_handed_out(code):
    assert not acceptable(code)


@pytest.mark.parametrize("code", ["482913", "118204", "011117", "012350", "00001999"])
def test_ordinary_codes(code):
    assert acceptable(code)


@given(st.integers(0, 10_000), st.integers(6, 8), st.integers(1, 60))
def test_drawn_codes_are_different_acceptable_and_of_the_asked_length(seed, digits, count):
    drawn = draw_codes(count, digits, seeded(seed))
    assert len(set(drawn)) == len(drawn) == count
    assert all(len(code) == digits and acceptable(code) and code not in EMERGENCY for code in drawn)


def test_a_source_that_repeats_itself_ends_all_the_same():
    assert draw_codes(3, 6, lambda limit: 482913) == ["482913"]


@pytest.mark.parametrize(("live", "digits"), [(0, 6), (20_000, 6), (20_001, 7), (200_001, 8), (9_000_000, 8)])
def test_codes_grow_longer_before_they_are_crowded(live, digits):
    assert code_digits(6, live) == digits
