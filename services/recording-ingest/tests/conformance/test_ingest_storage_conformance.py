"""Storage, the same for a directory and for a real S3 API: published whole, once, read in parts, removed."""

import asyncio
import hashlib
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from ingest_s3 import s3_server

from recording_ingest.outbound.storage import ObjectStorage
from recording_ingest.ports.storage import StoreLost

SIZES = [0, 1, 700_000, 20 * 1024 * 1024 + 3]


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    with s3_server("recordings") as environment:
        yield environment


@pytest.fixture(params=["directory", "file-url", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ObjectStorage:
    if request.param != "s3":
        return ObjectStorage(f"{'file://' if request.param == 'file-url' else ''}{tmp_path}/store")
    for name, value in request.getfixturevalue("s3").items():
        monkeypatch.setenv(name, value)
    return ObjectStorage(f"s3://recordings/{uuid.uuid4()}", tmp_path / "scratch")


def key() -> str:
    return f"audio/demo/ab/{uuid.uuid4()}"


def written(store: ObjectStorage, body: bytes) -> Path:
    path = store.scratch(str(uuid.uuid4()))
    path.write_bytes(body)
    return path


async def content(store: ObjectStorage, place: str, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in store.read(place, start, end)])


async def all_keys(store: ObjectStorage, before: timedelta) -> set[str]:
    return {found async for batch in store.published(before=datetime.now(UTC) + before) for found in batch}


@pytest.mark.parametrize("size", SIZES)
async def test_published_as_it_is_and_never_overwritten(store: ObjectStorage, tmp_path: Path, size: int) -> None:
    place, body = key(), os.urandom(size)
    assert await store.publish(written(store, body), place)
    assert not await store.publish(written(store, os.urandom(size + 1)), place)
    found = await store.recover(place, tmp_path / "copy")
    assert found is not None
    assert (found.sha256, found.size_bytes) == (hashlib.sha256(body).hexdigest(), size)
    assert (tmp_path / "copy").read_bytes() == body
    assert await content(store, place, size // 3, size) == body[size // 3 :]


async def test_of_many_who_publish_at_once_one_does(tmp_path: Path) -> None:
    """Only of a directory: the test server for S3 looks and then writes, which S3 itself does in one step."""
    store = ObjectStorage(str(tmp_path / "store"))
    place, bodies = key(), [bytes([n]) * 9_000_000 for n in range(4)]
    done = await asyncio.gather(*(store.publish(written(store, body), place) for body in bodies))
    assert done.count(True) == 1
    assert await content(store, place, 0, 9_000_000) == bodies[done.index(True)]


async def test_what_is_not_there(store: ObjectStorage, tmp_path: Path) -> None:
    assert await store.recover(key(), tmp_path / "copy") is None
    with pytest.raises(StoreLost):
        await content(store, key(), 0, 10)
    await store.remove([key()])


async def test_removed(store: ObjectStorage) -> None:
    first, second = key(), key()
    for place in (first, second):
        await store.publish(written(store, b"audio"), place)
    await store.remove([first])
    assert await all_keys(store, timedelta(hours=1)) == {second}
    with pytest.raises(StoreLost):
        await content(store, first, 0, 5)


async def test_what_was_published_is_listed_by_age_and_nothing_else_is(store: ObjectStorage) -> None:
    places = {key() for _ in range(3)}
    for place in places:
        await store.publish(written(store, b"audio"), place)
    written(store, b"in the making")
    assert await all_keys(store, timedelta(hours=1)) == places
    assert await all_keys(store, timedelta(hours=-1)) == set()


async def test_files_in_the_making_are_swept_by_age(store: ObjectStorage) -> None:
    left = written(store, b"left by a killed worker")
    assert store.sweep(older_than=timedelta(hours=1)) == 0
    assert store.sweep(older_than=timedelta(seconds=-5)) == 1
    assert not left.exists()


@pytest.mark.parametrize("odd", ["audio/../../etc/passwd", "audio//x", "audio/./x"])
async def test_a_key_that_could_lead_elsewhere_is_refused(store: ObjectStorage, odd: str) -> None:
    with pytest.raises(ValueError):
        await store.publish(written(store, b"x"), odd)
