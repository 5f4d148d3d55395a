"""order-binder that stops for ever after its first batch is committed and before its offsets are: to be killed there.

Run as a script; HELD_MARKER names the file that it writes at that moment.
"""

import asyncio
import os
from pathlib import Path

from fareline_chassis.logs import configure_logging
from fareline_chassis.settings import load_settings
from order_binder.app import run
from order_binder.settings import Settings


def hold(name, handler):
    if name != "batch":
        return handler
    mark = Path(os.environ["HELD_MARKER"]).touch

    async def held(records) -> None:
        await handler(records)
        mark()
        await asyncio.Event().wait()

    return held


if __name__ == "__main__":
    configure_logging("order-binder", "INFO")
    asyncio.run(run(load_settings(Settings), around=hold))
