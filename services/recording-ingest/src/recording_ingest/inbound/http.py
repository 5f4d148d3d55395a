"""The HTTP interface as one application: the routes of the call log, of recordings, and of health."""

import sys
from typing import Any, Final

import asyncpg
from fastapi import FastAPI, Request, Response
from prometheus_client import CollectorRegistry
from starlette.types import Scope

from fareline_chassis.body_limit import BodyLimit
from fareline_chassis.health import Health, health_routes
from fareline_chassis.postgres.errors import DatabaseUnavailable
from fareline_chassis.problems import Problem, describe_problems, described, problem_handlers
from recording_ingest.domain.search import BadQuestion
from recording_ingest.inbound.calls_api import CallsApi
from recording_ingest.inbound.examples import header, with_examples
from recording_ingest.inbound.exports_api import ExportsApi
from recording_ingest.inbound.questions import refused
from recording_ingest.inbound.recordings_api import RecordingsApi
from recording_ingest.ports.calls import TakesTooLong

_DESCRIPTION = """The call log and its recordings. Bearer tokens name tenants and scopes (`calls:read`,
`calls:read_numbers`, `recordings:read`); persons' phones are masked without `calls:read_numbers`. Rows grow while
events arrive and are usually complete within seconds of the call's end: see `row_state` and `updated_at`. Errors are
RFC 9457 problems."""

QUESTION_BYTES: Final = 64 * 1024
_EXAMPLE: Final = {
    "type": "about:blank",
    "title": "The request is not valid",
    "status": 400,
    "detail": "See errors for the fields.",
    "errors": [{"pointer": "query/colour", "detail": "Extra inputs are not permitted"}],
}
_AWAY: Final = {
    "type": "about:blank",
    "title": "Service Unavailable",
    "status": 503,
    "detail": "The database cannot be reached just now.",
}
_PROBLEMS: Final[dict[int | str, dict[str, Any]]] = {
    "4XX": described("What is wrong with the question, by field where it is a field.", _EXAMPLE),
    "503": {
        **described("Come back after `Retry-After` seconds.", _AWAY),
        "headers": {"Retry-After": header("Seconds to wait.", "2")},
    },
}


class DescribedApi(FastAPI):
    """An application whose description has the shape of its problems, and examples."""

    def openapi(self) -> dict[str, Any]:
        """Return the description, made once."""
        document = super().openapi()
        describe_problems(document)
        with_examples(document)
        return document


def build_http(
    calls: CallsApi, exports: ExportsApi, recordings: RecordingsApi, health: Health, registry: CollectorRegistry
) -> FastAPI:
    """Return the application."""
    app = DescribedApi(
        title="Fareline recording-ingest",
        version="1",
        description=_DESCRIPTION,
        routes=[*calls.quick_routes(), *health_routes(health, registry)],
        redoc_url=None,
        responses=dict(_PROBLEMS),
    )
    app.include_router(exports.router())
    app.include_router(calls.router())
    app.include_router(recordings.router())
    problem_handlers(app)
    for away in (DatabaseUnavailable, OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, TimeoutError):
        app.add_exception_handler(away, _unavailable)
    app.add_exception_handler(TakesTooLong, _too_long)
    app.add_exception_handler(BadQuestion, _bad_question)
    app.add_middleware(BodyLimit, limit_of=body_limit)
    return app


def body_limit(scope: Scope) -> int:
    """Return how many bytes a request may have: a recording that is pushed is counted while it is written down."""
    pushed = scope["method"] == "PUT" and scope["path"].startswith("/v1/recordings/")
    return sys.maxsize if pushed else QUESTION_BYTES


async def _unavailable(_: Request, __: Exception) -> Response:
    problem = Problem(503, detail="The database cannot be reached just now.", headers={"Retry-After": "2"})
    return problem.response()


async def _bad_question(_: Request, error: Exception) -> Response:
    field, why = (error.field, error.why) if isinstance(error, BadQuestion) else ("", "")
    return refused(f"query/{field}", why).response()


async def _too_long(_: Request, __: Exception) -> Response:
    detail = "The question takes too long; ask for a shorter period, one tenant or one number."
    return Problem(422, type="urn:fareline:problem:takes-too-long", detail=detail).response()
