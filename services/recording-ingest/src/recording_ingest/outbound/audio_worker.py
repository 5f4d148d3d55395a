"""A process of its own that decodes audio: a malformed file may end it, and nothing else.

`python -m recording_ingest.outbound.audio_worker` reads a path a line and answers a JSON object a line: the fields of
`Audio`, or `{"reason": "not_audio|incomplete", "detail": "…"}`.
"""

import json
import math
import os
import resource
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

_BUCKETS = 200
_BLOCK = 65_536
_FULL = 32_768
_SILENT = round(_FULL * 10 ** (-50 / 20))
_MEMORY = 2 * 1024**3
_FILES = 32
_STREAMED = frozenset({0, 0xFFFFFFFF, 0x7FFFFFFF})
_LEAST_SHARE = 0.9


class Unusable(Exception):
    """The file is no whole audio; `reason` as the ledger names it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail


def probe(path: Path) -> dict[str, Any]:
    """Return what decoding the whole file finds: counted duration, levels, silence, peaks. Raises Unusable."""
    if path.stat().st_size == 0:
        raise Unusable("not_audio", "the file is empty")
    _check_riff(path)
    try:
        with soundfile.SoundFile(path) as file:
            return _measured(file)
    except soundfile.LibsndfileError as error:
        raise Unusable("not_audio", f"not decodable: {error.error_string[:100]}") from error


def _measured(file: soundfile.SoundFile) -> dict[str, Any]:
    per_bucket = max(1, math.ceil(max(file.frames, 1) / _BUCKETS)) if file.frames < 2**40 else file.samplerate
    tally = _Tally(file.channels, per_bucket)
    while len(block := file.read(_BLOCK, dtype="int16", always_2d=True)):
        tally.add(block)
    if tally.frames == 0:
        raise Unusable("incomplete", "no audio in the file")
    if file.format != "MP3" and 0 < file.frames < 2**40 and tally.frames < _LEAST_SHARE * file.frames:
        raise Unusable("incomplete", f"{tally.frames} of {file.frames} frames")
    return {
        "duration_s": tally.frames / file.samplerate,
        "codec": file.subtype,
        "container": file.format,
        "channels": file.channels,
        "sample_rate": file.samplerate,
        **tally.results(),
    }


class _Tally:
    """Sums up 16-bit samples block by block; nothing in it grows with the file but the peaks."""

    def __init__(self, channels: int, per_bucket: int) -> None:
        self.frames = 0
        self._per_bucket = per_bucket
        self._energy = np.zeros(channels)
        self._silent = np.zeros(channels)
        self._peaks: list[Any] = []

    def add(self, block: "np.ndarray[Any, np.dtype[np.int16]]") -> None:
        exact = block.astype(np.float64)
        self._energy += np.einsum("ij,ij->j", exact, exact)
        self._silent += ((block < _SILENT) & (block > -_SILENT)).sum(axis=0)
        begun = self.frames % self._per_bucket
        starts = [0, *range(self._per_bucket - begun, len(block), self._per_bucket)]
        highest, lowest = np.maximum.reduceat(block, starts), np.minimum.reduceat(block, starts)
        peaks = list(np.maximum(highest.astype(np.int32), -lowest.astype(np.int32)))
        if begun:
            self._peaks[-1] = np.maximum(self._peaks[-1], peaks.pop(0))
        self._peaks += peaks
        self.frames += len(block)

    def results(self) -> dict[str, Any]:
        levels = np.sqrt(self._energy / self.frames) / _FULL
        drawn = np.array(self._peaks) * (255 / _FULL)
        return {
            "rms_dbfs": [round(20 * math.log10(level), 2) if level > 0 else None for level in levels.tolist()],
            "silence_ratio": [round(share, 4) for share in (self._silent / self.frames).tolist()],
            "peaks": np.rint(drawn.T.clip(0, 255)).astype(int).tolist(),
        }


def _check_riff(path: Path) -> None:
    """Refuse a WAV whose data chunk claims more than the file holds: libsndfile would silently shorten it."""
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(4) != b"RIFF" or not file.seek(8) or file.read(4) != b"WAVE":
            return
        while len(head := file.read(8)) == 8:  # noqa: PLR2004 - a chunk's head
            name, length = struct.unpack("<4sI", head)
            if name == b"data":
                if length not in _STREAMED and length > size - file.tell():
                    raise Unusable("incomplete", f"the header announces {length} bytes, {size - file.tell()} are there")
                return
            file.seek(length + length % 2, 1)


def main() -> None:
    """Answer paths until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY, _MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (_FILES, _FILES))
    for line in sys.stdin:
        try:
            answer = probe(Path(line.rstrip("\n")))
        except Unusable as unusable:
            answer = {"reason": unusable.reason, "detail": unusable.detail}
        except (OSError, RuntimeError, ValueError, MemoryError) as error:
            answer = {"reason": "not_audio", "detail": f"not decodable: {type(error).__name__}"}
        _answer(answer)


def _answer(answer: dict[str, Any]) -> None:
    try:
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()
    except BrokenPipeError:  # whoever asked was killed
        os._exit(0)


if __name__ == "__main__":
    main()
