"""The call log as files over HTTP: the filters of `/v1/calls`, everything at once, made while it is sent."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from fastapi.responses import StreamingResponse

from fareline_chassis.problems import Problem, described
from recording_ingest.domain.search import Line
from recording_ingest.inbound.access import READ_NUMBERS, Gate
from recording_ingest.inbound.askers import REQUEST_ID
from recording_ingest.inbound.calls_api import BEARER
from recording_ingest.inbound.examples import CSV_EXAMPLE, REQUEST_ID_HEADER, header
from recording_ingest.inbound.exports import csv_of, parquet_of
from recording_ingest.inbound.noted import Notary
from recording_ingest.inbound.parameters import documented, read_as
from recording_ingest.inbound.questions import Filters, filter_of
from recording_ingest.ports.access_log import AccessLog
from recording_ingest.ports.calls import CallFinder
from recording_ingest.ports.clock import Clock
from recording_ingest.usecases.find_calls import all_calls
from recording_ingest.usecases.note_question import EXPORT

AT_ONCE: Final = 2
CSV, PARQUET = "text/csv; charset=utf-8", "application/vnd.apache.parquet"
Pages = AsyncIterator[Sequence[Line]]
_TOO_MANY: Final = {
    "type": "about:blank",
    "title": "Too Many Requests",
    "status": 429,
    "detail": "Two exports are being made already.",
}


class ExportsApi:
    """`/v1/calls.csv` and `/v1/calls.parquet`, two at a time in one process. Who takes one stands in the access log."""

    def __init__(self, finder: CallFinder, gate: Gate, clock: Clock, log: AccessLog) -> None:
        self._finder = finder
        self._notary = Notary(log, gate, clock)
        self._clock = clock
        self._under_way = 0

    def router(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["exports"], dependencies=[BEARER])
        add = router.add_api_route
        add("/v1/calls.csv", self.as_csv, summary="Calls as CSV", **_answers(CSV))
        add("/v1/calls.parquet", self.as_parquet, summary="Calls as Parquet", **_answers(PARQUET))
        return router

    async def as_csv(
        self, request: Request, question: Annotated[Filters, Depends(read_as(Filters))]
    ) -> StreamingResponse:
        """Return every call asked for, newest first. Text that a spreadsheet would run has an apostrophe before it."""
        return await self._file(request, question, csv_of, "calls.csv", CSV)

    async def as_parquet(
        self, request: Request, question: Annotated[Filters, Depends(read_as(Filters))]
    ) -> StreamingResponse:
        """Return every call asked for, newest first, with typed columns: for DuckDB, pandas, Spark."""
        return await self._file(request, question, parquet_of, "calls.parquet", PARQUET)

    async def _file(
        self,
        request: Request,
        question: Filters,
        made_of: Callable[[Pages], AsyncIterator[bytes]],
        name: str,
        kind: str,
    ) -> StreamingResponse:
        grant = await self._notary.admit(request, question, EXPORT)
        wanted = filter_of(question, grant, self._clock())
        if self._under_way >= AT_ONCE:
            raise Problem(429, detail="Two exports are being made already.", headers={"Retry-After": "10"})
        self._under_way += 1
        content = made_of(all_calls(self._finder, wanted, in_full=grant.may(READ_NUMBERS)))
        try:
            noted = await self._notary.note(request, grant, question, EXPORT)
            first = await anext(content)
        except BaseException:
            self._under_way -= 1
            raise
        headers = {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Cache-Control": "private, no-store",
            **noted,
        }
        return StreamingResponse(self._counted(first, content), headers=headers, media_type=kind)

    async def _counted(self, first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            yield first
            async for chunk in rest:
                yield chunk
                await asyncio.sleep(0)
        finally:
            self._under_way -= 1


def _answers(kind: str) -> dict[str, Any]:
    content: dict[str, Any] = {kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}}
    if kind == CSV:
        content["text/csv"] = {"schema": {"type": "string"}, "example": CSV_EXAMPLE}
    name = header("A name to save it under.", f'attachment; filename="calls.{"csv" if kind == CSV else "parquet"}"')
    return {
        "openapi_extra": documented(Filters),
        "response_model": None,
        "response_class": StreamingResponse,
        "responses": {
            200: {
                "content": content,
                "description": "The file.",
                "headers": {"Content-Disposition": name, REQUEST_ID: REQUEST_ID_HEADER},
            },
            429: described("Too many at once; come back after `Retry-After` seconds.", _TOO_MANY),
        },
    }
