"""Reading the spool in order, from where the drain has come to."""

from collections.abc import Iterator
from dataclasses import dataclass

from call_router.records.events import EventRecord
from call_router.spool.lines import LineBroken, from_line
from call_router.spool.segments import Position, SpoolFolder

CHUNK_BYTES = 128 * 1024


@dataclass(frozen=True, slots=True)
class Batch:
    """Records that stand together; `after` is the position behind them, `size` their bytes.

    `broken` lines could not be read: their checksum differs, so the disk changed them.
    """

    records: tuple[EventRecord, ...]
    after: Position
    size: int
    broken: int


class SpoolReader:
    """The end of the spool that shrinks."""

    def __init__(self, folder: SpoolFolder) -> None:
        self._folder = folder
        self._position = folder.load_position()
        self.unsaved = 0

    @property
    def position(self) -> Position:
        """How far the drain has come."""
        return self._position

    def next_batch(self, end: Position) -> Batch | None:
        """Return what stands at the position, up to `end`; None when there is nothing. Stays where it is."""
        while self._position < end:
            chunk = self._read(self._position)
            if chunk:
                return _batch(chunk, self._position)
            following = [segment for segment in self._folder.segments() if segment > self._position.segment]
            if not following:
                return None
            self._position = Position(following[0], 0)
        return None

    def peek(self, end: Position) -> Iterator[EventRecord]:
        """Yield every record up to `end`. Only for a reader that nobody drains with."""
        while batch := self.next_batch(end):
            yield from batch.records
            self._position = batch.after

    def move_behind(self, batch: Batch) -> None:
        """Go on behind a batch that needs no second reading, and delete the segments that are through.

        A full disk may refuse the position; deleting makes room, and what is sent again after a restart is recognised.
        """
        self._position = batch.after
        try:
            self._folder.save_position(batch.after)
        except OSError:
            self.unsaved += 1
        self._folder.delete_before(batch.after.segment)

    def _read(self, position: Position) -> bytes:
        """Return whole lines from `position` on; empty at the end of the segment."""
        try:
            with self._folder.path_of(position.segment).open("rb") as file:
                file.seek(position.offset)
                chunk = file.read(CHUNK_BYTES)
                if chunk and b"\n" not in chunk:
                    chunk += file.readline()
        except FileNotFoundError:
            return b""
        return chunk[: chunk.rfind(b"\n") + 1]


def _batch(chunk: bytes, start: Position) -> Batch:
    records: list[EventRecord] = []
    broken = 0
    for line in chunk.splitlines(keepends=True):
        try:
            records.append(from_line(line))
        except LineBroken:
            broken += 1
    return Batch(tuple(records), Position(start.segment, start.offset + len(chunk)), len(chunk), broken)
