"""The DuckDB query of docs/analysts.md, over a file as the service makes it."""

import re
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pytest

from recording_ingest.domain.search import Line
from recording_ingest.inbound.exports import COLUMNS, parquet_of

ROWS = [("pair", 51.0), ("pair", 39.0), ("pair", None), ("unknown_caller", None)]


async def pages() -> AsyncIterator[Sequence[Line]]:
    empty: dict[str, object] = dict.fromkeys(COLUMNS)
    started = datetime(2026, 11, 24, 10, tzinfo=UTC)
    for reason, talk_s in ROWS:
        yield [{**empty, "reason": reason, "talk_s": talk_s, "started_at": started}]


async def test_the_pages_query_runs_over_an_export(
    pytestconfig: pytest.Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = (pytestconfig.rootpath / "docs" / "analysts.md").read_text()
    (query,) = re.findall(r'^duckdb -c "(.*)"$', page, flags=re.MULTILINE)
    (tmp_path / "calls.parquet").write_bytes(b"".join([chunk async for chunk in parquet_of(pages())]))
    monkeypatch.chdir(tmp_path)
    with duckdb.connect() as connection:
        assert connection.execute(query).fetchall() == [("pair", 3, 45.0), ("unknown_caller", 1, None)]
        kinds = dict(
            connection.execute("SELECT column_name, column_type FROM (DESCRIBE FROM 'calls.parquet')").fetchall()
        )
    assert (kinds["started_at"], kinds["talk_s"], kinds["dials"]) == ("TIMESTAMP WITH TIME ZONE", "DOUBLE", "BIGINT")
