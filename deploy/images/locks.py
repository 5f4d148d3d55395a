"""What goes into each image: the part of requirements.lock that a service needs, hashes included.

    python -m deploy.images.locks            write services/*/requirements.lock and deploy/images/build.lock
    python -m deploy.images.locks --check    exit 1 where one of them is not current

The needs are those of the pyproject.toml of the service and of the libraries, followed through what is installed in the
virtual environment; the versions and hashes are those of requirements.lock, so that an image runs what was tested.
"""

import re
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import requires
from pathlib import Path

from deploy.generated import ROOT, write_or_check
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

SERVICES = ("order-binder", "call-router", "recording-ingest")
LIBRARIES = ("libs/contracts", "libs/chassis")
OURS = "fareline-"
# The image's interpreter and the developers'; a requirement for either is kept.
PYTHONS = ("3.11", "3.13")
BLOCK = re.compile(r"^(?P<name>[A-Za-z0-9][A-Za-z0-9._-]*)==.*?(?=^[A-Za-z0-9]|\Z)", re.MULTILINE | re.DOTALL)
HEAD = "# Written by `make image-locks` from requirements.lock: do not edit.\n"


def blocks(lock: str) -> dict[str, str]:
    """Return each requirement of a lock file, by canonical name, with its hashes and without comments."""
    found = {canonicalize_name(match["name"]): match[0] for match in BLOCK.finditer(lock)}
    return {name: re.sub(r"^\s*#.*\n?", "", text, flags=re.MULTILINE) for name, text in found.items()}


def direct(member: Path) -> list[Requirement]:
    """Return what a member's pyproject.toml asks of others."""
    project = tomllib.loads((member / "pyproject.toml").read_text())["project"]
    needs = [Requirement(text) for text in project["dependencies"]]
    return [need for need in needs if not need.name.startswith(OURS)]


def closure(needs: Iterable[Requirement]) -> set[str]:
    """Return the canonical names of all that `needs` come to, extras followed, as installed here."""
    seen: set[tuple[str, frozenset[str]]] = set()
    waiting = list(needs)
    while waiting:
        need = waiting.pop()
        key = (canonicalize_name(need.name), frozenset(need.extras))
        if key not in seen:
            seen.add(key)
            waiting.extend(_below(need))
    return {name for name, _ in seen}


def _below(need: Requirement) -> Iterator[Requirement]:
    for text in requires(need.name) or []:
        found = Requirement(text)
        if _applies(found, need.extras):
            yield found


def _applies(found: Requirement, extras: Iterable[str]) -> bool:
    if found.marker is None:
        return True
    places: list[dict[str, str]] = [
        {"python_version": python, "python_full_version": f"{python}.0", "sys_platform": "linux", "extra": extra}
        for python in PYTHONS
        for extra in ("", *extras)
    ]
    return any(found.marker.evaluate(place) for place in places)


def part_of_lock(lock: Mapping[str, str], names: Iterable[str]) -> str:
    """Return the lines of a lock file for `names`; one that the whole lock does not have is for another Python."""
    return HEAD + "".join(lock[name] for name in sorted(names) if name in lock)


def rendered(root: Path = ROOT) -> dict[Path, str]:
    """Return the text of every lock file of an image, by path."""
    lock = blocks((root / "requirements.lock").read_text())
    shared = [need for library in LIBRARIES for need in direct(root / library)]
    texts = {
        root / "services" / service / "requirements.lock": part_of_lock(
            lock, closure([*shared, *direct(root / "services" / service)])
        )
        for service in SERVICES
    }
    texts[root / "deploy/images/build.lock"] = part_of_lock(lock, closure([Requirement("hatchling")]))
    return texts


def main() -> int:
    """Write or check; return the exit status."""
    return write_or_check(rendered().items(), about=__doc__ or "", target="image-locks")


if __name__ == "__main__":
    sys.exit(main())
