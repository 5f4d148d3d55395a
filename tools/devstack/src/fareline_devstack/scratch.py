"""Folders for the data of servers that nobody wants to keep, removed even when their owner was killed."""

import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

PREFIX = "fareline-"
LOCK = "owner.lock"


class Scratch:
    """A fresh folder in `parent`, by default the system's temporary folder.

    `kept=False`: it belongs to this process, and the next `Scratch` of anybody sweeps it away if this process ended
    without `remove()`. `kept=True`: it stays until somebody removes it (`make down`).
    """

    def __init__(self, *, kept: bool = False, parent: Path | None = None) -> None:
        parent = parent or temporary_folder()
        sweep(parent)
        self.path = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        self._lock = None if kept else _lock(self.path)
        if os.geteuid() == 0:
            self.path.chmod(0o711)  # servers that refuse to be root have to get through

    def remove(self) -> None:
        """Remove the folder and all that is in it; harmless the second time."""
        shutil.rmtree(self.path, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def _lock(folder: Path) -> int:
    # locked first and named later: what bears the name is always locked while its owner lives
    handle = os.open(folder / "owner.new", os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(handle, fcntl.LOCK_EX)
    (folder / "owner.new").rename(folder / LOCK)
    return handle


def sweep(parent: Path) -> None:
    """Remove the folders whose owners are gone."""
    for lock in parent.glob(f"{PREFIX}*/{LOCK}"):
        try:
            handle = os.open(lock, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(lock.parent, ignore_errors=True)
        except OSError:
            continue
        finally:
            os.close(handle)


def temporary_folder() -> Path:
    """Return where temporary folders go: as root only where an unprivileged server can get to."""
    usual = Path(tempfile.gettempdir())
    if os.geteuid() != 0:
        return usual
    return next((path for path in (usual, Path("/tmp"), Path("/var/tmp")) if open_to_all(path)), usual)  # noqa: S108


def open_to_all(path: Path) -> bool:
    """Whether every account of the machine may enter `path` and read what is in it."""
    resolved = path.resolve()
    entered = all(folder.stat().st_mode & stat.S_IXOTH for folder in resolved.parents)
    wanted = stat.S_IXOTH | stat.S_IROTH
    return entered and resolved.stat().st_mode & wanted == wanted
