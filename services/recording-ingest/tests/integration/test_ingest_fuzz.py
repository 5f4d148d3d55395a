"""Nonsense at every door of the call log: generated from OpenAPI, never a 5xx, always the shape that is promised."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ingest_stack import Running, ServiceBox, eventually, migrated, out_record, send
from ingest_story import answered_call, routed
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

EXAMPLES = 12
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
ROUTES = r"^/v1/(calls|tenants)"


@pytest.fixture
async def service(
    database_url: str, kafka_bootstrap: str, registry_topics: str, tmp_path: Path
) -> AsyncIterator[Running]:
    await migrated(database_url)
    box = ServiceBox(database_url, kafka_bootstrap, registry_topics, tmp_path)
    async with box.running() as running:
        await send(box.bootstrap, box.prefix, [out_record(told) for told in [*answered_call(), routed(call_id="c-2")]])
        await eventually(lambda: known(running))
        yield running


async def known(service: Running) -> bool:
    return (await service.get("/v1/calls/c-2")).status_code == 200


def fuzz(base: str) -> dict[str, int]:
    """Ask every route generated questions as one who may see everything; return how many each was asked."""
    document = schemathesis.openapi.from_url(f"{base}/openapi.json")
    asked: dict[str, int] = {}
    for found in document.include(path_regex=ROUTES).get_all_operations():
        operation = found.ok()

        @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(
            case=st.one_of(
                operation.as_strategy(), operation.as_strategy(generation_mode=schemathesis.GenerationMode.NEGATIVE)
            )
        )
        def ask(case: schemathesis.Case) -> None:
            asked[case.operation.label] = asked.get(case.operation.label, 0) + 1
            headers = {"Authorization": "Bearer root"}
            case.call_and_validate(base_url=base, headers=headers, checks=CHECKS)

        ask()
    return asked


async def test_no_question_breaks_a_door(service: Running) -> None:
    asked = await asyncio.to_thread(fuzz, str(service.client.base_url))
    assert len(asked) == 11
    assert min(asked.values()) >= EXAMPLES / 2
