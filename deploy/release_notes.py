"""Notes of a release: what changed for users, and what whoever deploys it has to know.

    python deploy/release_notes.py [--version 0.2.0] [--since v0.1.0]

The changes are the section of CHANGELOG.md (`Unreleased` where the version has none yet). Migrations and contracts are
what came since the tag before it; without a tag, all of them.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]
UNRELEASED = "Unreleased"
MIGRATIONS = re.compile(r"services/([\w-]+)/src/\w+/migrations/(\d{4}_(pre|post)_\w+)\.sql$")
CONTRACTS = re.compile(r"libs/contracts/released/([\w.-]+)\.json$")


def section(changelog: str, version: str) -> str:
    """Return the text of a version's section, or of what is unreleased; raise ValueError where there is neither."""
    for title in (version, UNRELEASED):
        found = re.search(rf"^## {re.escape(title)}\b[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
        if found:
            return found[1].strip()
    raise ValueError(f"CHANGELOG.md has no section {version} and none {UNRELEASED}")


def rollout(paths: Sequence[str]) -> str:
    """Return what to run in which order for these new or changed files."""
    migrations = [found.groups() for path in sorted(paths) if (found := MIGRATIONS.search(path))]
    contracts = [found[1] for path in sorted(paths) if (found := CONTRACTS.search(path))]
    lines = [_step(migrations, "pre", "Before the new code"), _step(migrations, "post", "Once the old code is gone")]
    if contracts:
        named = "".join(f"\n   - {name}" for name in contracts)
        lines.append(f"Records changed; deploy their readers first (docs/flows.md):{named}")
    said = [line for line in lines if line]
    return "\n".join(f"{number}. {line}" for number, line in enumerate(said, 1)) or "Nothing beyond the new images."


def _step(migrations: Sequence[tuple[str, ...]], phase: str, when: str) -> str:
    named = "".join(f"\n   - {service}: {name}" for service, name, of_phase in migrations if of_phase == phase)
    return f"{when}, migrate `{phase}`:{named}" if named else ""


def notes(version: str, changelog: str, paths: Sequence[str]) -> str:
    """Return the whole page."""
    return f"# Fareline {version}\n\n{section(changelog, version)}\n\n## Rolling it out\n\n{rollout(paths)}\n"


def changed_since(tag: str | None) -> list[str]:
    """Return the files that came or changed since a tag, all files where there is none."""
    words = ["git", "ls-files"] if tag is None else ["git", "diff", "--name-only", "--diff-filter=AM", f"{tag}..HEAD"]
    return _git(words).splitlines()


def tag_before(version: str) -> str | None:
    """Return the newest tag of a release that is not the one of `version`; None before the first release."""
    tags = _git(["git", "tag", "--list", "v*", "--sort=-version:refname", "--merged", "HEAD"]).split()
    return next((tag for tag in tags if tag != f"v{version}"), None)


def _git(words: Sequence[str]) -> str:
    return subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout  # noqa: S603


def main() -> None:
    """Print the notes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--version", default=UNRELEASED)
    parser.add_argument("--since", help="a tag; default: the release before")
    asked = parser.parse_args()
    since = asked.since or tag_before(asked.version)
    sys.stdout.write(notes(asked.version, (ROOT / "CHANGELOG.md").read_text(), changed_since(since)))


if __name__ == "__main__":
    main()
