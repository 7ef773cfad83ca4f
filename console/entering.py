"""Take an API key from a person or a pipe: an argument could be read by every user of the machine."""

import getpass
import os
import pwd
import sys

from consumers.secret import Secret
from outbox.errors import UsageError

LONGEST_KEY = 4096


def enter_key(prompt: str) -> Secret:
    """Ask for a key without showing it, or read it from standard input where that is not a terminal.

    Raises:
        UsageError: What came is not one line of visible ASCII characters.
    """
    text = getpass.getpass(prompt) if sys.stdin.isatty() else sys.stdin.read(LONGEST_KEY + 3)
    text = text.strip()
    if not text:
        raise UsageError("no API key was given")
    if len(text) > LONGEST_KEY:
        raise UsageError(f"an API key has at most {LONGEST_KEY} characters")
    if not (text.isascii() and text.isprintable()) or " " in text:
        raise UsageError("an API key is one line of visible ASCII characters without blanks")
    return Secret(text)


def person() -> str:
    """Return the name of the user who runs this program."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user without a name
        return f"uid {os.getuid()}"
