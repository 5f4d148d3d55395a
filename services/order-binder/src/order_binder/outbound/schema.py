"""The database's schema: applying migrations, and refusing to work without them."""

from dataclasses import dataclass
from typing import Literal

from fareline_chassis.postgres.migrations import migrate, pending

SCHEMA = "order_binder"
_MIGRATIONS = "order_binder.migrations"


class SchemaBehind(Exception):
    """The database lacks migrations that this release needs."""


@dataclass(frozen=True, slots=True)
class Schema:
    """The schema of the database at `dsn`."""

    dsn: str

    async def migrate(self, phase: Literal["pre", "post", "all"]) -> list[str]:
        """Apply what is pending and return its names. Raises MigrationError."""
        return await migrate(self.dsn, _MIGRATIONS, SCHEMA, phase)

    async def require(self) -> None:
        """Raise SchemaBehind where this release needs more than is there."""
        missing = await pending(self.dsn, _MIGRATIONS, SCHEMA)
        if missing:
            raise SchemaBehind(f"run `python -m order_binder migrate`: {', '.join(missing)} not applied")
