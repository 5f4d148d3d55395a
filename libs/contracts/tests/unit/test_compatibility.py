"""The compatibility check lets widening through and stops each kind of break; every break here is planted."""

import copy
import json
import shutil
from pathlib import Path

import pytest

from fareline_contracts.__main__ import main, problems_of
from fareline_contracts.compatibility import breaking_changes
from fareline_contracts.schemas import rendered_schemas, write_schemas

ROOT = Path(__file__).parents[4]


@pytest.fixture
def order():
    return json.loads(rendered_schemas()["taxi.order.v1.json"])


@pytest.fixture
def ended():
    return json.loads(rendered_schemas()["fareline.call.ended.v1.json"])


def changed(schema, change):
    result = copy.deepcopy(schema)
    change(result)
    return result


BREAKS = {
    "/city: removed": lambda s: s["properties"].pop("city"),
    "/city: became required": lambda s: s["required"].append("city"),
    "/order_id: was required": lambda s: s["required"].remove("order_id"),
    "/version: maximum narrowed": lambda s: s["properties"]["version"].update(maximum=10),
    "/version: minimum narrowed": lambda s: s["properties"]["version"].update(minimum=1),
    "/version: type changed": lambda s: s["properties"]["version"].update(type="string"),
    "/tenant: pattern changed": lambda s: s["properties"]["tenant"].update(pattern="^x$"),
    "/client/phones: maxItems narrowed": lambda s: s["$defs"]["OrderParty"]["properties"]["phones"].update(maxItems=2),
    "/client/phones/items: maxLength narrowed": lambda s: s["$defs"]["OrderParty"]["properties"]["phones"][
        "items"
    ].update(maxLength=3),
    "/status: enum lost arrived": lambda s: s["$defs"]["OrderStatus"]["enum"].remove("arrived"),
    "/status: closed enum gained paused": lambda s: s["$defs"]["OrderStatus"]["enum"].append("paused"),
    "/driver: anyOf had 2 alternatives, has 1": lambda s: s["properties"]["driver"]["anyOf"].pop(),
}


@pytest.mark.parametrize("expected", BREAKS, ids=str)
def test_a_breaking_change_is_named(order, expected):
    found = breaking_changes(order, changed(order, BREAKS[expected]))
    assert [line for line in found if line.startswith(expected)], found


@pytest.mark.parametrize(
    "change",
    [
        lambda s: s["properties"].update(zone={"type": "string", "default": ""}),
        lambda s: s["properties"]["version"].update(maximum=2**62),
        lambda s: s["$defs"]["OrderParty"]["properties"]["phones"].update(maxItems=9),
        lambda s: s["$defs"]["OrderParty"]["properties"]["phones"].pop("maxItems"),
        lambda s: s.update(description="other words"),
    ],
)
def test_widening_is_compatible(order, change):
    assert breaking_changes(order, changed(order, change)) == []


def test_an_open_enum_may_grow_but_not_shrink(ended):
    values = lambda s: s["$defs"]["Disposition"]["enum"]  # noqa: E731
    assert breaking_changes(ended, changed(ended, lambda s: values(s).append("voicemail"))) == []
    assert breaking_changes(ended, changed(ended, lambda s: values(s).remove("busy")))


def test_the_committed_files_are_current_and_compatible():
    assert problems_of(ROOT / "libs/contracts", ROOT / "docs/flows.md") == []


@pytest.fixture
def copied(tmp_path):
    shutil.copytree(ROOT / "libs/contracts/released", tmp_path / "libs/contracts/released")
    write_schemas(tmp_path / "libs/contracts/schemas")
    assert main(["generate", "--root", str(tmp_path)]) == 0
    assert main(["check", "--root", str(tmp_path)]) == 0
    return tmp_path


@pytest.mark.parametrize(
    ("planted", "expected"),
    [
        (
            lambda top: (top / "libs/contracts/schemas/taxi.order.v1.json").write_text("{}"),
            "taxi.order.v1.json is not current",
        ),
        (lambda top: (top / "libs/contracts/schemas/stray.json").write_text("{}"), "stray.json is not current"),
        (lambda top: (top / "docs/flows.md").write_text("old"), "flows.md is not current"),
        (lambda top: (top / "libs/contracts/released/gone.v1.json").write_text("{}"), "released and now gone"),
    ],
)
def test_check_fails_on_a_planted_violation(copied, capsys, planted, expected):
    planted(copied)
    assert main(["check", "--root", str(copied)]) == 1
    assert expected in capsys.readouterr().out


def test_check_fails_when_a_released_schema_is_broken(copied, capsys):
    path = copied / "libs/contracts/released/taxi.order.v1.json"
    released = json.loads(path.read_text())
    released["properties"]["surge"] = {"type": "number"}
    path.write_text(json.dumps(released))
    assert main(["check", "--root", str(copied)]) == 1
    assert "/surge: removed; a new version of the record is needed" in capsys.readouterr().out
