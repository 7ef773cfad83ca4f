"""Places where a test can make a process die or stop, so that every step is tried with kill -9.

`AIACCOUNT_SYNC_FAILPOINTS="intended=kill@3,called=stop"`: at the third pass of `intended` the process gets
SIGKILL, at the first of `called` SIGSTOP. Without the setting `reach` is an empty function: inert.
"""

import os
import signal
from collections.abc import Callable

from outbox.errors import UsageError

Reach = Callable[[str], None]
_SIGNALS = {"kill": signal.SIGKILL, "stop": signal.SIGSTOP}


def inert(name: str) -> None:
    """Do nothing at the place `name`: what runs when no failpoint is set."""
    del name


def failpoints(setting: str) -> Reach:
    """Return the function that the code calls at each named place.

    Args:
        setting: `name=kill|stop[@pass]`, several with commas; empty for none.

    Raises:
        UsageError: The setting cannot be read.
    """
    if not setting:
        return inert
    armed: dict[str, tuple[signal.Signals, int]] = {}
    for part in setting.split(","):
        name, _, action = part.strip().partition("=")
        verb, _, at = action.partition("@")
        if not name or verb not in _SIGNALS or not (at or "1").isdigit():
            raise UsageError(f"AIACCOUNT_SYNC_FAILPOINTS: {part!r} is not name=kill|stop[@pass]")
        armed[name] = (_SIGNALS[verb], int(at or 1))
    passes: dict[str, int] = {}

    def reach(name: str) -> None:
        if name in armed:
            passes[name] = passes.get(name, 0) + 1
            sent, at = armed[name]
            if passes[name] == at:
                os.kill(os.getpid(), sent)

    return reach
