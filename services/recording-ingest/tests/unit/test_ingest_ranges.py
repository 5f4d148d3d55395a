"""HTTP ranges as RFC 9110 reads them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recording_ingest.domain.ranges import RangeNotSatisfiable, parse_range


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-9", (0, 10)),
        ("bytes=90-", (90, 100)),
        ("bytes=-5", (95, 100)),
        ("bytes=-500", (0, 100)),
        ("bytes=95-1000", (95, 100)),
        ("Bytes=0-0", (0, 1)),
        ("items=0-9", None),
        ("bytes=9-0", None),
        ("bytes=a-b", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("bytes", None),
        ("bytes=" + "9" * 50 + "-", None),
    ],
)
def test_what_a_header_asks_for(header: str | None, expected: tuple[int, int] | None) -> None:
    found = parse_range(header, 100)
    assert (None if found is None else (found.start, found.end)) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=500-600", "bytes=-0"])
def test_nothing_there(header: str) -> None:
    with pytest.raises(RangeNotSatisfiable):
        parse_range(header, 100)


def test_content_range() -> None:
    found = parse_range("bytes=-5", 100)
    assert found is not None
    assert found.content_range == "bytes 95-99/100"


@given(st.text(max_size=40), st.integers(0, 10**9))
def test_any_text_gives_a_range_inside_or_none(text: str, size: int) -> None:
    try:
        found = parse_range(f"bytes={text}", size)
    except RangeNotSatisfiable:
        return
    assert found is None or 0 <= found.start < found.end <= size
