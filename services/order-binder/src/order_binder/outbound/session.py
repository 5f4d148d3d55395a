"""Sessions of PostgreSQL as order-binder wants them."""

from datetime import timedelta
from typing import Final

from fareline_chassis.health import HealthComponent
from fareline_chassis.postgres.pool import Database

LONGEST_PAUSE: Final = timedelta(seconds=5)
BY_INDEX: Final = {"enable_seqscan": "off", "enable_hashjoin": "off", "enable_mergejoin": "off", "jit": "off"}
"""Every row is found by an index, from the first one on; nothing is compiled for it.

A plan that was made while a table was empty reads all of it, and is kept until statistics come in: in the first minute
of a new installation each batch then read all orders there were. Up to PostgreSQL 17 a scan that cannot be avoided
would count as dear enough to be compiled.
"""


def order_database(dsn: str, smallest: int, largest: int, component: HealthComponent, *, name: str) -> Database:
    """Return the pool of a process called `name`: at least `smallest`, at most `largest` connections."""
    return Database(
        dsn,
        smallest,
        largest,
        component,
        application_name=name,
        keep_session=True,
        longest_pause=LONGEST_PAUSE,
        parameters=BY_INDEX,
    )
