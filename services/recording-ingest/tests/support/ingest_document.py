"""The OpenAPI document of the whole HTTP interface, made without anything behind it: no route is called."""

from typing import Any, cast

from prometheus_client import CollectorRegistry

from fareline_chassis.health import Health
from recording_ingest.inbound.calls_api import CallsApi
from recording_ingest.inbound.exports_api import ExportsApi
from recording_ingest.inbound.http import build_http
from recording_ingest.inbound.keeping_api import KeepingApi
from recording_ingest.inbound.push_api import PushApi
from recording_ingest.inbound.recordings_api import RecordingsApi


def openapi() -> dict[str, Any]:
    nothing = cast("Any", None)
    others = (PushApi(nothing, nothing, nothing, 1).router(), KeepingApi(nothing, nothing, nothing, nothing).router())
    calls = CallsApi(nothing, nothing, nothing, nothing, nothing)
    recordings = RecordingsApi(nothing, nothing, nothing, nothing, others)
    exports = ExportsApi(nothing, nothing, nothing, nothing)
    return build_http(calls, exports, recordings, Health(), CollectorRegistry()).openapi()
