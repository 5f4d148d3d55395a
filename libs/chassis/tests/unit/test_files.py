import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path

import pytest
from eventually import eventually
from structlog.testing import capture_logs

from fareline_chassis.auth import TokenBook
from fareline_chassis.files import follow_file, stamp_of

OFTEN = timedelta(milliseconds=10)


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch):
    """Give a context that follows a file, entered after the first look at it: what changed before is no change."""
    looks: list[Path] = []

    def noting(path: Path):
        found = stamp_of(path)
        looks.append(path)
        return found

    monkeypatch.setattr("fareline_chassis.files.stamp_of", noting)

    @asynccontextmanager
    async def followed(job) -> AsyncIterator[None]:
        task = asyncio.create_task(job)
        try:
            await holds(lambda: looks)
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return followed


def holds(condition):
    async def look() -> bool:
        return bool(condition())

    return eventually(look)


async def test_a_changed_file_is_read_again_and_a_bad_one_leaves_things_as_they_are(running, tmp_path: Path) -> None:
    path, read = tmp_path / "file", []  # a file that is looked at while it is written is read twice
    path.write_text("1")

    def renew() -> None:
        read.append(int(path.read_text()))

    with capture_logs() as lines:
        async with running(follow_file(path, renew, every=OFTEN)):
            path.write_text("22")
            await holds(lambda: 22 in read)
            path.write_text("bad")
            await holds(lambda: any(line["event"] == "file.unusable" for line in lines))
            path.unlink()
            path.write_text("4444")
            await holds(lambda: 4444 in read)
    assert list(dict.fromkeys(read)) == [22, 4444]


async def test_a_link_that_points_elsewhere_is_another_file(running, tmp_path: Path) -> None:
    """As Kubernetes changes a mounted secret: the folder behind the link is replaced."""
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name)
    (tmp_path / "data").symlink_to("old")
    path, read = tmp_path / "data" / "file", []
    async with running(follow_file(path, lambda: read.append(path.read_text()), every=OFTEN)):
        (tmp_path / "next").symlink_to("new")
        (tmp_path / "next").replace(tmp_path / "data")
        await holds(lambda: read == ["new"])


async def test_a_token_is_struck_out_and_another_one_added_without_a_restart(running, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(tokens("old"))
    book = TokenBook.load(path, demo=False)
    async with running(book.keep_current(OFTEN)):
        path.write_text(tokens("brand-new"))
        await holds(lambda: book.grant_for("Bearer brand-new") is not None)
        assert book.grant_for("Bearer old") is None


def tokens(token: str) -> str:
    digest = hashlib.sha256(token.encode()).hexdigest()
    return json.dumps({"tokens": [{"name": token, "sha256": digest, "tenants": ["*"], "scopes": ["*"]}]})
