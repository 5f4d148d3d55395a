"""Every statement of order-binder finds its rows by an index, however many bindings there are.

A new statement must be entered in PLANS, with values it might be asked with and the indexes it has to search by.
"""

import json
import os
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import asyncpg
import pytest
from many_bindings import fill

from fareline_chassis.postgres.sql import load_queries
from order_binder.outbound.schema import Schema

EFFORT = int(os.environ.get("FARELINE_EFFORT", "1"))
BINDINGS = 50_000 if EFFORT == 1 else 1_000_000
BIG = {"orders", "slots", "codes"}
NOW = datetime.now(UTC)
KEYS = (["t-3", "t-4"], ["o-3", "o-4"])
NUMBER, PHONE = "+74950000150", "+79030000023"
SAVED = (
    json.dumps(
        [
            {"tenant": tenant, "order_id": order_id, "follows": read, "publish": True, "revision": 2, "version": 2}
            for tenant, order_id, read in (("t-3", "o-3", 1), ("t-4", "new", None))
        ]
    ),
    json.dumps([{"number": NUMBER, "phone": PHONE, "peer": "x", "holds": {}, "follows": 1}]),
    json.dumps([{"tenant": "t-3", "code": "000001", "order_id": "o-3", "role": "driver"}]),
    json.dumps([{"partition": 1, "next_offset": 1}]),
    NOW,
)
HELD = (f"{PHONE} +79260000023", NUMBER, PHONE, "t-3 t-3", "00000017 00000018")
FEW = None  # tables of a few rows: nothing to be found by an index
WHOLE = "whole"  # counts everything, beside all transactions and some seconds apart
PLANS = {
    "bindings.look": (("t-3 t-4", "o-3 o-4", PHONE, "t-3 t-4"), {"orders_pkey"}),
    "bindings.held": (HELD, {"slots_by_phone", "codes_pkey"}),
    "bindings.save": (SAVED, {"orders_pkey"}),
    "estimates.read_whole_tables": ((), WHOLE),
    "estimates.loads": ((), WHOLE),
    "estimates.live_codes": ((), WHOLE),
    "tenant_views.tenants": ((["t-3"],), FEW),
    "tenant_views.inventories": ((["t-3"],), FEW),
    "bindings.lock_due": ((500,), {"orders_due"}),
    "bindings.clock": ((), FEW),
    "bindings.purge_orders": ((500,), {"orders_purge"}),
    "bindings.purge_slots": ((500,), {"slots_over"}),
    "bindings.purge_codes": ((500,), {"codes_over"}),
    "bindings.shown_orders": (KEYS, {"orders_pkey"}),
    "bindings.find_orders": (("t-3", PHONE, "00000017"), {"orders_by_phone", "codes_pkey", "orders_pkey"}),
    "input.expect_input": ((3, NOW), FEW),
    "input.forget_input": ((3,), FEW),
    "input.input_as_of": ((), FEW),
    "leaving.leave_number": (("t-3", NUMBER, "move"), FEW),
    "leaving.leaving_numbers": ((), FEW),
    "leaving.lock_users": ((NUMBER, "", "", 200), {"orders_by_number"}),
    "leaving.withdraw_unused": ((NUMBER,), {"orders_by_number"}),
    "leaving.forget_withdrawn": ((NUMBER,), {"orders_by_number"}),
    "leaving.wake_registry": ((), FEW),
    "leaving.standing_of": ((NUMBER,), {"orders_by_number", "slots_pkey"}),
    "publication.clock": ((), FEW),
    "publication.unpublished_bindings": ((12, [3, 4], 500), {"orders_unpublished"}),
    "publication.mark_bindings": ((*KEYS, [2, 2]), {"orders_pkey"}),
    "publication.dirty_bindings": (KEYS, {"orders_pkey"}),
    "publication.live_bindings": ((12, 3, "t-3", "o-3", 200), {"orders_pkey"}),
    "publication.unpublished_tenants": ((12, [3, 4], 500), FEW),
    "publication.mark_tenants": ((["t-3"], [2]), FEW),
    "publication.dirty_tenants": ((["t-3"],), FEW),
    "publication.live_tenants": ((12, 3, "t-3", 200), FEW),
    "publication.unpublished_numbers": ((12, [3, 4], 500), FEW),
    "publication.mark_numbers": (([NUMBER], [2]), FEW),
    "publication.dirty_numbers": (([NUMBER],), FEW),
    "publication.live_numbers": ((12, 3, NUMBER, 200), FEW),
    "registry.put_tenant": (("t-3", "RU", {}, [], 1), FEW),
    "registry.tenant": (("t-3",), FEW),
    "registry.is_a_phone": ((PHONE,), {"orders_by_phone"}),
    "registry.put_number": ((NUMBER, "t-3", "pool", "active", True, None, None, 1), FEW),
    "registry.number": (("t-3", NUMBER), FEW),
    "registry.numbers": (("t-3",), FEW),
    "registry.is_in_use": ((NUMBER,), {"orders_by_number"}),
    "registry.withdraw_number": (("t-3", NUMBER), FEW),
}


