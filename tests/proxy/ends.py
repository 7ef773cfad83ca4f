"""The two ends of a connection through a proxy, and what can be said of them."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from deploy.proxy import Proxy
from deploy.servers.port import LOCALHOST

WAIT_SECONDS = 10.0
A_WHILE = 0.25
"""How long a test watches that nothing comes."""


class Ends(NamedTuple):
    """The client's end and the server's."""

    client: socket.socket
    server: socket.socket


class Link(NamedTuple):
    """A proxy and the socket that listens behind it."""

    proxy: Proxy
    listener: socket.socket

    @contextmanager
    def connected(self) -> Iterator[Ends]:
        """Connect through the proxy."""
        with socket.create_connection((LOCALHOST, self.proxy.port), WAIT_SECONDS) as client:
            server, _ = self.listener.accept()
            server.settimeout(WAIT_SECONDS)
            with server:
                yield Ends(client, server)


def heard(end: socket.socket, size: int) -> bytes:
    """Return the next so many bytes, fewer where the stream ends before."""
    parts = b""
    while len(parts) < size and (part := end.recv(size - len(parts))):
        parts += part
    return parts


def silent(end: socket.socket) -> bool:
    """Watch that nothing comes, the end neither."""
    end.settimeout(A_WHILE)
    try:
        end.recv(1)
    except TimeoutError:
        return True
    else:
        return False
    finally:
        end.settimeout(WAIT_SECONDS)


def closed(end: socket.socket) -> bool:
    """Tell whether the stream ends here, in good order and with nothing more."""
    return end.recv(1) == b""


def reset(end: socket.socket) -> bool:
    """Tell whether the connection ends in a reset."""
    try:
        end.recv(1)
    except ConnectionResetError:
        return True
    return False


@contextmanager
def at_least(seconds: float) -> Iterator[None]:
    """Check that what is done takes so long; how much longer is the machine's business."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began >= seconds - 0.01
