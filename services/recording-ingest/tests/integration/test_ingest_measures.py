"""Each measure by a worked example: the same five calls through the views, the statistics of the API, and by hand."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from ingest_api import Reader, project, reader
from ingest_keys import vault
from ingest_stack import connected, migrated
from ingest_story import at, dial, ended, progress, ready, routed

from fareline_chassis.postgres.pool import Database

FALLBACK = [{"do": "fallback", "target": "operator", "display": ""}]
DAY = "since=2026-11-24T00:00:00Z&until=2026-11-25T00:00:00Z"
BY_HAND = {
    "attempts": 5,  # c-1 … c-5
    "ended": 4,  # c-5 goes on
    "answered": 2,  # c-1, c-2
    "answer_rate": 0.5,  # 2 of the 4 that ended
    "talk_s": 51.0 + 39.0,
    "talk_s_mean": 45.0,
    "answer_s_p50": 15.0,  # between 9 s and 21 s
    "answer_s_p90": pytest.approx(19.8),
    "fallbacks": 2,  # c-3 in the end, c-4 at once
    "fallback_rate": 0.4,
    "recordings_due": 2,
    "recordings_stored": 1,
    "recordings_missing": 1,
    "recording_coverage": 0.5,
}


@pytest.fixture
async def database(database_url: str, tmp_path: Path) -> AsyncIterator[Database]:
    await migrated(database_url)
    async with connected(database_url) as database:
        await project(database, vault(tmp_path), example())
        async with database.acquire() as connection:
            await connection.execute(
                "UPDATE recordings SET state = CASE call_id WHEN 'c-1' THEN 'stored' ELSE 'missing' END,"
                " reason = 'not_found', object_key = 'k', sha256 = 's', size_bytes = 1"
            )
        yield database


@pytest.fixture
async def client(database: Database, tmp_path: Path) -> AsyncIterator[Reader]:
    async with reader(database, tmp_path) as client:
        yield client


def example() -> list[Any]:
    return [
        routed(0, call_id="c-1"),
        ended(60, call_id="c-1", started_at=at(0), ringing_at=at(2), bridged_at=at(9)),
        ready(65, call_id="c-1"),
        routed(0, call_id="c-2"),
        ended(60, call_id="c-2", started_at=at(0), ringing_at=at(3), bridged_at=at(21)),
        ready(65, call_id="c-2"),
        routed(0, call_id="c-3"),
        progress(2, "ringing", call_id="c-3"),
        routed(32, call_id="c-3", step=2, question="call.dialed", dial_result="no_answer", actions=FALLBACK, reason="no_answer"),
        ended(40, call_id="c-3", disposition="cancelled", started_at=at(0)),
        routed(0, call_id="c-4", actions=FALLBACK, reason="unknown_caller", order_id=None),
        ended(5, call_id="c-4", disposition="cancelled", started_at=at(0)),
        routed(0, call_id="c-5"),
        routed(0, call_id="c-6", tenant="solo"),
    ]  # fmt: skip


async def rows(database: Database, view: str, where: str = "tenant = 'demo'") -> list[dict[str, Any]]:
    async with database.acquire() as connection:
        return [
            dict(row) for row in await connection.fetch(f"SELECT * FROM analytics.{view} WHERE {where} ORDER BY 1, 2")
        ]


async def test_a_day_in_the_view_and_in_the_api_is_what_one_counts_by_hand(database: Database, client: Reader) -> None:
    (day,) = await rows(database, "daily")
    assert day == {"day": date(2026, 11, 24), "tenant": "demo", **BY_HAND}
    answer = (await client.ask(f"/v1/calls/stats?{DAY}")).json()
    assert answer["groups"] == [{"key": "2026-11-24", **BY_HAND}]


async def test_every_grouping_sums_up_to_the_day(database: Database, client: Reader) -> None:
    for group_by, view in (("number", "daily_by_number"), ("reason", "daily_by_reason"), ("hour", "hourly")):
        groups = (await client.ask(f"/v1/calls/stats?{DAY}&group_by={group_by}")).json()["groups"]
        seen = await rows(database, view)
        measures = [{name: row[name] for name in BY_HAND} for row in seen]
        assert [{name: group[name] for name in BY_HAND} for group in groups] == measures
        assert sum(row["attempts"] for row in seen) == BY_HAND["attempts"]
    by_end = (await client.ask(f"/v1/calls/stats?{DAY}&group_by=disposition")).json()["groups"]
    assert {group["key"]: group["attempts"] for group in by_end} == {"answered": 2, "cancelled": 2, None: 1}


async def test_days_are_those_of_the_time_zone(database: Database, client: Reader, tmp_path: Path) -> None:
    late = datetime(2026, 11, 24, 21, 30, tzinfo=UTC) - datetime(2026, 11, 24, 10, tzinfo=UTC)
    await project(database, vault(tmp_path), [routed(late.total_seconds(), call_id="c-7")])
    answer = (await client.ask(f"/v1/calls/stats?{DAY}&tz=Europe/Moscow")).json()
    assert [(group["key"], group["attempts"]) for group in answer["groups"]] == [("2026-11-24", 5), ("2026-11-25", 1)]
    hours = (await client.ask(f"/v1/calls/stats?{DAY}&tz=Asia/Kolkata&group_by=hour")).json()["groups"]
    assert [group["key"] for group in hours] == ["2026-11-24T15:00+05:30", "2026-11-25T03:00+05:30"]
    assert (await client.ask(f"/v1/calls/stats?{DAY}&tz=Mars/Base")).status_code == 400


async def test_where_clocks_are_changed_no_hour_is_lost_or_counted_for_two(
    database: Database, client: Reader, tmp_path: Path
) -> None:
    async def asked(day: str, of: str, tz: str = "Europe/Berlin", by: str = "hour") -> list[tuple[str, int]]:
        period = f"since={day}T{of}:00:00Z&until={day}T04:00:00Z"
        answer = await client.ask(f"/v1/calls/stats?{period}&tz={tz}&group_by={by}")
        return [(group["key"], group["attempts"]) for group in answer.json()["groups"]]

    for day in ("2026-10-25", "2026-03-29"):  # clocks are put back at 01:00 UTC, and forward
        begins = (datetime.fromisoformat(f"{day}T00:30:00Z") - datetime(2026, 11, 24, 10, tzinfo=UTC)).total_seconds()
        told = [routed(begins + 3600 * n, call_id=f"{day}/{n}") for n in range(3)]
        await project(database, vault(tmp_path), told)
    assert await asked("2026-10-25", "00") == [("2026-10-25T02:00+02:00", 1), ("2026-10-25T02:00+01:00", 1), ("2026-10-25T03:00+01:00", 1)]  # fmt: skip
    assert await asked("2026-03-29", "00") == [("2026-03-29T01:00+01:00", 1), ("2026-03-29T03:00+02:00", 1), ("2026-03-29T04:00+02:00", 1)]  # fmt: skip
    for tz in ("Australia/Lord_Howe", "Asia/Kathmandu", "Etc/GMT%2B12", "Pacific/Kiritimati"):
        assert sum(attempts for _, attempts in await asked("2026-10-25", "00", tz)) == 3
    assert await asked("2026-10-25", "00", by="day") == [("2026-10-25", 3)]


async def test_how_well_calls_were_served_is_what_one_counts_by_hand(database: Database) -> None:
    (day,) = await rows(database, "daily_service")
    assert day == {
        "day": date(2026, 11, 24),
        "tenant": "demo",
        "ended": 4,
        "effective": 4,
        "effective_rate": 1.0,
        "talk_s_p50": 45.0,  # between 39 s and 51 s
        "talk_s_p90": pytest.approx(49.8),
        "dial_s_p50": 2.0,  # 2 s, 3 s, 2 s
        "dial_s_p90": pytest.approx(2.8),
        "missed": 2,  # c-3, c-4
        "abandoned": 2,
        "abandoned_within_5_s": 0,  # c-4 took 5 s
        "served_within_20_s": 0.25,  # c-1 of c-1 … c-4
        "with_order": 4,  # all but c-4
        "with_order_rate": 0.8,
        "by_default": 0,
        "by_default_rate": 0.0,
    }


async def test_coverage_is_told_by_age(database: Database) -> None:
    async with database.acquire() as connection:
        await connection.execute("UPDATE calls SET ended_at = now() - interval '20 minutes' WHERE call_id = 'c-1'")
        await connection.execute("UPDATE calls SET ended_at = now() - interval '5 minutes' WHERE call_id = 'c-2'")
        await connection.execute("UPDATE calls SET recording = 'ready' WHERE call_id = 'c-2'")
    one = {"tenant": "demo", "due": 1, "missing": 0}
    assert await rows(database, "recording_coverage") == [
        one | {"age": "0-15 min", "stored": 0, "stored_rate": 0.0},
        one | {"age": "15-60 min", "stored": 1, "stored_rate": 1.0},
    ]


async def test_did_the_driver_really_try(database: Database, tmp_path: Path) -> None:
    def call(name: str, rings: float, status: str = "arrived", **more: Any) -> list[Any]:
        return [
            routed(0, call_id=name, order_id="o-9", status=status, actions=[dial()]),
            ended(rings, call_id=name, disposition="no_answer", **{"ringing_at": at(0), **more}),
        ]

    told = [*call("d-1", 20), *call("d-2", 5), *call("d-3", 30, status="accepted"), *call("d-4", 9, ringing_at=None)]
    other_way = routed(0, call_id="d-5", order_id="o-9", status="arrived")
    other_way[2]["decision"]["direction"] = "client_to_driver"
    await project(database, vault(tmp_path), [*told, other_way])
    (tried,) = await rows(database, "contact_attempts", "order_id = 'o-9'")
    expected = {"calls": 3, "rang_15_s": 1, "ring_unknown": 1, "answered": 0, "tried": True}
    assert {name: tried[name] for name in expected} == expected


def talked(name: str, begins: float, ends: float, order: str = "o-1", *, number: str = "", **more: Any) -> list[Any]:
    told = routed(begins, call_id=name, order_id=order, **more)
    told[2]["number"] = number or told[2]["number"]
    return [told, ended(ends, call_id=name, started_at=at(begins), bridged_at=at(begins + 5))]


async def test_who_dials_again_soon_and_is_led_elsewhere_may_have_been_led_wrong(
    database: Database, tmp_path: Path
) -> None:
    stray, sure = "+79030000001", "+79030000002"
    told = [
        # the first caller: another order the second time, the same the third, and a fourth call that comes too late
        *talked("w-1", 0, 60, caller=stray),
        *talked("w-2", 120, 180, "o-2", caller=stray),
        *talked("w-3", 780, 800, "o-2", caller=stray),
        *talked("w-4", 1401, 1450, "o-2", caller=stray),
        # the second: the call centre the second time, which connects nobody; then another number
        *talked("w-5", 0, 60, caller=sure),
        *talked("w-6", 70, 90, caller=sure, actions=FALLBACK, reason="window_closed"),
        *talked("w-7", 100, 120, caller=sure, number="+74950000109"),
        # who withholds his number cannot be told from others, and who was not answered tries again
        *talked("w-8", 0, 30, caller=None),
        *talked("w-9", 40, 60, caller=None),
        routed(0, call_id="w-10", caller="+79030000003"),
        ended(30, call_id="w-10", disposition="no_answer", started_at=at(0)),
        *talked("w-11", 40, 60, caller="+79030000003"),
    ]
    for one in told:
        one[2]["tenant"] = "again"
    await project(database, vault(tmp_path), told)
    (day,) = await rows(database, "daily_called_again", "tenant = 'again'")
    assert day == {
        "day": date(2026, 11, 24),
        "tenant": "again",
        "reason": "pair",
        "connected": 7,  # w-1 … w-5, w-7, w-11
        "called_again": 3,  # after w-1, w-2, w-5; w-4 came 601 s after the end of w-3
        "led_elsewhere": 2,  # w-2 after w-1, w-6 after w-5; w-3 went where w-2 had gone
        "called_again_rate": 0.4286,
        "led_elsewhere_rate": 0.2857,
    }


async def test_no_view_shows_a_phone(database: Database) -> None:
    async with database.acquire() as connection:
        views = await connection.fetch("SELECT viewname FROM pg_views WHERE schemaname = 'analytics'")
        assert len(views) >= 7
        for view in views:
            for row in await connection.fetch(f"SELECT v::text AS line FROM analytics.{view['viewname']} v"):
                assert "9031112233" not in row["line"]
                assert "\\x" not in row["line"]