def statements() -> dict[str, str]:
    """Return every statement of every .sql file."""
    folder = files("order_binder.outbound")
    names = sorted(path.name.removesuffix(".sql") for path in folder.iterdir() if path.name.endswith(".sql"))
    found = {name: load_queries("order_binder.outbound", name) for name in names}
    return {f"{name}.{query}": getattr(queries, query) for name, queries in found.items() for query in queries}


def test_every_statement_is_listed():
    assert set(PLANS) == set(statements())


def nodes(plan: dict):
    yield plan
    for inner in plan.get("Plans", ()):
        yield from nodes(inner)


def walks(node: dict) -> bool:
    """Whether an index is read from one end to the other; one of what is unpublished holds little else."""
    return "Index Name" in node and "Index Cond" not in node and not node["Index Name"].endswith("_unpublished")


def faults(plan: dict, wanted: set[str] | None) -> list[str]:
    """Say what is wrong with a plan: a big table read as a whole, or an index walked through instead of searched."""
    found, searched = [], set()
    for node in nodes(plan):
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] in BIG:
            found.append(f"reads all of {node['Relation Name']}")
        if node.get("Disabled"):
            found.append(f"has no index for {node.get('Relation Name', node['Node Type'])}")
        if node.get("Relation Name") in BIG and walks(node):
            found.append(f"walks through {node['Index Name']}")
        if "Index Name" in node and ("Index Cond" in node or node["Index Name"].endswith("_unpublished")):
            searched.add(node["Index Name"])
    return found + [f"does not search {name}" for name in sorted((wanted or set()) - searched)]


@pytest.mark.timeout(300 if EFFORT == 1 else 900)
async def test_every_statement_finds_its_rows_by_an_index(database):
    wrong = {}
    async with database.acquire() as connection:
        await fill(connection, BINDINGS)
        for name, sql in statements().items():
            arguments, wanted = PLANS[name]
            if wanted == WHOLE:
                continue
            found = await connection.fetchval(f"EXPLAIN (FORMAT JSON) {sql}", *arguments)
            plan = (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]
            if problems := faults(plan, wanted):
                wrong[name] = problems
    assert wrong == {}, json.dumps(wrong, indent=2)


async def test_plans_made_while_all_is_empty_search_by_index_too(database):
    """A prepared statement may keep its first plan for a minute, in which the tables grow from nothing."""
    wrong = {}
    async with database.acquire() as connection:
        for name, sql in statements().items():
            arguments, wanted = PLANS[name]
            if (
                wanted
                and wanted != WHOLE
                and (problems := faults(await kept_plan(connection, sql, len(arguments)), None))
            ):
                wrong[name] = problems
    assert wrong == {}, json.dumps(wrong, indent=2)


async def test_without_the_sessions_parameters_a_table_would_be_read_whole(database_url):
    await Schema(database_url).migrate("all")
    connection = await asyncpg.connect(database_url)
    plan = await kept_plan(connection, statements()["bindings.look"], 4)
    await connection.close()
    assert faults(plan, None) == ["reads all of orders"]


async def kept_plan(connection, sql: str, arguments: int) -> dict:
    """Return the plan that is kept for whatever values come."""
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    await connection.execute(f"PREPARE looked_at AS {sql}")
    values = f"({', '.join(['NULL'] * arguments)})" if arguments else ""
    found = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE looked_at {values}")
    await connection.execute("DEALLOCATE looked_at")
    return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


async def test_what_is_due_is_found_at_once_among_what_is_not(database):
    """The sweeper reads what is due, not the whole index: the time is part of the index's condition."""
    async with database.acquire() as connection:
        await fill(connection, 20_000)
        for name in ("lock_due", "purge_orders", "purge_slots", "purge_codes"):
            sql = statements()[f"bindings.{name}"]
            await connection.execute("UPDATE order_binder.orders SET next_change_at = $1, purge_after = $1", later())
            found = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", 500)
            removed = sum(node.get("Rows Removed by Filter", 0) for node in nodes(found[0]["Plan"]))
            assert removed == 0, name


def later() -> datetime:
    return datetime.now(UTC) + timedelta(days=1)
