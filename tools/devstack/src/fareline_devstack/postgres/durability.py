"""How much of a commit the server guarantees, against how fast it is."""

import enum


class Durability(enum.Enum):
    """What survives: `NONE` may lose the last commits of a killed server, `PROCESS` none of them, `FULL` a power cut.

    Tests use `NONE`, the fastest. `make up` and the demo use `PROCESS`: a commit is in the operating system's hands
    before it is acknowledged, so that a killed server shows the truth, yet nothing waits for a disk.
    """

    NONE = ("fsync=off", "full_page_writes=off", "synchronous_commit=off")
    PROCESS = ("fsync=off", "full_page_writes=off", "synchronous_commit=on")
    FULL = ("fsync=on", "full_page_writes=on", "synchronous_commit=on")

    @property
    def settings(self) -> tuple[str, ...]:
        """The server's settings that mean it."""
        return self.value
