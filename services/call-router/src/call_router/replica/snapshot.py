"""The replica and the memory of calls on disk, so that a router starts without Kafka and does not load everything anew.

Written and read in slices, calls being answered in between; put in place as a whole or not at all; refused when a
single byte differs. The file holds phones: nobody but the router's user may read it.
"""

import asyncio
import gc
import os
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from call_router.domain.inventory import ProxyNumber, Tenant
from call_router.ports import Heard, SnapshotUnusable
from call_router.records.actions import action_json, action_of
from call_router.records.topics_read import TopicsRead
from call_router.replica.frames import check, closing, framed, opening, read_frames
from call_router.replica.last_phones import LastPhone
from call_router.replica.recent import Dialled, Mistyped
from call_router.replica.rows import LAYOUT
from call_router.replica.store import ReplicaStore

_IN_A_FRAME = 1000
_IN_A_SLICE = 200
_CALLS_KEPT = timedelta(hours=1)
_FRAMES_AT_ONCE = 16
_SYNCED_AT_ONCE = 8 * 1024 * 1024


class SnapshotHead(msgspec.Struct, frozen=True):
    """What a snapshot says of itself: how far the topics were read, and how old the data was, by partition."""

    layout: int
    read: TopicsRead
    input_as_of: dict[int, datetime]


class _Heard(msgspec.Struct, frozen=True, array_like=True, gc=False):
    call_id: str
    step: int
    decided_at: datetime
    action: dict[str, Any]
    tenant: str | None
    order_id: str | None


_Part = tuple[str, list[Any]]
_DECODERS: dict[str, msgspec.msgpack.Decoder[Any]] = {
    "rows": msgspec.msgpack.Decoder(tuple[str, list[bytes]]),
    "numbers": msgspec.msgpack.Decoder(tuple[str, list[ProxyNumber]]),
    "tenants": msgspec.msgpack.Decoder(tuple[str, list[Tenant]]),
    "dialled": msgspec.msgpack.Decoder(tuple[str, list[Dialled]]),
    "mistyped": msgspec.msgpack.Decoder(tuple[str, list[Mistyped]]),
    "phones": msgspec.msgpack.Decoder(tuple[str, list[LastPhone]]),
    "heard": msgspec.msgpack.Decoder(tuple[str, list[_Heard]]),
}
_HEAD = msgspec.msgpack.Decoder(SnapshotHead)
_KIND = msgspec.msgpack.Decoder(tuple[str, msgspec.Raw])
_ENCODER = msgspec.msgpack.Encoder()


