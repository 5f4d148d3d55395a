"""The audio index: what decoding finds, and files that are no audio."""

import struct
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from ingest_source import audio

from recording_ingest.domain.recordings import Reason
from recording_ingest.outbound.audio import AudioIndex
from recording_ingest.ports.downloads import FetchFailed


@pytest.fixture
async def index() -> AsyncIterator[AudioIndex]:
    made = AudioIndex(1)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("kind", "channels", "codec"), [("WAV", 1, "PCM_16"), ("MP3", 2, "MPEG_LAYER_III"), ("OGG", 1, "VORBIS")]
)
async def test_what_is_found(index: AudioIndex, tmp_path: Path, kind: str, channels: int, codec: str) -> None:
    path = tmp_path / "a"
    path.write_bytes(audio(2.0, kind=kind, channels=channels))
    found = await index.read(path)
    assert (found.container, found.codec, found.channels, found.sample_rate) == (kind, codec, channels, 8000)
    assert found.duration_s == pytest.approx(2.0, abs=0.2)
    assert [round(level or 0) for level in found.rms_dbfs] == [-12] * channels
    assert all(0.4 < share < 0.6 for share in found.silence_ratio)
    assert len(found.peaks) == channels
    assert all(190 <= len(peaks) <= 210 for peaks in found.peaks)
    assert all(peaks[20] > 100 and peaks[-20] < 10 for peaks in found.peaks)


WAV = audio(2.0)
LYING = WAV[:40] + struct.pack("<I", 2_000_000_000) + WAV[44:54]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", Reason.NOT_AUDIO),
        (b"<!DOCTYPE html><html><body>Please log in</body></html>", Reason.NOT_AUDIO),
        (b"#EXTM3U\nhttp://169.254.169.254/a.mp3\n", Reason.NOT_AUDIO),
        (b"\x00" * 5000, Reason.NOT_AUDIO),
        (WAV[: len(WAV) // 2], Reason.INCOMPLETE),
        (LYING, Reason.INCOMPLETE),
        (WAV[:44], Reason.INCOMPLETE),
        (WAV[:20], Reason.NOT_AUDIO),
    ],
)
async def test_what_is_no_whole_audio(index: AudioIndex, tmp_path: Path, content: bytes, reason: Reason) -> None:
    path = tmp_path / "a"
    path.write_bytes(content)
    with pytest.raises(FetchFailed) as caught:
        await index.read(path)
    assert caught.value.reason is reason


async def test_a_decoder_that_dies_is_replaced(index: AudioIndex, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(WAV)
    await index.read(path)
    (process,) = index._running
    process.kill()
    await process.wait()
    assert (await index.read(path)).duration_s == pytest.approx(2.0)
