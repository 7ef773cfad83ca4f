"""Both ends of a link: a listening socket, a proxy before it, and connections whose two ends a test holds."""

import socket
from collections.abc import Iterator

import pytest

from deploy.proxy import Proxy
from deploy.servers.port import LOCALHOST
from tests.proxy.ends import Ends, Link


@pytest.fixture
def link() -> Iterator[Link]:
    """Give a proxy before a server that only listens."""
    with socket.create_server((LOCALHOST, 0)) as listener:
        listener.settimeout(10)
        with Proxy(listener.getsockname()[1], seed=1) as proxy:
            yield Link(proxy, listener)


@pytest.fixture
def ends(link: Link) -> Iterator[Ends]:
    """Give the two ends of a connection through the proxy."""
    with link.connected() as ends:
        yield ends
