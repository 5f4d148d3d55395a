from typing import Annotated

import httpx
import pytest
from fastapi import FastAPI, Query
from jsonschema import Draft202012Validator
from pydantic import AfterValidator, BaseModel, ValidationError

from fareline_chassis.problems import Problem, describe_problems, described, invalid_document, problem_handlers

PHONE = "+79031112233"
JSON = {"Content-Type": "application/json"}


def refuse(value: str) -> str:
    raise ValueError(f"{value} is no phone")


class Party(BaseModel):
    phones: list[int] = []
    words: dict[str, int] = {}
    own: Annotated[str, AfterValidator(refuse)] = ""


class Order(BaseModel):
    client: Party


@pytest.fixture
def client() -> httpx.AsyncClient:
    app = FastAPI()
    problem_handlers(app)

    @app.post("/orders/{number}")
    async def order(number: int, body: Order, limit: Annotated[int, Query(le=10)] = 1) -> None: ...

    @app.get("/taken")
    async def taken() -> None:
        raise Problem(
            409,
            "Number in use",
            type="urn:fareline:number-in-use",
            detail=f"{PHONE} is a party's phone",
            headers={"Retry-After": "5"},
        )

    @app.get("/broken")
    async def broken() -> None:
        raise RuntimeError(f"secret of {PHONE}")

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://service")


async def test_a_problem_is_answered_as_it_says(client: httpx.AsyncClient) -> None:
    answer = await client.get("/taken")
    assert answer.status_code == 409
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "5"
    assert answer.json() == {
        "type": "urn:fareline:number-in-use",
        "title": "Number in use",
        "status": 409,
        "detail": "+7***2233 is a party's phone",
    }


async def test_invalid_input_names_the_field_and_never_the_value(client: httpx.AsyncClient) -> None:
    body = {"client": {"phones": [1, f"{PHONE}x"], "words": {PHONE: "many"}, "own": PHONE}}
    answer = await client.post("/orders/7", params={"limit": 99}, json=body)
    assert answer.status_code == 400
    assert {error["pointer"] for error in answer.json()["errors"]} == {
        "query/limit",
        "#/client/phones/1",
        "#/client/words/+7***2233",
        "#/client/own",
    }
    assert "1112233" not in answer.text
    assert "99" not in answer.text


@pytest.mark.parametrize("body", [b"\xff\xfe+79031112233", b"[" * 60_000, b"1" + b"0" * 5_000])
async def test_a_body_that_the_reader_chokes_on_is_400_too(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/orders/7", content=body, headers=JSON)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "#")
    assert "9031112233" not in answer.text


async def test_a_body_that_is_no_json_is_400_without_it(client: httpx.AsyncClient) -> None:
    answer = await client.post("/orders/7", content=b'{"a": ' + PHONE.encode(), headers=JSON)
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": "#", "detail": "not valid JSON"}]


@pytest.mark.parametrize("kind", [None, "application/x-www-form-urlencoded", "text/plain; charset=utf-8"])
async def test_a_body_sent_as_something_else_is_told_which_content_type_to_send(
    client: httpx.AsyncClient, kind: str | None
) -> None:
    headers = {"Content-Type": kind} if kind else {}
    answer = await client.post("/orders/x", content=b'{"client": {}}', headers=headers)
    assert answer.status_code == 400
    body, path = answer.json()["errors"]
    assert body["pointer"] == "#"
    assert "Content-Type: application/json" in body["detail"]
    assert path["pointer"] == "path/number"


async def test_json_of_the_wrong_shape_is_not_told_about_content_types(client: httpx.AsyncClient) -> None:
    for kind in ("application/json", "application/vnd.api+json"):
        answer = await client.post("/orders/7", content=b"[]", headers={"Content-Type": kind})
        assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "#")
        assert "Content-Type" not in answer.text


async def test_an_unforeseen_exception_tells_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/broken")
    assert answer.status_code == 500
    assert answer.json() == {"type": "about:blank", "title": "Internal Server Error", "status": 500}


async def test_the_framework_s_own_errors_are_problems_too(client: httpx.AsyncClient) -> None:
    missing, wrong = await client.get("/nowhere"), await client.delete("/taken")
    assert (missing.status_code, missing.json()["title"]) == (404, "Not Found")
    assert (wrong.status_code, wrong.headers["allow"]) == (405, "GET")
    for answer in (missing, wrong):
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == answer.status_code


def test_a_model_checked_by_hand_gives_the_same_problem() -> None:
    with pytest.raises(ValidationError) as error:
        Order.model_validate({"client": {"phones": ["x"]}})
    problem = invalid_document(error.value)
    assert problem.status == 400
    assert [one["pointer"] for one in problem.errors] == ["#/client/phones/0"]


def test_slashes_in_a_key_are_escaped() -> None:
    with pytest.raises(ValidationError) as error:
        Order.model_validate({"client": {"words": {"a/b~c": "x"}}})
    assert invalid_document(error.value).errors[0]["pointer"] == "#/client/words/a~1b~0c"


def test_the_text_of_a_problem_is_fit_for_logs() -> None:
    assert str(Problem(404, detail=f"no binding of {PHONE}")) == "404 Not Found: no binding of +7***2233"


@pytest.mark.parametrize("path", ["/orders/x", "/taken", "/broken", "/nowhere"])
async def test_every_problem_fits_the_shape_that_is_described(client: httpx.AsyncClient, path: str) -> None:
    schema = describe_problems({})["Problem"]
    answer = (await client.request("POST" if "orders" in path else "GET", path, json={})).json()
    Draft202012Validator(schema | {"additionalProperties": False}).validate(answer)
    assert set(schema["properties"]) >= answer.keys()
    assert not Draft202012Validator(schema).is_valid(answer | {"errors": [{"pointer": "#/a"}]})


def test_the_description_has_problems_instead_of_the_frameworks_errors() -> None:
    document = {"components": {"schemas": {"HTTPValidationError": {}, "ValidationError": {}, "Mine": {}}}}
    assert set(describe_problems(document)) == {"Mine", "Problem"}
    answer = described("No.", {"status": 400})
    reference = answer["content"]["application/problem+json"]["schema"]["$ref"]
    assert reference.removeprefix("#/components/schemas/") in document["components"]["schemas"]
