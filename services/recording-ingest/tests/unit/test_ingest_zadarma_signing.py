"""Zadarma's REST signature, on its published form with a test key."""

import pytest

from recording_ingest.domain.zadarma import authorization, links, signed_query


@pytest.mark.parametrize(
    ("path", "parameters", "query", "signature"),
    [
        ("/v1/info/balance/", {}, "format=json", "MTI3MGM2N2M3M2NlODY0ZjdkODk1NzliMzc4MjlmMjYzZWUxMmEwYQ=="),
        (
            "/v1/statistics/pbx/",
            {"version": "2", "start": "2024-05-01 00:00:00", "end": "2024-05-01 23:59:59"},
            "end=2024-05-01+23%3A59%3A59&format=json&start=2024-05-01+00%3A00%3A00&version=2",
            "ZDEyNjM4ZmRiZTczMGJmYTk5MjAyNDBjMGIyNGFkZmNkZjNhYjRhOA==",
        ),
        (
            "/v1/pbx/record/request/",
            {"pbx_call_id": "in_ae6b03b3b0765d127ec0b739209346bbc4f0d52d", "lifetime": "7200"},
            "format=json&lifetime=7200&pbx_call_id=in_ae6b03b3b0765d127ec0b739209346bbc4f0d52d",
            "MmUzNTAzYzQ4NDZmNTVlNjA4NDYzYjVkZTAwNzdiNmFiYTgzOWNhZA==",
        ),
    ],
)
def test_signatures(path: str, parameters: dict[str, str], query: str, signature: str) -> None:
    assert signed_query(parameters) == query
    assert authorization("test_key", "test_secret", path, query) == f"test_key:{signature}"


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"status": "success", "link": "https://a/1"}, ["https://a/1"]),
        ({"status": "success", "links": ["https://a/1", "https://a/2"]}, ["https://a/1", "https://a/2"]),
        ({"status": "error", "message": "File not found", "link": "https://a/1"}, []),
        ({"status": "success"}, []),
        ({"status": "success", "links": {"1": "https://a/1"}}, []),
        (["https://a/1"], []),
        (None, []),
    ],
)
def test_links_of_an_answer(document: object, expected: list[str]) -> None:
    assert links(document) == expected
