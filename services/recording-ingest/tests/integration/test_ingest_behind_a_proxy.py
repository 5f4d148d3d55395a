"""Whose address the access log has: the peer's, or what a proxy says of its client where the setting names the proxy."""

from pathlib import Path
from typing import Any

import pytest
from ingest_stack import ServiceBox, migrated

CLIENT = "198.51.100.7"


@pytest.mark.parametrize(
    ("trusted", "said", "noted"),
    [
        ("", CLIENT, "127.0.0.1"),
        ("10.0.0.0/8, ::1", CLIENT, "127.0.0.1"),
        ("10.0.0.0/8, 127.0.0.1", CLIENT, CLIENT),
        ("127.0.0.1", f"192.0.2.66, {CLIENT}", CLIENT),
        ("127.0.0.1", "unknown", None),
        ("127.0.0.1", "+79031112233", None),
    ],
)
async def test_only_a_proxy_that_is_named_is_believed(
    database_url: str, kafka_bootstrap: str, registry_topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    trusted: str, said: str, noted: str | None,
) -> None:  # fmt: skip
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", trusted)
    await migrated(database_url)
    async with ServiceBox(database_url, kafka_bootstrap, registry_topics, tmp_path).running() as service:
        headers = {"Authorization": "Bearer root", "X-Forwarded-For": said}
        found = await service.client.post("/v1/calls/search", json={"caller": "+79031112233"}, headers=headers)
        assert found.status_code == 200
        log: dict[str, Any] = (await service.get("/v1/access-log", token="root")).json()
    assert [one["ip"] for one in log["accesses"]] == [noted]
