"""Wait for a condition with a deadline, and run a coroutine from code that may or may not have a loop."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")
POLL_SECONDS = 0.05


def wait_until(condition: Callable[[], bool], *, seconds: float, poll: float = POLL_SECONDS) -> bool:
    """Call `condition` until it is true (return True) or `seconds` are over (return False)."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() >= deadline:
            return False
        time.sleep(poll)
    return True


def run_blocking(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` on a loop and thread of its own, so that a caller's running loop is not in the way."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="devstack") as executor:
        return executor.submit(asyncio.run, coroutine).result()
