"""What is misspelt in a request is refused by its name, and the description leaves nobody to guess names and units."""

import json

import pytest
from binder_desk import Desk
from binder_process import order_json

from order_binder.ports.registry import TenantEntry

ORDERS = "/v1/tenants/demo/orders"


@pytest.fixture
async def desk():
    found = Desk()
    async with found.http:
        yield found


async def test_a_body_of_another_content_type_is_told_which_to_send(desk):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for path in ("/v1/tenants/demo", "/v1/tenants/demo/numbers/+74950000101", f"{ORDERS}/o-1"):
        answer = await desk.http.put(path, content=order_json("o-1", 1), headers=form)
        assert answer.status_code == 400
        assert "Content-Type: application/json" in answer.json()["errors"][0]["detail"]


@pytest.mark.parametrize(
    ("method", "path", "pointer"),
    [
        ("GET", "/orders/o-1/binding?minversion=2&wait=0s", "query/minversion"),
        ("PUT", "/orders/o-1?dryrun=1", "query/dryrun"),
        ("POST", "/orders?dryrun=1", "query/dryrun"),
        ("POST", "/bindings/lookup?number=1", "query/number"),
        ("PUT", "/numbers/+74950000101?state=resting", "query/state"),
        ("GET", "/numbers/+74950000101?a=", "query/a"),
        ("DELETE", "/numbers/+74950000101?binding=move", "query/binding"),
        ("GET", "/numbers?role=pool", "query/role"),
        ("PUT", "?region=RU", "query/region"),
        ("GET", "?a", "query/a"),
    ],
)
async def test_a_parameter_that_a_route_does_not_take_is_refused_by_its_name(desk, method, path, pointer):
    answer = await desk.http.request(method, f"/v1/tenants/demo{path}")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


@pytest.mark.parametrize(
    ("method", "path", "pointer"),
    [
        ("GET", "/orders/o-1/binding?min_version=2&wait=0s&min_version=3", "query/min_version"),
        ("GET", "/orders/o-1/binding?wait=0s&wait=0s", "query/wait"),
        ("DELETE", "/numbers/+74950000101?bindings=move&bindings=drain", "query/bindings"),
    ],
)
async def test_a_parameter_given_twice_is_refused_by_its_name(desk, method, path, pointer):
    answer = await desk.http.request(method, f"/v1/tenants/demo{path}")
    assert answer.status_code == 400
    assert answer.json()["errors"] == [{"pointer": pointer, "detail": "given more than once"}]


async def test_openapi_describes_every_field_of_every_request(desk):
    schemas = (await desk.http.get("/openapi.json")).json()["components"]["schemas"]
    for request in ("TenantDocument", "NumberDocument", "OrderSnapshot", "LookupRequest"):
        fields = dict(fields_of(schemas, request))
        assert [path for path, field in fields.items() if not field.get("description")] == [], request
        for end, unit in (("_s", "Seconds"), ("_days", "Days"), ("_before", "Minutes"), ("_within", "Minutes")):
            for path, field in fields.items():
                assert unit in field["description"] or not path.endswith(end), path


async def test_openapi_leaves_no_room_for_unknown_fields_of_tenants_and_numbers(desk):
    schemas = (await desk.http.get("/openapi.json")).json()["components"]["schemas"]
    for request in ("TenantDocument", "NumberDocument"):
        for path, field in [("", {"$ref": request}), *fields_of(schemas, request)]:
            for name in references(field):
                assert "properties" not in schemas[name] or schemas[name]["additionalProperties"] is False, path
    assert "additionalProperties" not in schemas["OrderSnapshot"]
    assert "additionalProperties" not in schemas["TenantRecord"]


def fields_of(schemas, name, above=""):
    """Yield the path and the schema of each field of a component, and of the components in it."""
    for field, schema in schemas[name].get("properties", {}).items():
        yield f"{above}/{field}", schema
        for inner in references(schema):
            yield from fields_of(schemas, inner, f"{above}/{field}")


def references(schema):
    """Return the names of the components that a schema refers to."""
    parts = [schema, schema.get("items", {}), *schema.get("anyOf", ())]
    return [part["$ref"].rsplit("/", 1)[-1] for part in parts if "$ref" in part]


@pytest.mark.parametrize(
    ("path", "document", "pointer"),
    [
        ("", {"region": "RU", "polciy": {}}, "#/polciy"),
        ("", {"region": "RU", "policy": {"grace": "5m", "code_digits": 7}}, "#/policy/grace"),
        ("", {"region": "RU", "policy": {"code_digit": 9}}, "#/policy/code_digit"),
        ("", {"region": "RU", "policy": {"windows": {"caps": 1}}}, "#/policy/windows/caps"),
        ("", {"region": "RU", "policy": {"calls": {"announce": {"clients": None}}}}, "#/policy/calls/announce/clients"),
        (
            "",
            {"region": "RU", "policy": {"limits": {"dials_active": {"count": 1, "minutes": 1, "hours": 1}}}},
            "#/policy/limits/dials_active/hours",
        ),
        ("/numbers/+74950000101", {"role": "pool", "ask_code": False}, "#/ask_code"),
    ],
)
async def test_a_misspelt_field_is_refused_by_its_name_and_changes_nothing(desk, path, document, pointer):
    url, before = f"/v1/tenants/demo{path}", dict(desk.registry.tenants)
    answer = await desk.http.put(url, json=document)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, [pointer])
    assert desk.registry.tenants == before
    assert desk.registry.entries == {}


async def test_what_is_shown_can_be_sent_back(desk):
    desk.registry.tenants["demo"] = TenantEntry("demo", "RU", {"windows": {"cap": 60}}, ("201",), 1)
    for url in ("/v1/tenants/demo", "/v1/tenants/demo/numbers/+74950000101"):
        if "numbers" in url:
            await desk.http.put(url, json={"role": "pool", "city": "moscow"})
        shown = (await desk.http.get(url)).json()
        again = await desk.http.put(url, json=shown)
        assert again.status_code == 200
        assert again.json() | {"revision": 0} == shown | {"revision": 0}
    assert desk.registry.tenants["demo"].policy == {"windows": {"cap": 60}}


async def test_a_phone_shown_masked_is_not_taken_for_one(desk):
    before = dict(desk.registry.tenants)
    answer = await desk.http.put("/v1/tenants/demo", json={"region": "RU", "staff": ["201", "+7***0001"]})
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (400, ["#/staff/1"])
    assert desk.registry.tenants == before


async def test_snapshots_and_lookups_of_newer_senders_are_taken(desk):
    snapshot = json.loads(order_json("o-1", 1)) | {"tariff": "comfort"}
    assert (await desk.http.put(f"{ORDERS}/o-1", json=snapshot)).status_code == 202
    lookup = {"phone": "+79031112233", "language": "ru"}
    assert (await desk.http.post("/v1/tenants/demo/bindings/lookup", json=lookup)).status_code == 200
