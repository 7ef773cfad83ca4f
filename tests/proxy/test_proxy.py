"""What a proxy does where nothing is wrong, or the server is gone, or it ends itself."""

import socket
import threading
from random import Random

import pytest

from deploy.proxy import Latency, Proxy, Slicer
from deploy.servers.port import LOCALHOST, accepts, free_port
from tests.proxy.ends import WAIT_SECONDS, Ends, Link, closed, heard, reset
from tests.waiting import wait_for

MUCH = 3_000_000


def test_each_half_of_a_connection_ends_by_itself(link: Link, ends: Ends) -> None:
    ends.client.sendall(b"question")
    ends.client.shutdown(socket.SHUT_WR)
    assert heard(ends.server, 8) == b"question"
    assert closed(ends.server)
    ends.server.sendall(b"answer")
    ends.server.close()
    assert heard(ends.client, 6) == b"answer"
    assert closed(ends.client)
    wait_for(lambda: link.proxy.connections == 0, WAIT_SECONDS, "the connection to be over")
    assert link.proxy.accepted == 1


def test_much_goes_both_ways_at_once_and_arrives_as_it_was_sent(link: Link, ends: Ends) -> None:
    link.proxy.add(Slicer(50_000, spread=49_999))
    link.proxy.add(Latency(0.001, jitter=0.001))
    there, back = Random(1).randbytes(MUCH), Random(2).randbytes(MUCH)
    senders = [
        threading.Thread(target=ends.client.sendall, args=(there,)),
        threading.Thread(target=ends.server.sendall, args=(back,)),
    ]
    arrived: list[bytes] = []
    reader = threading.Thread(target=lambda: arrived.append(heard(ends.server, MUCH)))
    for thread in (*senders, reader):
        thread.start()
    assert heard(ends.client, MUCH) == back
    for thread in (*senders, reader):
        thread.join(WAIT_SECONDS)
    assert arrived == [there]


def test_an_end_that_breaks_off_resets_the_other(ends: Ends) -> None:
    ends.client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    ends.client.close()
    assert reset(ends.server)


def test_a_client_of_a_server_that_is_gone_is_reset() -> None:
    with (
        Proxy(free_port()) as proxy,
        pytest.raises(ConnectionResetError),
        socket.create_connection((LOCALHOST, proxy.port), WAIT_SECONDS) as client,
    ):
        client.recv(1)


def test_a_proxy_that_stops_resets_its_connections_and_leaves_its_port_and_no_thread() -> None:
    with socket.create_server((LOCALHOST, 0)) as listener:
        proxy = Proxy(listener.getsockname()[1])
        proxy.start()
        with socket.create_connection((LOCALHOST, proxy.port), WAIT_SECONDS) as client:
            client.sendall(b"hello")
            proxy.stop()
            assert reset(client)
        assert not accepts(proxy.port)
        assert f"proxy-{proxy.port}" not in {thread.name for thread in threading.enumerate()}


def test_a_port_that_is_taken_is_an_error_and_leaves_no_thread() -> None:
    with socket.create_server((LOCALHOST, free_port())) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match="Address already in use"):
            Proxy(1, port=port).start()
        assert f"proxy-{port}" not in {thread.name for thread in threading.enumerate()}
