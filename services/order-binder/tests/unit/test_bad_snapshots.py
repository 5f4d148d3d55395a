"""Each field wrong in turn, at both entrances: refused by its path, quietly, and without its value."""

import pytest
from bad_snapshots import bad_snapshots
from binder_desk import Desk
from binder_fakes import NOW

from fareline_chassis.kafka.records import InRecord
from order_binder.inbound.order_records import Undecodable, decode

TABLE = bad_snapshots()


@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.what)
def test_from_kafka_it_is_refused_by_its_path(bad):
    found = decode(InRecord("taxi.orders.v1", 0, 0, int(NOW.timestamp() * 1000), None, bad.json), NOW)
    assert isinstance(found, Undecodable)
    assert found.reason == "invalid"
    assert found.detail.startswith(bad.path), found.detail


async def test_at_the_door_it_is_refused_by_its_pointer():
    desk = Desk()
    async with desk.http as http:
        for bad in TABLE:
            answer = await http.put("/v1/tenants/demo/orders/bad", content=bad.json)
            assert answer.status_code == 400, bad.what
            pointers = [error["pointer"] for error in answer.json()["errors"]]
            assert any(pointer.startswith(f"#/{bad.path}") for pointer in pointers), (bad.what, pointers)
            assert "9031112233" not in answer.text
        for size, status in ((60_000, 400), (10 * 1024 * 1024, 413)):
            answer = await http.put("/v1/tenants/demo/orders/bad", content=b'{"city": "' + b"x" * size + b'"}')
            assert answer.status_code == status
        listed = await http.post("/v1/tenants/demo/orders", json=[TABLE[0].document])
        assert listed.json()["errors"][0]["pointer"].startswith("#/0/")
    assert desk.sink.submitted == []
