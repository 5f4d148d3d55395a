"""A recording drawn in the terminal: one band a channel, loud is tall, silence is a line."""

from collections.abc import Sequence

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

_BLOCKS = " ▁▂▃▄▅▆▇█"
_ROWS = 2
_LOUDEST = 255
_COLOURS = ("cyan", "magenta")
_LABEL = 16


def print_waveform(console: Console, peaks: Sequence[Sequence[int]], seconds: float, who: Sequence[str]) -> None:
    """Print the peaks (0 … 255, evenly over `seconds`) of each channel, named by `who`, over a scale of seconds."""
    width = max(20, min(console.width - _LABEL - 4, 88))
    loudest = max((peak for channel in peaks for peak in channel), default=0) or _LOUDEST
    for place, channel in enumerate(peaks):
        name = who[place] if place < len(who) else f"channel {place + 1}"
        for row, line in enumerate(band(channel, width, loudest)):
            drawn = Text((name if row == _ROWS - 1 else "").ljust(_LABEL), style="dim")
            drawn.append(line, style=_COLOURS[place % len(_COLOURS)])
            console.print(Padding(drawn, (0, 0, 0, 1)))
    end = f"{seconds:.1f} s"
    console.print(Padding(Text(" " * _LABEL + "0 s" + end.rjust(width - 3), style="dim"), (0, 0, 0, 1)))


def band(channel: Sequence[int], width: int, loudest: int = _LOUDEST) -> list[str]:
    """Return the rows of one channel from top to bottom, `width` characters each, as tall as its peaks are loud."""
    heights = [_height(peak, loudest) for peak in stretched(channel, width)]
    rows = range(_ROWS - 1, -1, -1)
    full = len(_BLOCKS) - 1
    return ["".join(_BLOCKS[max(0, min(full, height - row * full))] for height in heights) for row in rows]


def stretched(values: Sequence[int], width: int) -> list[int]:
    """Return `width` values over the same length of time; of several in one place the loudest."""
    if not values:
        return [0] * width
    found = []
    for place in range(width):
        first = place * len(values) // width
        last = max(first + 1, (place + 1) * len(values) // width)
        found.append(max(values[first:last]))
    return found


def _height(peak: int, loudest: int) -> int:
    return max(1, round(peak * _ROWS * (len(_BLOCKS) - 1) / loudest))
