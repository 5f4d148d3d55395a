"""A file of checked frames: a line that says what it is, then length, CRC-32 and bytes of each frame, then an end.

A file that was cut short or changed anywhere is recognised before anything of it is used.
"""

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from call_router.ports import SnapshotUnusable

_MAGIC = b"fareline replica snapshot 1\n"
_HEAD = struct.Struct(">II")
_END = b"end of snapshot"
MOST_FRAME_BYTES = 64 * 1024 * 1024


def framed(payload: bytes) -> bytes:
    """Return the bytes of one frame."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def opening() -> bytes:
    """Return what a file begins with."""
    return _MAGIC


def closing(frames: int) -> bytes:
    """Return what a file of so many frames ends with."""
    return framed(_END + str(frames).encode())


def read_frames(path: Path) -> Iterator[bytes]:
    """Yield the frames of a file; raises SnapshotUnusable, at the end at the latest, or OSError."""
    with path.open("rb") as file:
        if file.read(len(_MAGIC)) != _MAGIC:
            raise SnapshotUnusable("not a snapshot of this version")
        count = 0
        while not (payload := _frame(file)).startswith(_END):
            count += 1
            yield payload
        if payload != _END + str(count).encode() or file.read(1):
            raise SnapshotUnusable("frames are missing or more than there should be")


def check(path: Path) -> None:
    """Read the file through; raises SnapshotUnusable or OSError."""
    for _ in read_frames(path):
        pass


def _frame(file: BinaryIO) -> bytes:
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise SnapshotUnusable("cut short")
    size, checksum = _HEAD.unpack(head)
    if size > MOST_FRAME_BYTES:
        raise SnapshotUnusable("a frame is too long to be one")
    payload = file.read(size)
    if len(payload) < size:
        raise SnapshotUnusable("cut short")
    if zlib.crc32(payload) != checksum:
        raise SnapshotUnusable("a checksum differs")
    return payload
