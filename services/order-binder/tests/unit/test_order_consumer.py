"""The consumer of order events, apart from Kafka and Postgres."""

from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
from binder_fakes import NOW, IngestInMemory, consumer_with
from binder_process import order_json
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from fareline_chassis.kafka.records import InRecord
from order_binder.domain.events import OrderEvent
from order_binder.inbound.metrics import BinderMetrics
from order_binder.inbound.order_records import OtherType, Undecodable, decode
from order_binder.inbound.refusals import MostlyFailing
from order_binder.ports.bindings import LostRace


@pytest.fixture(autouse=True)
def logs():
    """Keep log lines as they are: rendering their tracebacks takes longer than the tests."""
    with capture_logs() as lines:
        yield lines


def record(offset, value, *headers, partition=0, timestamp_ms=None):
    at = int(NOW.timestamp() * 1000) if timestamp_ms is None else timestamp_ms
    return InRecord("taxi.orders.v1", partition, offset, at, b"key", value, headers)


def orders(*names):
    return [record(offset, order_json(name, 1)) for offset, name in enumerate(names)]


class Bench:
    """A consumer with everything around it kept at hand."""

    def __init__(self, fault=lambda events: None):
        self.ingest, self.dead = IngestInMemory(fault), []
        self.registry = CollectorRegistry()
        self.metrics = BinderMetrics(self.registry)
        self.consumer = consumer_with(self.ingest, self.put_aside, self.metrics)

    async def put_aside(self, records):
        self.dead.extend(records)

    @property
    def reasons(self):
        return [dict(each.headers)["dlq-reason"] for each in self.dead]


def failing_on(name, error):
    return lambda events: error if any(event.key.order_id == name for event in events) else None


async def test_the_guilty_record_alone_is_put_aside():
    bench = Bench(failing_on("bad", asyncpg.UntranslatableCharacterError("no")))
    await bench.consumer(orders("a", "b", "bad", "c", "d"))
    assert bench.ingest.ingested == ["a", "b", "c", "d"]
    assert bench.reasons == [b"database_refused"]
    assert dict(bench.dead[0].headers)["dlq-sqlstate"] == b"22P05"
    assert bench.ingest.progress[-1].next_offset == 5


async def test_progress_is_noted_even_if_the_last_record_was_put_aside():
    bench = Bench(failing_on("bad", RuntimeError("never foreseen")))
    await bench.consumer(orders("a", "bad"))
    assert bench.reasons == [b"unexpected"]
    assert bench.ingest.progress[-1].next_offset == 2


@pytest.mark.parametrize("error", [LostRace(), asyncpg.DeadlockDetectedError("x"), ConnectionError(), TimeoutError()])
async def test_nothing_is_put_aside_for_the_databases_troubles(error):
    bench = Bench(lambda events: error)
    with pytest.raises(type(error)):
        await bench.consumer(orders("a", "b"))
    assert bench.dead == []


async def test_when_nearly_everything_fails_unexpectedly_nothing_more_is_put_aside():
    bench = Bench(lambda events: RuntimeError() if events else None)
    await bench.consumer(orders(*(f"a{n}" for n in range(199))))
    assert len(bench.dead) == 199
    with pytest.raises(MostlyFailing):
        await bench.consumer(orders("b0", "b1"))
    assert len(bench.dead) == 199


async def test_a_refused_event_goes_to_the_dead_letters_without_a_phone():
    bench = Bench()
    bad = order_json("x", 1, status="on its way to +79031112233")
    await bench.consumer([record(0, bad), *orders("a")])
    headers = dict(bench.dead[0].headers)
    assert bench.reasons == [b"invalid"]
    assert headers["dlq-detail"].startswith(b"status")
    assert b"9031112233" not in headers["dlq-detail"]
    assert bench.dead[0].value == bad


async def test_a_senders_clock_ahead_of_ours_does_not_promise_the_future():
    bench = Bench()
    await bench.consumer([record(7, order_json("a", 1), timestamp_ms=int(NOW.timestamp() * 1000) + 90_000)])
    assert bench.ingest.progress[0].as_of == NOW


@pytest.mark.parametrize(
    ("value", "headers"),
    [
        (order_json("a", 1), ()),
        (order_json("a", 1), (("ce_type", b"taxi.order.v1"), ("x", b"\xff"), ("y", None))),
        (b'{"specversion": "1.0", "type": "x", "data": ' + order_json("a", 1) + b"}", ()),
    ],
)
def test_bare_binary_and_structured_snapshots_are_the_same(value, headers):
    found = decode(record(0, value, *headers), NOW)
    assert isinstance(found, OrderEvent)
    assert found.key.order_id == "a"
    assert found.caused_at == NOW


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"tenant": "Demo!"}, "tenant"),
        ({"order_id": ""}, "order_id"),
        ({"version": 2**53}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 1.5}, "version"),
        ({"version": True}, "version"),
        ({"status": "lost"}, "status"),
        ({"status_changed_at": "year 999999"}, "status_changed_at"),
        ({"status_changed_at": "2101-01-01T00:00:00Z"}, "status_changed_at"),
        ({"status_changed_at": "2026-11-24T10:00:00"}, "status_changed_at"),
        ({"client": None}, "client"),
        ({"client": {"phones": ["+7903111\u0000"]}}, "client/phones/0"),
        ({"client": {"phones": ["1"] * 6}}, "client/phones"),
        ({"client": {"phones": "+79031112233"}}, "client/phones"),
        ({"driver": {"phones": [79031112233]}}, "driver/phones/0"),
        ({"client": {"label": "\u0000"}}, "client/label"),
        ({"consent": {"record": "perhaps"}}, "consent/record"),
        ({"city": ["moscow"]}, "city"),
    ],
)
def test_a_wrong_field_is_refused_by_its_path(changes, path):
    fields = {"order_id": "a", "version": 1, **changes}
    found = decode(record(0, order_json(fields.pop("order_id"), fields.pop("version"), **fields)), NOW)
    assert isinstance(found, Undecodable)
    assert found.reason == "invalid"
    assert found.detail.split(":")[0] == path


