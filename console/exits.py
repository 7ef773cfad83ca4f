"""What the command line's exit statuses mean, and the one line that says what went wrong."""

import traceback
from collections.abc import Mapping
from enum import IntEnum

from consumers.redact import redact
from outbox.errors import InstallationError, ServiceError, SyncError, UsageError, VaultError


class Exit(IntEnum):
    """The exit status of `aiaccount-sync`."""

    OK = 0
    WRONG = 1
    USAGE = 2
    INSTALLATION = 3
    SERVICE = 4
    BUG = 70
    INTERRUPTED = 130


MEANINGS: Mapping[int, str] = {
    Exit.OK: "done",
    Exit.WRONG: "done, and something is wrong: it is named",
    Exit.USAGE: "what was given cannot be",
    Exit.INSTALLATION: "not installed, another environment's, or the master key does not fit",
    Exit.SERVICE: "PostgreSQL, Kafka or AiAccount cannot be reached: try again later",
}
PLAIN_MEANINGS: Mapping[int, str] = {
    status: meaning for status, meaning in MEANINGS.items() if status != Exit.WRONG
}


def exit_of(error: BaseException) -> Exit:
    """Say which exit status an error gives."""
    match error:
        case KeyboardInterrupt():
            return Exit.INTERRUPTED
        case UsageError():
            return Exit.USAGE
        case InstallationError() | VaultError():
            return Exit.INSTALLATION
        case ServiceError():
            return Exit.SERVICE
        case SyncError():
            return Exit.WRONG
        case _:
            return Exit.BUG


def sentence(error: BaseException, *, debug: bool) -> str:
    """Say in one line what went wrong, without any secret.

    Args:
        error: What was raised.
        debug: Put the traceback before it.
    """
    said = " ".join(str(error).split())
    if exit_of(error) is Exit.BUG:
        said = f"a bug of ours ({type(error).__name__}: {said}); --debug shows where"
    line = redact(f"aiaccount-sync: {said}")
    if not debug:
        return line
    return f"{redact(''.join(traceback.format_exception(error)))}{line}"
