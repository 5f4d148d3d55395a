"""recording-ingest's call log as an analyst uses it: rows of calls, and the audio of one."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from typing import Any

import httpx

_POLL_S = 0.25
Row = Mapping[str, Any]


class LogRefused(Exception):
    """The call log did not answer as asked, or never showed what was waited for."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes of a recording, as a `Range` request brings them."""

    status: int
    content_range: str
    content_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class CallLog:
    """Reads `GET /v1/calls` and recordings with a bearer token that may see numbers."""

    http: httpx.AsyncClient
    base_url: str
    token: str

    async def calls(self, since: datetime) -> Sequence[Row]:
        """Return the rows of all calls since then, in the order in which they were answered."""
        rows: list[Row] = []
        parameters: dict[str, str | int] = {"since": since.isoformat(), "limit": 500}
        while True:
            page = await self._json("/v1/calls", parameters)
            rows += page["calls"]
            cursor = page.get("next")
            if not cursor:
                return sorted(rows, key=lambda row: str(row["decided_at"]))
            parameters["cursor"] = cursor

    async def call(self, call_id: str) -> Row:
        """Return one call with its timeline and the decision's explanation."""
        return await self._json(f"/v1/calls/{call_id}", {})

    async def recordings(self, call_id: str) -> Sequence[Row]:
        """Return the recording parts of a call."""
        document = await self._json(f"/v1/calls/{call_id}/recordings", {})
        parts: Sequence[Row] = document["recordings"]
        return parts

    async def figures(self, since: datetime, *, group_by: str) -> Sequence[Row]:
        """Return the measures of all calls since then, one row a group."""
        document = await self._json("/v1/calls/stats", {"since": since.isoformat(), "group_by": group_by})
        groups: Sequence[Row] = document["groups"]
        return groups

    async def peaks(self, recording_id: str) -> Sequence[Sequence[int]]:
        """Return the peaks of a recording, channel by channel, 0 … 255."""
        document = await self._json(f"/v1/recordings/{recording_id}/waveform", {})
        channels: Sequence[Sequence[int]] = document["peaks"]
        return channels

    async def listen(self, recording_id: str, *, first: int, last: int) -> Part:
        """Return the bytes `first` to `last`, both included, of a recording."""
        answer = await self.http.get(
            f"{self.base_url}/v1/recordings/{recording_id}",
            headers=self._headers | {"Range": f"bytes={first}-{last}"},
        )
        return Part(
            status=answer.status_code,
            content_range=answer.headers.get("content-range", ""),
            content_type=answer.headers.get("content-type", ""),
            data=answer.content,
        )

    async def wait_for(
        self, since: datetime, *, what: str, holds: Callable[[Sequence[Row]], bool], within_s: float
    ) -> Sequence[Row]:
        """Return the rows once `holds` is true of them. Raises LogRefused, naming `what`, after `within_s`."""
        deadline = perf_counter() + within_s
        while True:
            rows = await self.calls(since)
            if holds(rows):
                return rows
            if perf_counter() > deadline:
                raise LogRefused(f"the call log did not show {what} within {within_s:.0f} s")
            await asyncio.sleep(_POLL_S)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    async def _json(self, path: str, parameters: Mapping[str, str | int]) -> Row:
        answer = await self.http.get(self.base_url + path, params=dict(parameters), headers=self._headers)
        if answer.status_code != httpx.codes.OK:
            raise LogRefused(f"{path} answered {answer.status_code}: {answer.text[:200]}")
        document: Row = answer.json()
        return document
