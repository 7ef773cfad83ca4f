"""Choose a port that stays free while its server is down.

The ports that the system hands out itself are no choice: an outgoing connection may take one while
its server restarts, and a client that keeps trying the port of a stopped server may even get itself.
"""

import atexit
import secrets
import socket
from collections import deque

LOCALHOST = "127.0.0.1"
FIRST, LAST = 20_000, 29_999  # below what Linux and macOS hand out
HELD = 64
_held: deque[socket.socket] = deque()


def free_port() -> int:
    """Return a port on which nobody listens on 127.0.0.1 now, and which no process of ours was given lately.

    A server may take seconds until it listens. Until the process ends, or has asked for `HELD` more, it holds
    the UDP port of the same number, so that neither it nor another process that asks here is given the same.
    """
    for _ in range(200):
        port = FIRST + secrets.randbelow(LAST - FIRST + 1)
        held = socket.socket(type=socket.SOCK_DGRAM)
        try:
            held.bind((LOCALHOST, port))
            with socket.socket() as probe:
                probe.bind((LOCALHOST, port))
        except OSError:
            held.close()
            continue
        _held.append(held)
        if len(_held) > HELD:
            _held.popleft().close()
        return port
    raise OSError(f"no free port between {FIRST} and {LAST}")


@atexit.register
def _let_go() -> None:
    while _held:
        _held.popleft().close()


def accepts(port: int) -> bool:
    """Tell whether someone accepts connections on 127.0.0.1 at ``port``."""
    try:
        with socket.create_connection((LOCALHOST, port), timeout=1):
            return True
    except OSError:
        return False
