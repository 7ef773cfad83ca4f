"""Choose a port that stays free while its server is down.

The ports that the system hands out itself are no choice: an outgoing connection may take one while
its server restarts, and a client that keeps trying the port of a stopped server may even get itself.
"""

import secrets
import socket

LOCALHOST = "127.0.0.1"
FIRST, LAST = 20_000, 29_999  # below what Linux and macOS hand out


def free_port() -> int:
    """Return a port on which nobody listens on 127.0.0.1 now."""
    for _ in range(200):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        with socket.socket() as probe:
            try:
                probe.bind((LOCALHOST, port))
            except OSError:
                continue
            return port
    raise OSError(f"no free port between {FIRST} and {LAST}")


def accepts(port: int) -> bool:
    """Tell whether someone accepts connections on 127.0.0.1 at ``port``."""
    try:
        with socket.create_connection((LOCALHOST, port), timeout=1):
            return True
    except OSError:
        return False
