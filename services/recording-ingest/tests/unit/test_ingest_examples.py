"""OpenAPI: every answer of every route shows what it looks like, by an example that fits its own schema."""

import json
from typing import Any

import pytest
from ingest_document import openapi
from jsonschema import Draft202012Validator

PROBLEM = "application/problem+json"
JSON = ("application/json", PROBLEM)


def faults(document: dict[str, Any]) -> list[str]:
    """Return which answers show nothing, or something that does not fit."""
    found = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            for status, answer in operation["responses"].items():
                wrong = fault_of(document, status, answer)
                found += [f"{method} {path} {status}: {wrong}"] if wrong else []
    return found


def fault_of(document: dict[str, Any], status: str, answer: dict[str, Any]) -> str | None:
    content = answer.get("content", {})
    headers = answer.get("headers", {}).values()
    if any("example" not in header for header in headers):
        return "a header without an example"
    if not content:
        return None if status == "204" else "no content"
    if any(shape.get("schema", {}).get("format") == "binary" for shape in content.values()):
        return None if headers else "a file without headers"
    found = (fault_in(document, status, kind, shape) for kind, shape in content.items())
    return next(filter(None, found), None)


def fault_in(document: dict[str, Any], status: str, kind: str, shape: dict[str, Any]) -> str | None:
    if "example" not in shape:
        return f"no example of {kind}"
    if kind in JSON and (wrong := misfit(document, shape)):
        return wrong
    other = kind == PROBLEM and status.isdecimal() and shape["example"]["status"] != int(status)
    return "another status" if other else None


def misfit(document: dict[str, Any], shape: dict[str, Any]) -> str | None:
    schema = {**shape["schema"], "components": document["components"]}
    error = next(Draft202012Validator(schema).iter_errors(shape["example"]), None)
    if error:
        return error.message
    properties = document["components"]["schemas"][shape["schema"]["$ref"].rpartition("/")[2]]["properties"]
    odd = set(shape["example"]) - set(properties)
    return f"unknown fields {sorted(odd)}" if odd else None


def apart() -> dict[str, Any]:
    """Return the document with nothing in it shared, so that a fault planted stands in one place."""
    return dict(json.loads(json.dumps(openapi())))


def test_every_answer_of_every_route_has_an_example_that_fits() -> None:
    document = openapi()
    assert len(document["paths"]) >= 15
    assert faults(document) == []


@pytest.mark.parametrize(
    ("method", "path", "status", "plant"),
    [
        ("get", "/v1/calls", "200", lambda shape: shape.pop("example")),
        ("get", "/v1/calls", "200", lambda shape: shape["example"]["calls"][0].pop("dials")),
        ("get", "/v1/calls/stats", "200", lambda shape: shape["example"]["groups"][0].update(attempts="five")),
        ("get", "/v1/legal-holds", "200", lambda shape: shape["example"].update(colour="red")),
        ("put", "/v1/recordings/{account}/{pbx_call_id}", "409", lambda shape: shape["example"].update(status=410)),
    ],
)
def test_a_planted_fault_is_found(method: str, path: str, status: str, plant: Any) -> None:
    document = apart()
    (shape,) = document["paths"][path][method]["responses"][status]["content"].values()
    plant(shape)
    assert [one.partition(": ")[0] for one in faults(document)] == [f"{method} {path} {status}"]


def test_answers_without_anything_are_found() -> None:
    document = apart()
    document["paths"]["/v1/calls.parquet"]["get"]["responses"]["200"].pop("headers")
    document["paths"]["/v1/erasures"]["post"]["responses"]["201"].pop("content")
    assert len(faults(document)) == 2
