"""Each account's way to its recordings."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import web
from ingest_source import file_source

from recording_ingest.domain.addresses import HostRules
from recording_ingest.domain.recordings import Reason, Recording, State
from recording_ingest.domain.zadarma import authorization
from recording_ingest.outbound.downloads import Caps, Downloader
from recording_ingest.outbound.sources import AccountSources, SourceAccount
from recording_ingest.ports.downloads import FetchFailed

RULES = HostRules(frozenset({"127.0.0.1"}), private=True)
ENTRY = Recording("r", "c-1", "zd", "in_1", "demo", State.READY, source_id="123.45")


async def fetch(account: SourceAccount, entry: Recording, into: Path) -> None:
    await AccountSources({"zd": account}, Downloader(Caps())).fetch(entry, into)


async def test_zadarma_is_asked_for_a_link_with_its_signature(tmp_path: Path) -> None:
    async def request(request: web.Request) -> web.StreamResponse:
        parts = urlsplit(request.raw_path)
        assert request.headers["Authorization"] == authorization("key", "secret", parts.path, parts.query)
        assert parse_qs(parts.query) == {"call_id": ["123.45"], "format": ["json"], "lifetime": ["1800"]}
        return web.json_response({"status": "success", "link": source.url("/download/t/a.mp3")})

    async with file_source() as source:
        source.handle("/v1/pbx/record/request/", request)
        source.file("/download/t/a.mp3", b"audio")
        await fetch(SourceAccount("zadarma", RULES, source.url(""), "key", "secret"), ENTRY, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"audio"


@pytest.mark.parametrize(
    ("status", "document", "reason"),
    [
        (200, {"status": "error", "message": "File not found"}, Reason.NOT_FOUND),
        (404, {}, Reason.NOT_FOUND),
        (401, {"status": "error"}, Reason.SOURCE_FAILED),
        (429, {"status": "error"}, Reason.SOURCE_FAILED),
        (200, {"status": "success", "link": "http://10.0.0.1/a.mp3"}, Reason.REFUSED_ADDRESS),
    ],
)
async def test_what_zadarma_may_say_instead(
    tmp_path: Path, status: int, document: dict[str, str], reason: Reason
) -> None:
    async def request(_: web.Request) -> web.StreamResponse:
        return web.json_response(document, status=status)

    async with file_source() as source:
        source.handle("/v1/pbx/record/request/", request)
        with pytest.raises(FetchFailed) as caught:
            await fetch(SourceAccount("zadarma", RULES, source.url(""), "key", "secret"), ENTRY, tmp_path / "a")
    assert caught.value.reason is reason


async def test_twilio_gets_its_password_and_no_other_host_does(tmp_path: Path) -> None:
    seen: list[str | None] = []

    async def media(request: web.Request) -> web.StreamResponse:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=b"audio")

    async with file_source() as source:
        entry = replace(ENTRY, url=source.handle("/r.wav", media))
        await fetch(SourceAccount("twilio", RULES, source.url(""), "AC1", "token"), entry, tmp_path / "a")
        await fetch(SourceAccount("twilio", RULES, "https://api.twilio.com", "AC1", "token"), entry, tmp_path / "b")
    assert seen == ["Basic QUMxOnRva2Vu", None]


@pytest.mark.parametrize("account", [SourceAccount("generic", RULES), SourceAccount("zadarma", RULES)])
async def test_no_url_and_no_way_to_ask_for_one(tmp_path: Path, account: SourceAccount) -> None:
    with pytest.raises(FetchFailed):
        await fetch(account, ENTRY, tmp_path / "a")


async def test_an_account_that_is_not_configured(tmp_path: Path) -> None:
    with pytest.raises(FetchFailed, match="not configured"):
        await AccountSources({}, Downloader(Caps())).fetch(ENTRY, tmp_path / "a")


async def test_a_call_that_announced_nothing_is_asked_for_whole(tmp_path: Path) -> None:
    questions: list[dict[str, list[str]]] = []

    async def request(request: web.Request) -> web.StreamResponse:
        questions.append(parse_qs(request.query_string))
        return web.json_response({"status": "success", "links": [source.url("/d/t/b.mp3"), source.url("/d/t/a.mp3")]})

    unnamed = replace(ENTRY, source_id=None, state=State.EXPECTED)
    async with file_source() as source:
        source.handle("/v1/pbx/record/request/", request)
        source.file("/d/t/a.mp3", b"first")
        source.file("/d/t/b.mp3", b"second")
        account = SourceAccount("zadarma", RULES, source.url(""), "key", "secret")
        sources = AccountSources({"zd": account}, Downloader(Caps()))
        fetched = await sources.fetch(unnamed, tmp_path / "a")
        assert ((tmp_path / "a").read_bytes(), fetched.beside) == (b"second", ("a",))
        await sources.fetch(replace(ENTRY, source_id="beside:a"), tmp_path / "b")
        assert (tmp_path / "b").read_bytes() == b"first"
        with pytest.raises(FetchFailed, match="no link"):
            await sources.fetch(replace(ENTRY, source_id="beside:c"), tmp_path / "c")
    assert [question["pbx_call_id"] for question in questions] == [["in_1"]] * 3


async def test_an_accounts_turn_is_waited_for_before_each_question(tmp_path: Path) -> None:
    turns: list[tuple[str, timedelta]] = []

    async def turn(account: str, every: timedelta) -> None:
        turns.append((account, every))

    account = SourceAccount("zadarma", RULES, "http://127.0.0.1:9", "key", "secret", every=timedelta(seconds=1.2))
    with pytest.raises(FetchFailed):
        await AccountSources({"zd": account}, Downloader(Caps()), turn).fetch(ENTRY, tmp_path / "a")
    assert turns == [("zd", timedelta(seconds=1.2))]


@pytest.mark.parametrize(
    ("given", "wanted", "asked"),
    [
        ("/Recordings/RE1", "wav", "/Recordings/RE1.wav"),
        ("/r.mp3", "wav", "/r.mp3"),
        ("/Recordings/RE1", None, "/Recordings/RE1"),
    ],
)
async def test_twilio_is_asked_for_the_form_wanted(tmp_path: Path, given: str, wanted: str | None, asked: str) -> None:
    async with file_source() as source:
        source.file(asked, b"audio")
        account = SourceAccount("twilio", RULES, audio_format=wanted)
        await fetch(account, replace(ENTRY, url=source.url(given)), tmp_path / "a")
        assert source.asked == [asked]
