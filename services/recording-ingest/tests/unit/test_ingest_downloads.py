"""Downloads from a server that cuts, lies, drips, redirects and compresses."""

import hashlib
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web
from ingest_source import FileSource, audio, file_source

from recording_ingest.domain.addresses import HostRules
from recording_ingest.domain.recordings import Reason
from recording_ingest.outbound.connections import Patience
from recording_ingest.outbound.downloads import Caps, Downloader
from recording_ingest.ports.downloads import FetchFailed

HERE = HostRules(frozenset({"127.0.0.1", "pbx.example"}), private=True)
CAPS = Caps(size_bytes=100_000)
HURRIED = Caps(size_bytes=100_000, patience=Patience(read=timedelta(milliseconds=500)))


async def here(_: str) -> list[str]:
    return ["127.0.0.1"]


async def failure(
    url: str, into: Path, rules: HostRules = HERE, headers: dict[str, str] | None = None, caps: Caps = CAPS
) -> FetchFailed:
    with pytest.raises(FetchFailed) as caught:
        await Downloader(caps, here).download(url, into, rules, headers or {})
    return caught.value


async def test_a_whole_file(tmp_path: Path) -> None:
    body = audio()
    async with file_source() as source:
        fetched = await Downloader(CAPS, here).download(source.file("/a.wav", body), tmp_path / "a", HERE, {})
    assert (tmp_path / "a").read_bytes() == body
    assert (fetched.sha256, fetched.size_bytes) == (hashlib.sha256(body).hexdigest(), len(body))


@pytest.mark.parametrize(
    ("status", "reason", "final"),
    [
        (404, Reason.NOT_FOUND, False),
        (410, Reason.NOT_FOUND, True),
        (403, Reason.SOURCE_FAILED, False),
        (500, Reason.SOURCE_FAILED, False),
        (206, Reason.SOURCE_FAILED, False),
    ],
)
async def test_other_answers(tmp_path: Path, status: int, reason: Reason, final: bool) -> None:
    async with file_source() as source:
        failed = await failure(source.status("/a", status), tmp_path / "a")
    assert (failed.reason, failed.final) == (reason, final)


async def test_a_busy_source_says_when_to_come_back(tmp_path: Path) -> None:
    async with file_source() as source:
        failed = await failure(source.status("/a", 429, Retry_After="17"), tmp_path / "a")
    assert failed.retry_after == timedelta(seconds=17)


async def test_a_body_cut_short_is_incomplete(tmp_path: Path) -> None:
    async with file_source() as source:
        failed = await failure(source.cut("/a", b"x" * 500, 1000), tmp_path / "a")
    assert failed.reason is Reason.INCOMPLETE


async def test_too_much_is_refused_announced_or_not(tmp_path: Path) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x" * 10_000)
        return response

    async with file_source() as source:
        announced = await failure(source.file("/a", b"x" * 100_001), tmp_path / "a")
        counted = await failure(source.handle("/b", endless), tmp_path / "b")
    assert announced.reason is counted.reason is Reason.TOO_LARGE
    assert announced.final
    assert counted.final


async def test_a_source_that_stops_talking(tmp_path: Path) -> None:
    import asyncio

    gate = asyncio.Event()
    async with file_source() as source:
        failed = await failure(source.slow("/a", b"x" * 5000, gate), tmp_path / "a", caps=HURRIED)
        gate.set()
    assert failed.reason is Reason.SOURCE_FAILED


async def test_compression_is_refused(tmp_path: Path) -> None:
    async with file_source() as source:
        failed = await failure(source.status("/a", 200, Content_Encoding="gzip"), tmp_path / "a")
    assert failed.reason is Reason.SOURCE_FAILED


async def redirecting(source: FileSource, path: str, target: str) -> str:
    return source.status(path, 302, Location=target)


async def test_redirects_are_followed_within_the_rules_and_without_credentials(tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def last(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"audio")

    async with file_source() as source:
        source.handle("/last", last)
        await redirecting(source, "/same", "/last")
        await redirecting(source, "/other", f"http://pbx.example:{source.port}/last")
        downloader = Downloader(CAPS, here)
        await downloader.download(source.url("/same"), tmp_path / "a", HERE, {"Authorization": "Basic x"})
        await downloader.download(source.url("/other"), tmp_path / "b", HERE, {"Authorization": "Basic x"})
    assert seen == ["Basic x", None]


@pytest.mark.parametrize(
    "target", ["http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "http://localhost/"]
)
async def test_redirects_out_of_the_rules_are_refused(tmp_path: Path, target: str) -> None:
    async with file_source() as source:
        failed = await failure(await redirecting(source, "/a", target), tmp_path / "a")
    assert (failed.reason, failed.final) == (Reason.REFUSED_ADDRESS, True)


async def test_redirects_have_an_end(tmp_path: Path) -> None:
    async with file_source() as source:
        failed = await failure(await redirecting(source, "/a", "/a"), tmp_path / "a")
        assert len(source.asked) == 4
    assert failed.reason is Reason.SOURCE_FAILED


@pytest.mark.parametrize("answer", [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::ffff:127.0.0.1"], []])
async def test_a_name_that_leads_inside_is_refused_before_any_connection(tmp_path: Path, answer: list[str]) -> None:
    async def resolver(_: str) -> list[str]:
        return answer

    rules = HostRules(frozenset({"pbx.example"}))
    with pytest.raises(FetchFailed) as caught:
        await Downloader(CAPS, resolver).download("https://pbx.example/a", tmp_path / "a", rules, {})
    assert caught.value.reason is Reason.REFUSED_ADDRESS


async def test_the_address_that_was_checked_is_the_one_connected_to(tmp_path: Path) -> None:
    asked: list[str] = []

    async def changing(host: str) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["203.0.113.1"]

    async with file_source() as source:
        source.file("/a", b"audio")
        await Downloader(CAPS, changing).download(f"http://pbx.example:{source.port}/a", tmp_path / "a", HERE, {})
    assert asked == ["pbx.example"]
