"""What OpenAPI says beyond the shapes: who may ask, how refusals look, and an example of every answer."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from order_binder.inbound.http_examples import ANSWERS, PROBLEM

_PROBLEM_TYPE = "application/problem+json"
_PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457. `errors` names each field that is wrong by its JSON pointer, or `query/…`, `path/…`.",
    "required": ["type", "title", "status"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {"pointer": {"type": "string"}, "detail": {"type": "string"}},
            },
        },
    },
}
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
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = _PROBLEM_SCHEMA
    components["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _describe_operation(f"{method.upper()} {path}", operation)
    return document


def _describe_operation(name: str, operation: Json) -> None:
    operation["security"] = [{"token": []}]
    responses = operation["responses"]
    responses.pop("422", None)
    for status, meaning in _REFUSALS.items():
        example = PROBLEM | {"status": int(status), "title": meaning}
        content = {_PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
        responses[status] = {"description": meaning, "content": content}
    for status, example in ANSWERS.get(name, {}).items():
        responses[status]["content"]["application/json"]["example"] = example
