"""The notes of a release say what changed and what to run, in order."""

import importlib.util
from pathlib import Path

import pytest

CHANGELOG = "# Changelog\n\n## Unreleased\n\n- Coming.\n\n## 0.2.0 (2026-12-01)\n\n- Calls.\n\n## 0.1.0\n\n- First.\n"


@pytest.fixture(scope="module")
def page():
    path = Path(__file__).parents[2] / "deploy/release_notes.py"
    spec = importlib.util.spec_from_file_location("release_notes", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_version_has_its_section_and_a_coming_one_what_is_unreleased(page):
    assert page.section(CHANGELOG, "0.2.0") == "- Calls."
    assert page.section(CHANGELOG, "0.3.0") == "- Coming."
    with pytest.raises(ValueError, match="no section"):
        page.section("# Changelog\n", "0.3.0")


def test_the_order_of_a_roll_out(page):
    said = page.rollout(
        [
            "services/order-binder/src/order_binder/migrations/0009_post_drop.sql",
            "services/order-binder/src/order_binder/migrations/0008_pre_add.sql",
            "libs/contracts/released/fareline.binding.v1.json",
            "README.md",
        ]
    )
    assert [line for line in said.splitlines() if line[0].isdigit()] == [
        "1. Before the new code, migrate `pre`:",
        "2. Once the old code is gone, migrate `post`:",
        "3. Records changed; deploy their readers first (docs/flows.md):",
    ]
    assert "order-binder: 0008_pre_add" in said
    assert page.rollout(["README.md"]) == "Nothing beyond the new images."


def test_this_tree_has_notes(page, repository_root):
    text = page.notes("Unreleased", (repository_root / "CHANGELOG.md").read_text(), page.changed_since(None))
    assert text.startswith("# Fareline Unreleased\n\n- ")
    assert "## Rolling it out" in text
