"""What the demo ends with: the day's figures and the recording, drawn."""

from typing import Any

import pytest
from rich.console import Console

from fareline_devstack.story.day_figures import print_figures
from fareline_devstack.story.waveform import band, print_waveform, stretched

GROUP = {
    "key": "window_closed", "attempts": 4, "ended": 3, "answered": 2, "answer_rate": 0.6667, "talk_s": 90.0,
    "talk_s_mean": 45.0, "answer_s_p50": 15.04, "answer_s_p90": 20.0, "fallbacks": 1, "fallback_rate": 0.25,
    "recordings_due": 2, "recordings_stored": 1, "recordings_missing": 1, "recording_coverage": 0.5,
}  # fmt: skip
NOTHING_YET = {**GROUP, "key": None, "attempts": 1, "ended": 0, "answered": 0, "answer_rate": None, "talk_s": 0.0,
               "answer_s_p50": None, "fallback_rate": 0.0, "recordings_due": 0}  # fmt: skip


def shown(what: Any, *arguments: Any, width: int = 100) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as captured:
        what(console, *arguments)
    return captured.get().splitlines()


def test_figures_are_read_at_a_glance() -> None:
    lines = shown(print_figures, [NOTHING_YET, GROUP])
    first, second = (line.split() for line in lines if line.split()[:1] in (["window"], ["-"]))
    assert first == ["window", "closed", "4", "2", "67%", "90.0", "s", "15.0", "s", "25%", "1", "of", "2"]
    assert second == ["-", "1", "-", "-", "-", "-", "0%", "-"]


@pytest.mark.parametrize("width", [1, 3, 5, 12])
def test_of_several_peaks_the_loudest_is_seen(width: int) -> None:
    assert len(stretched([0, 9, 0, 0, 1], width)) == width
    assert max(stretched([0, 9, 0, 0, 1], width)) == 9


def test_loud_is_tall_and_silence_a_line() -> None:
    assert band([0, 128, 255], 3) == ["  █", "▁██"]
    assert stretched([], 4) == [0, 0, 0, 0]


@pytest.mark.parametrize("width", [40, 80, 100, 200])
def test_a_drawing_fits_its_console(width: int) -> None:
    lines = shown(print_waveform, [[0, 200] * 100, [255] * 200], 4.0, ("Igor", "Anna"), width=width)
    assert len(lines) == 5
    assert max(map(len, lines)) <= width
    assert lines[1].strip().startswith("Igor")
    assert lines[4].strip().startswith("0 s")
    assert lines[4].rstrip().endswith("4.0 s")
