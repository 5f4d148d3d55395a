import pytest

from fareline_chassis.postgres.sql import Queries, QueriesUnusable, load_queries, parse_queries

TEXT = """-- What the adapter asks.

-- name: claim_slots
-- the primary key decides a race
INSERT INTO slot VALUES ($1);

-- name: free
DELETE FROM slot
"""


def test_each_query_is_an_attribute() -> None:
    queries = Queries("x.sql", parse_queries("x.sql", TEXT))
    assert queries.free == "DELETE FROM slot"
    assert queries.claim_slots.endswith("INSERT INTO slot VALUES ($1);")
    assert list(queries) == ["claim_slots", "free"]


def test_an_unknown_query_is_an_error_that_helps() -> None:
    with pytest.raises(AttributeError, match=r"x\.sql has no query claims; it has claim_slots, free"):
        _ = Queries("x.sql", parse_queries("x.sql", TEXT)).claims


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("SELECT 1", "before the first name"),
        ("-- only words", "has no query"),
        ("-- name: a\nSELECT 1\n-- name: a\nSELECT 2", "a is there twice"),
        ("-- name: a\n-- nothing\n-- name: b\nSELECT 2", "a is empty"),
        ("-- name: no-identifier\nSELECT 1", "cannot be a query's name"),
        ("-- name: \nSELECT 1", "cannot be a query's name"),
    ],
)
def test_a_file_that_is_not_made_of_queries_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(QueriesUnusable, match=complaint):
        parse_queries("x.sql", text)


@pytest.mark.parametrize("package", ["fareline_chassis", "fareline_chassis.nowhere"])
def test_a_missing_file_is_named(package: str) -> None:
    with pytest.raises(QueriesUnusable, match=r"nothing\.sql is missing"):
        load_queries(package, "nothing")
