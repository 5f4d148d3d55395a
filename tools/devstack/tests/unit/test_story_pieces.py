"""The story's own tools: how they sign, what they record, and how the small Zadarma answers."""

import io
import json

import httpx
import pytest
import soundfile

from fareline_contracts.accounts import load_accounts
from fareline_devstack.story.accounts import fake_zadarma_for, write_accounts
from fareline_devstack.story.audio import conversation
from fareline_devstack.story.fake_zadarma import FakeZadarma
from fareline_devstack.story.signatures import standard_webhook, zadarma_api, zadarma_webhook

CALLED = {"caller_id": "442071234567", "called_did": "442079460000", "call_start": "2024-05-01 12:00:00"}
ANSWERED = {"caller_id": "442071234567", "destination": "100", "call_start": "2024-05-01 12:00:00"}
OUTGOING = {"internal": "100", "destination": "442071234567", "call_start": "2024-05-01 12:00:00"}
RECORDED = {"pbx_call_id": "in_ae6b03b3b0765d127ec0b739209346bbc4f0d52d", "call_id_with_rec": "1458313316.343456"}


@pytest.mark.parametrize(
    ("event", "form", "signature"),
    [
        ("NOTIFY_START", CALLED, "NDYxNDhlMTg0ZjY2MmExYWZhNzlhNDk2YzA5MmRhYjdiYjRjYTNhOQ=="),
        ("NOTIFY_IVR", CALLED, "NDYxNDhlMTg0ZjY2MmExYWZhNzlhNDk2YzA5MmRhYjdiYjRjYTNhOQ=="),
        ("NOTIFY_ANSWER", ANSWERED, "MTY1NTUwMDA0ODkwNjgyYzMxZWM0NjA5MDkwNzg3NDUwMmUyMjQzZg=="),
        ("NOTIFY_OUT_END", OUTGOING, "MTMyNTE3NDRlMGJmOWQ1NTcyNDk5YTM2MGQzNGRjNzEzOGQ0MGZlZg=="),
        ("NOTIFY_RECORD", RECORDED, "M2RkMzRlNzNkYmE0MGJkNjg1OTczZjQyM2ZlYjBkOWJjOTRlNDcwNQ=="),
    ],
)
def test_webhooks_are_signed_as_zadarma_signs_them(event, form, signature):
    assert zadarma_webhook("test_secret", form | {"event": event}) == signature


@pytest.mark.parametrize(
    ("path", "query", "signature"),
    [
        ("/v1/info/balance/", "format=json", "MTI3MGM2N2M3M2NlODY0ZjdkODk1NzliMzc4MjlmMjYzZWUxMmEwYQ=="),
        (
            "/v1/statistics/pbx/",
            "version=2&start=2024-05-01+00%3A00%3A00&end=2024-05-01+23%3A59%3A59&format=json",
            "ZDEyNjM4ZmRiZTczMGJmYTk5MjAyNDBjMGIyNGFkZmNkZjNhYjRhOA==",
        ),
        (
            "/v1/pbx/record/request/",
            "format=json&lifetime=7200&pbx_call_id=in_ae6b03b3b0765d127ec0b739209346bbc4f0d52d",
            "MmUzNTAzYzQ4NDZmNTVlNjA4NDYzYjVkZTAwNzdiNmFiYTgzOWNhZA==",
        ),
    ],
)
def test_api_requests_are_signed_whatever_the_order_of_their_parameters(path, query, signature):
    assert zadarma_api("test_secret", path, query) == signature


def test_standard_webhooks_are_signed_as_their_library_does():
    signature = standard_webhook(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        message_id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_conversation_is_audible_on_both_sides_and_lasts_as_long_as_it_says():
    audio = conversation(3)
    samples, rate = soundfile.read(io.BytesIO(audio.data))
    assert samples.shape[1] == 2
    assert abs(len(samples) / rate - audio.seconds) < 0.2
    assert (abs(samples).max(axis=0) > 0.1).all()


@pytest.fixture
def zadarma():
    with FakeZadarma(key="test_key", secret="test_secret") as running:
        running.keep("in_1", "1458313316.343456", b"audio")
        yield running


def ask(zadarma, query, *, secret="test_secret"):
    path = "/v1/pbx/record/request/"
    headers = {"Authorization": f"test_key:{zadarma_api(secret, path, query)}"}
    return httpx.get(f"{zadarma.base_url}{path}?{query}", headers=headers, trust_env=False)


def test_a_signed_request_for_a_call_gets_links_to_its_files(zadarma):
    answer = ask(zadarma, "format=json&lifetime=1800&pbx_call_id=in_1")
    assert answer.status_code == 200
    [link] = answer.json()["links"]
    assert link.endswith("/1458313316.343456.mp3")
    file = httpx.get(link, trust_env=False)
    assert (file.status_code, file.headers["content-type"], file.content) == (200, "audio/mpeg", b"audio")


def test_a_request_for_a_recording_gets_one_link(zadarma):
    document = ask(zadarma, "call_id=1458313316.343456&format=json").json()
    assert document["status"] == "success"
    assert httpx.get(document["link"], trust_env=False).content == b"audio"


def test_a_wrong_signature_gets_no_link(zadarma):
    answer = ask(zadarma, "format=json&pbx_call_id=in_1", secret="another")
    assert (answer.status_code, answer.json()["status"]) == (401, "error")
    assert zadarma.refused == 1


def test_an_unknown_call_and_an_unknown_link_are_not_found(zadarma):
    assert ask(zadarma, "format=json&pbx_call_id=in_2").status_code == 404
    assert httpx.get(f"{zadarma.base_url}/v1/pbx/record/download/x/y.mp3", trust_env=False).status_code == 404


def test_the_accounts_of_a_run_differ_from_the_demos_in_one_address_only(repository_root, tmp_path):
    demo = repository_root / "deploy/demo/accounts.json"
    fake_zadarma_for(demo)
    written = write_accounts(demo, api_base="http://127.0.0.1:9", to=tmp_path / "run" / "accounts.json")
    assert load_accounts(written, demo=True)["demo-zadarma"].recordings.api_base == "http://127.0.0.1:9"
    ours, theirs = json.loads(written.read_bytes()), json.loads(demo.read_bytes())
    ours["accounts"][0]["recordings"]["api_base"] = theirs["accounts"][0]["recordings"]["api_base"]
    assert ours == theirs
    assert written.stat().st_mode & 0o077 == 0
