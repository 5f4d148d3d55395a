"""A measure has one definition: the views and the API sum up by the same words."""

from importlib.resources import files

import pytest

from fareline_chassis.postgres.sql import load_queries

VIEWS = ("hourly", "daily", "daily_by_number", "daily_by_reason")


def squeezed(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_sums_up_as_the_api_does(view: str) -> None:
    schema = squeezed((files("recording_ingest") / "schema.sql").read_text())
    (body,) = [part for part in schema.split("CREATE VIEW ") if part.startswith(f"analytics.{view} AS")]
    assert squeezed(load_queries("recording_ingest.outbound", "calls").measures) in body
    assert "FROM analytics.calls GROUP BY" in body