@pytest.mark.parametrize(
    "value", [b"", b"\xff\xfe", b"{", b"[" * 60_000, b"[]", b"null", b'"\\ud800"', b"1e999", b"{}"]
)
def test_whatever_stands_in_a_record_it_is_refused_quietly(value):
    assert isinstance(decode(record(0, value), NOW), Undecodable)


def test_a_type_of_a_later_release_is_skipped():
    assert isinstance(decode(record(0, b"{}", ("ce_type", b"taxi.other.v9")), NOW), OtherType)


def test_a_lone_surrogate_is_refused():
    value = order_json("a", 1, city="@").replace(b"@", b"\\ud800")
    assert isinstance(decode(record(0, value), NOW), Undecodable)


@pytest.mark.parametrize("timestamp_ms", [-1, 0, 2**62, -(2**62)])
async def test_a_time_that_no_clock_shows_costs_nothing(timestamp_ms):
    bench = Bench()
    await bench.consumer([record(0, order_json("a", 1), timestamp_ms=timestamp_ms)])
    assert bench.ingest.ingested == ["a"]
    assert bench.ingest.progress[0].as_of == NOW


async def test_one_line_tells_of_all_that_was_put_aside(logs):
    bench = Bench()
    await bench.consumer([record(0, b"{"), record(1, b"["), record(2, None)])
    lines = [line for line in logs if line["event"] == "orders.refused"]
    assert [line["reasons"] for line in lines] == [{"undecodable": 2, "empty": 1}]


async def test_consuming_pauses_visibly_and_goes_on_once_things_go_well(logs):
    failing = [True]
    bench = Bench(lambda events: RuntimeError() if events and failing else None)
    await bench.consumer(orders(*(f"a{n}" for n in range(199))))
    for _ in range(2):
        with pytest.raises(MostlyFailing):
            await bench.consumer(orders("b0", "b1"))
        assert bench.registry.get_sample_value("fareline_binder_consuming_paused") == 1
    assert [line["event"] for line in logs].count("orders.paused") == 1
    failing.clear()
    await bench.consumer(orders(*(f"c{n}" for n in range(150))))
    assert bench.ingest.ingested[-1] == "c149"
    assert bench.registry.get_sample_value("fareline_binder_consuming_paused") == 0
    assert len(bench.dead) == 199


async def test_refusals_are_counted_by_tenant_and_nobody_can_make_up_tenants(logs):
    bench = Bench()
    bad = {"status": "lost"}
    await bench.consumer([*orders("a"), record(1, order_json("x", 1, **bad))])
    await bench.consumer([record(2, order_json("y", 1, **bad)), record(3, order_json("z", 1, tenant="made-up", **bad))])
    await bench.consumer([record(4, b"{"), record(5, b'{"tenant": ["demo"]}')])

    def refused(tenant, reason):
        labels = {"tenant": tenant, "reason": reason}
        return bench.registry.get_sample_value("fareline_binder_order_events_refused_total", labels)

    assert (refused("demo", "invalid"), refused("unknown", "invalid")) == (2, 2)
    assert (refused("unknown", "undecodable"), refused("made-up", "invalid")) == (1, None)
    assert next(line["tenants"] for line in logs if line["event"] == "orders.refused") == ["demo"]


@pytest.mark.parametrize("trace", [b"x" * 55, b"00-" + b"\x00" * 52, b"\xff" * 55, b"00-" + b"A" * 52])
async def test_a_trace_that_is_none_is_ignored(trace):
    found = decode(record(0, order_json("a", 1), ("traceparent", trace)), NOW)
    assert isinstance(found, OrderEvent)
    assert found.traceparent is None


async def test_a_senders_clock_ahead_of_ours_lengthens_no_order():
    found = decode(record(0, order_json("a", 1), timestamp_ms=int(NOW.timestamp() * 1000) + 10**12), NOW)
    assert found.caused_at == NOW


@pytest.mark.parametrize(
    ("local", "utc"),
    [
        ("2026-11-24T00:30:00+03:00", datetime(2026, 11, 23, 21, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+02:00", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-10-25T02:30:00+01:00", datetime(2026, 10, 25, 1, 30, tzinfo=UTC)),
    ],
)
def test_case_43_a_local_time_is_its_instant_over_midnight_and_the_change_of_the_clocks(local, utc):
    found = decode(record(0, order_json("a", 1, status_changed_at=local, scheduled_for=local)), NOW)
    assert (found.status_changed_at, found.scheduled_for) == (utc, utc)
    assert found.scheduled_for.utcoffset() == timedelta(0)
