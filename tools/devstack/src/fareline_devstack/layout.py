"""Where things lie: the repository's demo files, and the folder for what a running system leaves behind."""

from dataclasses import dataclass
from pathlib import Path

from fareline_devstack.errors import DevstackError

STATE_FOLDER = ".fareline"
DEMO_FOLDER = Path("deploy") / "demo"
DEMO_TOKEN = "fareline-demo-token"  # noqa: S105 - published; services refuse it outside the demo


@dataclass(frozen=True, slots=True)
class Layout:
    """`demo` holds tenants.json, tokens.json, accounts.json; `state` gets logs, data and `stack.env`."""

    demo: Path
    state: Path

    @property
    def logs(self) -> Path:
        """The folder of all logs."""
        return self.state / "logs"

    @property
    def data(self) -> Path:
        """The folder of call-router's spool and of the stored recordings."""
        return self.state / "data"

    @property
    def env_file(self) -> Path:
        """The file of addresses for hands-on use."""
        return self.state / "stack.env"

    @property
    def state_file(self) -> Path:
        """The file that says which processes were left running."""
        return self.state / "stack.json"

    @property
    def tokens_file(self) -> Path:
        """The demo's API tokens, as digests."""
        return self.demo / "tokens.json"

    @property
    def accounts_file(self) -> Path:
        """The demo's PBX accounts."""
        return self.demo / "accounts.json"


def find_layout(start: Path | None = None) -> Layout:
    """Return the layout of the repository around `start` (this file, if none is given).

    Raises `DevstackError` where there is no repository around it.
    """
    origin = (start or Path(__file__)).resolve()
    for folder in (origin, *origin.parents):
        if (folder / DEMO_FOLDER).is_dir():
            return Layout(demo=folder / DEMO_FOLDER, state=folder / STATE_FOLDER)
    raise DevstackError(f"{DEMO_FOLDER} was not found above {origin}: run this from a clone of the repository")
