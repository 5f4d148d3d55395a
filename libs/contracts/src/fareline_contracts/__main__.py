"""Contracts from the command line: `python -m fareline_contracts generate|check|release|topics`.

generate  write schemas/ and docs/flows.md from the models
check     exit 1 if they are not current, or break what was released
release   make the current schemas the ones that later changes must stay compatible with
topics    write the topics of a deployment to the output, as Strimzi's resources
"""

import argparse
import json
import sys
from pathlib import Path

from fareline_contracts.compatibility import breaking_changes
from fareline_contracts.flows import flows_page
from fareline_contracts.schemas import outdated_schemas, rendered_schemas, write_schemas
from fareline_contracts.strimzi import strimzi_topics


def problems_of(member: Path, flows: Path) -> list[str]:
    """Return a sentence for each generated file that is not current and each change that breaks a released schema."""
    found = [f"schemas/{name} is not current; run: make generate" for name in outdated_schemas(member / "schemas")]
    if not flows.exists() or flows.read_text() != flows_page():
        found.append(f"{flows.name} is not current; run: make generate")
    current = rendered_schemas()
    for path in sorted((member / "released").glob("*.json")):
        if path.name not in current:
            found.append(f"{path.name}: released and now gone; consumers still read it")
            continue
        changes = breaking_changes(json.loads(path.read_text()), json.loads(current[path.name]))
        found += [f"{path.name}: {change}; a new version of the record is needed" for change in changes]
    return found


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return the exit status."""
    parser = argparse.ArgumentParser(
        prog="python -m fareline_contracts", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("command", choices=("generate", "check", "release", "topics"))
    parser.add_argument("--cluster", default="fareline", help="topics: the name of Strimzi's Kafka")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the repository's top folder")
    options = parser.parse_args(arguments)
    if options.command == "topics":
        sys.stdout.write(strimzi_topics(options.cluster))
        return 0
    member, flows = options.root / "libs" / "contracts", options.root / "docs" / "flows.md"
    if options.command == "check":
        found = problems_of(member, flows)
        sys.stdout.writelines(f"{line}\n" for line in found)
        return 1 if found else 0
    write_schemas(member / ("schemas" if options.command == "generate" else "released"))
    if options.command == "generate":
        flows.parent.mkdir(parents=True, exist_ok=True)
        flows.write_text(flows_page())
    return 0


if __name__ == "__main__":
    sys.exit(main())
