"""The data map on docs/phones-at-rest.md names every table, and every topic that this service reads or writes."""

import re
from importlib.resources import files
from pathlib import Path

import pytest

from fareline_contracts.topics import deployed_topics

SERVICE = "recording-ingest"


@pytest.fixture
def page(repository_root: Path) -> str:
    return (repository_root / "docs" / "phones-at-rest.md").read_text()


def mapped(page: str) -> set[str]:
    chapter = page.partition("## Data map")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \|", chapter, re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([\w.]+)`", row)}


def kept(schema: str) -> set[str]:
    """Return the tables of a schema without their partitions, and the topics that the service has to do with."""
    tables = set(re.findall(r"^CREATE TABLE (\w+) \(", schema, re.MULTILINE))
    topics = {topic.name for topic in deployed_topics() if SERVICE in (*topic.producers, *topic.consumers)}
    return tables | topics


def test_everything_that_is_kept_stands_in_the_map(page: str) -> None:
    schema = files("recording_ingest").joinpath("schema.sql").read_text()
    assert len(kept(schema)) > 14
    assert kept(schema) ^ (mapped(page) - {"analytics"}) == set()


def test_a_planted_table_and_a_line_too_many_are_found(page: str) -> None:
    schema = files("recording_ingest").joinpath("schema.sql").read_text()
    assert kept(schema + "\nCREATE TABLE planted (\n") - mapped(page) == {"planted"}
    assert mapped(page.replace("| `call_heads` |", "| `gone` |")) - kept(schema) >= {"gone"}
