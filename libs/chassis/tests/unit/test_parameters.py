from typing import Annotated

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI, Query

from fareline_chassis.parameters import known_parameters
from fareline_chassis.problems import problem_handlers


async def page(limit: int = 1) -> int:
    return limit


@pytest.fixture
def client() -> httpx.AsyncClient:
    app, router = FastAPI(), APIRouter(prefix="/v1", dependencies=[Depends(known_parameters)])
    problem_handlers(app)

    @router.get("/things")
    async def things(
        limit: Annotated[int, Depends(page)], min_version: int = 0, kind: Annotated[str, Query(alias="type")] = ""
    ) -> int:
        return limit + min_version + len(kind)

    @router.get("/bare")
    async def bare() -> None: ...

    app.include_router(router)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://service")


async def test_what_a_route_or_its_dependencies_declare_is_taken(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things?min_version=2&limit=3&type=a")
    assert (answer.status_code, answer.json()) == (200, 6)
    assert (await client.get("/v1/bare")).status_code == 200


@pytest.mark.parametrize(
    ("query", "pointers"),
    [
        ("things?minversion=2&min_version=2", ["query/minversion"]),
        ("things?kind=a&limits=", ["query/kind", "query/limits"]),
        ("bare?%2B79031112233=1&a/b=1", ["query/+7***2233", "query/a~1b"]),
        ("bare?" + "x" * 100, ["query/" + "x" * 64]),
    ],
)
async def test_what_it_does_not_take_is_refused_by_its_name(
    client: httpx.AsyncClient, query: str, pointers: list[str]
) -> None:
    answer = await client.get(f"/v1/{query}")
    assert answer.status_code == 400
    assert sorted(error["pointer"] for error in answer.json()["errors"]) == pointers


async def test_what_is_given_twice_is_refused_by_its_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/things?min_version=2&limit=3&limit=3&min_version=2&type=a")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [
        {"pointer": "query/limit", "detail": "given more than once"},
        {"pointer": "query/min_version", "detail": "given more than once"},
    ]
