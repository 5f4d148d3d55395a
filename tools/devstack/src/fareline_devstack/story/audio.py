"""Audio for the story: two voices of tones, one a channel, so that a listener hears who speaks when."""

import io
from dataclasses import dataclass

import numpy as np
import soundfile

SAMPLE_RATE = 16_000
_DRIVER_HZ, _CLIENT_HZ = 180.0, 290.0
_TURN_S = 0.75


@dataclass(frozen=True, slots=True)
class Audio:
    """An encoded file and how long it plays."""

    data: bytes
    seconds: float


def conversation(seconds: float) -> Audio:
    """Return an MP3 in stereo: the driver on the left and the client on the right, taking turns."""
    times = np.arange(int(seconds * SAMPLE_RATE)) / SAMPLE_RATE
    first_speaks = (times // _TURN_S) % 2 == 0
    left = _voice(times, _DRIVER_HZ) * first_speaks
    right = _voice(times, _CLIENT_HZ) * ~first_speaks
    encoded = io.BytesIO()
    soundfile.write(encoded, np.column_stack((left, right)), SAMPLE_RATE, format="MP3", subtype="MPEG_LAYER_III")
    return Audio(data=encoded.getvalue(), seconds=len(times) / SAMPLE_RATE)


def _voice(
    times: "np.ndarray[tuple[int], np.dtype[np.float64]]", pitch: float
) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return a tone with overtones, swelling four times a second as syllables do."""
    tone = sum(np.sin(2 * np.pi * pitch * n * times) / n for n in (1, 2, 3))
    syllables = 0.5 - 0.5 * np.cos(2 * np.pi * 4 * times)
    return np.asarray(0.25 * tone * syllables, dtype=np.float64)
