"""What OpenAPI says beyond the shapes: who may ask, how refusals look, and an example of every answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fareline_chassis.problems import describe_problems, described
from order_binder.inbound.http_examples import ANSWERS, PROBLEM

_REFUSALS = {
    "400": "Something is not valid; `errors` names the fields.",
    "401": "No known bearer token.",
    "403": "The token does not grant this here.",
    "404": "There is no such tenant or number.",
    "409": "The number cannot be had, or be given up, as things stand.",
    "413": "The body is too large.",
    "503": "Kafka or the database does not answer; ask again.",
}
Json = dict[str, Any]


class DescribedApi(FastAPI):
    """An application whose description has bearer tokens, problems and examples in every operation."""

    def openapi(self) -> Json:
        """Return the description, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = _described(
                get_openapi(title=self.title, version=self.version, description=self.description, routes=self.routes)
            )
        return self.openapi_schema


def _described(document: Json) -> Json:
    describe_problems(document)
    document["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe_operation(f"{method.upper()} {path}", operation)
    return document


def _describe_operation(name: str, operation: Json) -> None:
    operation["security"] = [{"token": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    for status, meaning in _REFUSALS.items():
        responses[status] = described(meaning, PROBLEM | {"status": int(status), "title": meaning})
    for status, example in ANSWERS.get(name, {}).items():
        responses[status]["content"]["application/json"]["example"] = example
