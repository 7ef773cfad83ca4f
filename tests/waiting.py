"""Wait for a condition with a deadline: no test sleeps a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

Seen = TypeVar("Seen")
POLL_SECONDS = 0.02


def wait_for(condition: Callable[[], Seen], timeout: float, what: str) -> Seen:
    """Call ``condition`` until what it returns is true, and return that.

    Raises:
        AssertionError: not within ``timeout`` seconds; the message names ``what`` and the last value.
    """
    deadline = time.monotonic() + timeout
    while not (seen := condition()):
        _check(deadline, timeout, what, seen)
        time.sleep(POLL_SECONDS)
    return seen


async def wait_for_async(
    condition: Callable[[], Awaitable[Seen]],
    timeout: float,  # noqa: ASYNC109 - it bounds the polling, and no call is cut off in the middle
    what: str,
) -> Seen:
    """Await ``condition`` until what it gives is true, and return that; else as ``wait_for``."""
    deadline = time.monotonic() + timeout
    while not (seen := await condition()):
        _check(deadline, timeout, what, seen)
        await asyncio.sleep(POLL_SECONDS)
    return seen


def _check(deadline: float, timeout: float, what: str, seen: object) -> None:
    if time.monotonic() > deadline:
        raise AssertionError(f"waited {timeout:g} s for {what}; last seen: {seen!r}")