class Snapshot:
    """The snapshot of one store at one path."""

    def __init__(self, path: Path, store: ReplicaStore) -> None:
        self._path = path
        self._store = store

    async def write(self, read: TopicsRead, input_as_of: dict[int, datetime], now: datetime) -> int:
        """Write a new one in place of the old; returns its size. `read` is how far the topics had been read before now.

        Raises OSError where the disk refuses; the old one stays then.
        """
        draft = self._path.with_suffix(".new")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            size = await self._write_frames(descriptor, SnapshotHead(LAYOUT, read, input_as_of), now)
            await asyncio.to_thread(os.fsync, descriptor)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)
        # In a thread: to let go of the old one's many blocks takes tens of milliseconds.
        await asyncio.to_thread(draft.replace, self._path)
        return size

    async def restore(self) -> SnapshotHead:
        """Take everything into the store and return the head; raises SnapshotUnusable before a damaged one is begun."""
        try:
            await asyncio.to_thread(check, self._path)
            frames = read_frames(self._path)
            head = _HEAD.decode(await asyncio.to_thread(next, frames, b""))
            if head.layout != LAYOUT:
                raise SnapshotUnusable("its rows have another layout")
            async for frame in _in_a_thread(frames):
                await self._take(frame)
        except OSError as error:
            raise SnapshotUnusable(error.strerror or type(error).__name__) from error
        except (msgspec.MsgspecError, ValueError, KeyError) as error:
            raise SnapshotUnusable("it holds what this version cannot read") from error
        return head

    async def _write_frames(self, descriptor: int, head: SnapshotHead, now: datetime) -> int:
        size = count = synced = 0
        for payload in self._payloads(head, now):
            size += await asyncio.to_thread(_write, descriptor, framed(payload) if count else _first(payload))
            count += 1
            if size - synced > _SYNCED_AT_ONCE:
                # Else the kernel would let it pile up, and then make the spool's writes wait behind it.
                await asyncio.to_thread(os.fdatasync, descriptor)
                synced = size
        return size + await asyncio.to_thread(_write, descriptor, closing(count))

    def _payloads(self, head: SnapshotHead, now: datetime) -> Iterator[bytes]:
        yield _ENCODER.encode(head)
        for kind, items in self._parts(now):
            for start in range(0, len(items), _IN_A_FRAME):
                yield _ENCODER.encode((kind, items[start : start + _IN_A_FRAME]))

    def _parts(self, now: datetime) -> Iterator[_Part]:
        """Yield everything there is, each part looked at when its turn has come."""
        store = self._store
        yield "tenants", store.inventory.tenants()
        yield "numbers", store.inventory.numbers()
        bindings, place = store.bindings, 0
        while True:
            rows, behind = bindings.rows(place, _IN_A_FRAME)
            yield "rows", rows
            if behind is None:
                break
            place = behind
        yield "dialled", store.recent.dialled_ones()
        yield "mistyped", store.recent.mistyped_ones()
        for phones in store.recent.last_phones():
            yield "phones", phones
        for heard in store.calls.since(now - _CALLS_KEPT, _IN_A_SLICE):
            yield "heard", [_heard(*one) for one in heard]

    async def _take(self, frame: bytes) -> None:
        kind = _KIND.decode(frame)[0]
        _, items = _DECODERS[kind].decode(frame)
        for start in range(0, len(items), _IN_A_SLICE):
            for item in items[start : start + _IN_A_SLICE]:
                self._take_one(kind, item)
            await asyncio.sleep(0)  # calls are answered in between

    def _take_one(self, kind: str, item: Any) -> None:  # noqa: ANN401 - decoded by its kind
        store = self._store
        match kind:
            case "rows":
                store.contents.put_row(item)
            case "numbers":
                store.put_number(item)
            case "tenants":
                store.put_tenant(item)
            case "dialled":
                store.recent.dialled(item.call_id, item.step, item.attempt)
            case "mistyped":
                store.recent.wrong_code(item.call_id, item.step, item.wrong)
            case "phones":
                store.recent.called_from(item.tenant, item.order_id, item.role, item.phone)
            case "heard":
                _recall(store, item)


async def _in_a_thread(frames: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Yield frames that are read from the disk in a thread, a few at a time."""
    while read := await asyncio.to_thread(_some, frames):
        for frame in read:
            yield frame
        gc.freeze()  # what stays anyway: a collection among a million rows would stop the answers


def _some(frames: Iterator[bytes]) -> list[bytes]:
    return [frame for _, frame in zip(range(_FRAMES_AT_ONCE), frames, strict=False)]


def _first(payload: bytes) -> bytes:
    return opening() + framed(payload)


def _write(descriptor: int, data: bytes) -> int:
    written = 0
    while written < len(data):
        written += os.write(descriptor, data[written:])
    return written


def _heard(call_id: str, heard: Heard) -> _Heard:
    return _Heard(call_id, heard.step, heard.decided_at, action_json(heard.action), heard.tenant, heard.order_id)


def _recall(store: ReplicaStore, row: _Heard) -> None:
    action = action_of(row.action)
    if action is not None:
        store.calls.of(row.call_id).heard = Heard(row.step, row.decided_at, action, row.tenant, row.order_id)
