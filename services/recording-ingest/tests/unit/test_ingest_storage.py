"""Storage: published whole, once, and read in parts."""

import hashlib
import os
from datetime import timedelta
from pathlib import Path

import pytest

from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.ports.storage import StoreLost

KEY = "audio/demo/ab/abcd"


def written(store: ObjectStorage, name: str, body: bytes) -> Path:
    path = store.scratch(name)
    path.write_bytes(body)
    return path


@pytest.fixture(params=["{}/store", "file://{}/store"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStorage:
    return ObjectStorage(request.param.format(tmp_path))


async def test_published_once_and_read_back(store: ObjectStorage, tmp_path: Path) -> None:
    body = os.urandom(1_300_000)
    assert await store.publish(written(store, "a", body), KEY)
    assert not await store.publish(written(store, "b", b"other"), KEY)
    assert b"".join([chunk async for chunk in store.read(KEY, 0, len(body))]) == body
    assert b"".join([chunk async for chunk in store.read(KEY, 600_000, 600_010)]) == body[600_000:600_010]
    found = await store.recover(KEY, tmp_path / "copy")
    assert found is not None
    assert (found.sha256, found.size_bytes) == (hashlib.sha256(body).hexdigest(), len(body))
    assert (tmp_path / "copy").read_bytes() == body


async def test_nothing_there(store: ObjectStorage, tmp_path: Path) -> None:
    assert await store.recover(KEY, tmp_path / "copy") is None
    with pytest.raises(StoreLost):
        await anext(store.read(KEY, 0, 10))


def test_scratch_begins_empty_and_is_swept(store: ObjectStorage) -> None:
    path = written(store, "a", b"left by a killed worker")
    assert store.sweep(older_than=timedelta(hours=1)) == 0
    assert not store.scratch("a").exists()
    written(store, "b", b"old")
    assert store.sweep(older_than=timedelta(seconds=-1)) == 1
    assert list(path.parent.iterdir()) == []


def test_a_remote_storage_needs_scratch() -> None:
    with pytest.raises(ValueError, match="scratch"):
        ObjectStorage("memory:///")


async def test_a_remote_storage(tmp_path: Path) -> None:
    store = ObjectStorage("memory:///", tmp_path / "scratch")
    assert await store.publish(written(store, "a", b"audio"), KEY)
    assert not await store.publish(written(store, "b", b"other"), KEY)
    assert [chunk async for chunk in store.read(KEY, 1, 3)] == [b"ud"]
