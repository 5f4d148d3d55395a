"""Errors of an HTTP interface as RFC 9457 problems (`application/problem+json`)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TypedDict

import orjson
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from fareline_chassis.privacy import redact_phones

MEDIA_TYPE: Final = "application/problem+json"
_SCHEMA: Final[Mapping[str, Any]] = {
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
_OF_FASTAPI: Final = ("HTTPValidationError", "ValidationError")
_NOT_READ: Final = "was not read as JSON: send it with the header Content-Type: application/json"


class FieldError(TypedDict):
    """What is wrong with one field.

    `pointer` is a JSON pointer into the body as a URI fragment (`#/client/phones/0`), or `query/since`, `path/e164`,
    `header/…` for a parameter.
    """

    pointer: str
    detail: str


class Problem(Exception):
    """An answer that says what went wrong; raise it anywhere below a route. `detail` is for people and has no phone."""

    def __init__(
        self,
        status: int,
        title: str | None = None,
        *,
        type: str = "about:blank",  # noqa: A002 - the name is RFC 9457's
        detail: str | None = None,
        errors: Sequence[FieldError] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.type = type
        self.title = title or HTTPStatus(status).phrase
        self.detail = redact_phones(detail) if detail else None
        self.errors = tuple(errors)
        self.headers = dict(headers or {})
        super().__init__(f"{status} {self.title}" + (f": {self.detail}" if self.detail else ""))

    def response(self) -> Response:
        """Return this problem as the response to send."""
        body: dict[str, Any] = {"type": self.type, "title": self.title, "status": self.status}
        if self.detail:
            body["detail"] = self.detail
        if self.errors:
            body["errors"] = self.errors
        return Response(orjson.dumps(body), self.status, headers=self.headers, media_type=MEDIA_TYPE)


def invalid_document(error: ValidationError) -> Problem:
    """Return the 400 for a body that a route has checked against a pydantic model by itself."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    return _invalid([("body", *one["loc"]) for one in found], [one["msg"] for one in found])


def invalid_parameters(names: Sequence[str], detail: str) -> Problem:
    """Return the 400 that says the same of each of these query parameters."""
    return _invalid([("query", name) for name in names], [detail] * len(names))


def described(meaning: str, example: Mapping[str, Any]) -> dict[str, Any]:
    """Return what OpenAPI says of an answer that is a problem; the document has its shape by `describe_problems`."""
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": dict(example)}
    return {"description": meaning, "content": {MEDIA_TYPE: content}}


def describe_problems(document: dict[str, Any]) -> dict[str, Any]:
    """Put the shape of problems into an OpenAPI document, instead of FastAPI's own errors; return all its schemas."""
    schemas: dict[str, Any] = document.setdefault("components", {}).setdefault("schemas", {})
    for unused in _OF_FASTAPI:
        schemas.pop(unused, None)
    schemas["Problem"] = dict(_SCHEMA)
    return schemas


def problem_handlers(app: Starlette) -> None:
    """Make `app` (FastAPI or Starlette) answer every error with a problem.

    Invalid input is 400 naming each field and never repeating its value, an unforeseen exception is 500 without any
    detail (the server logs it), Starlette's and FastAPI's own HTTP errors keep status and headers.
    """
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_exception)
    app.add_exception_handler(Exception, _on_unforeseen)


async def _on_problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


async def _on_invalid_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(one["type"] == "json_invalid" for one in found):
        return _invalid([("body",)], ["not valid JSON"]).response()
    if isinstance(error.body, bytes):  # FastAPI reads a body as JSON only where its content type says that it is
        others = [one for one in found if one["loc"][0] != "body"]
        places, texts = [one["loc"] for one in others], [one["msg"] for one in others]
        return _invalid([("body",), *places], [_NOT_READ, *texts]).response()
    return _invalid([one["loc"] for one in found], [one["msg"] for one in found]).response()


async def _on_http_exception(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST and error.__cause__ is not None:
        # FastAPI's word for a body that its JSON reader chokes on: no text, far too deep, endless digits.
        return _invalid([("body",)], ["cannot be read as JSON"]).response()
    phrase = HTTPStatus(error.status_code).phrase
    detail = None if error.detail == phrase else str(error.detail)
    return Problem(error.status_code, detail=detail, headers=error.headers).response()


async def _on_unforeseen(_: Request, __: Exception) -> Response:
    return Problem(500).response()


def _invalid(places: Sequence[tuple[int | str, ...]], texts: Sequence[str]) -> Problem:
    errors = [
        FieldError(pointer=_pointer(place), detail=redact_phones(text.removeprefix("Value error, ")))
        for place, text in zip(places, texts, strict=True)
    ]
    return Problem(400, "The request is not valid", detail="See errors for the fields.", errors=errors)


def _pointer(place: tuple[int | str, ...]) -> str:
    part, *path = (redact_phones(str(step)).replace("~", "~0").replace("/", "~1") for step in place)
    return "/".join(["#" if part == "body" else part, *path])
