"""What the stack needs from a server, however it is run."""

from typing import Protocol


class Server(Protocol):
    """Kafka or PostgreSQL, native or in a container. `start` after `stop` brings the same data back (native only)."""

    name: str

    @property
    def address(self) -> str:
        """Where clients find it."""
        ...

    def start(self) -> str:
        """Start it, wait until it answers, return its address."""
        ...

    def stop(self) -> None:
        """End it; harmless when it does not run."""
        ...
