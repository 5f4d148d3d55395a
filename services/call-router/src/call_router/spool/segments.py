"""The files of a spool: numbered segments, the position of the drain, and the lock that keeps a second process out."""

import fcntl
import os
import re
from dataclasses import dataclass
from pathlib import Path

_SEGMENT = re.compile(r"(\d{12})\.spool")
_BLOCK = 64 * 1024


class SpoolTaken(Exception):
    """Another process uses this spool."""


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A place in the spool: a segment and a byte in it."""

    segment: int
    offset: int


class SpoolFolder:
    """The folder of a spool. Open one at a time, in one process at a time."""

    def __init__(self, path: Path) -> None:
        """Make the folder and lock it; raises SpoolTaken, or OSError where the disk refuses."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise SpoolTaken(f"{path}: another process uses this spool") from error

    def close(self) -> None:
        """Give the folder back."""
        os.close(self._lock)

    def segments(self) -> list[int]:
        """Return the numbers of the segments there are, the oldest first."""
        names = (_SEGMENT.fullmatch(entry.name) for entry in self._path.iterdir())
        return sorted(int(name[1]) for name in names if name)

    def path_of(self, segment: int) -> Path:
        """Return the file of a segment."""
        return self._path / f"{segment:012}.spool"

    def bytes_from(self, position: Position) -> int:
        """Return how many bytes stand at and after `position`."""
        sizes = {segment: self.path_of(segment).stat().st_size for segment in self.segments()}
        behind = sum(size for segment, size in sizes.items() if segment > position.segment)
        return behind + max(sizes.get(position.segment, 0) - position.offset, 0)

    def mend(self, segment: int) -> int:
        """Cut a line off that a killed process left without its end; returns how many bytes that were."""
        with self.path_of(segment).open("r+b") as file:
            size = file.seek(0, os.SEEK_END)
            end = _after_last_newline(file.fileno(), size)
            if end < size:
                file.truncate(end)
            return size - end

    def load_position(self) -> Position:
        """Return how far the drain had come; the very beginning where that is not known."""
        try:
            segment, offset = map(int, (self._path / "position").read_text().split())
        except (OSError, ValueError):
            return Position(0, 0)
        return Position(segment, offset)

    def save_position(self, position: Position) -> None:
        """Keep how far the drain has come, whole or not at all. One kept too late only means sending some again."""
        draft = self._path / "position.new"
        draft.write_text(f"{position.segment} {position.offset}\n")
        draft.replace(self._path / "position")

    def delete_before(self, segment: int) -> None:
        """Delete the segments before `segment`."""
        for older in self.segments():
            if older < segment:
                self.path_of(older).unlink(missing_ok=True)


def _after_last_newline(descriptor: int, size: int) -> int:
    end = size
    while end > 0:
        start = max(end - _BLOCK, 0)
        found = os.pread(descriptor, end - start, start).rfind(b"\n")
        if found >= 0:
            return start + found + 1
        end = start
    return 0
